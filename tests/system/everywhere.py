"""A caller at each node of the call, on a real telephone and at the cloud: how they get there and stay, and what they do when
they are told to go on."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from telephony.twilio.exchange import call_id_of
from tests.cloud import Callee, Cloud, When
from tests.cloud.leg import Leg
from tests.integration.twilio.town import NUMBER, said
from tests.phones.baresip import Phone
from tests.system.installation import Installation
from tests.system.sip_phone import Voices
from tests.system.watch import live, reaches, seat_is
from tests.waiting import until

LEADER_HZ = 900.0
#: The keys of the seats, by carrier: of who talks, whose leader's phone rings, who is called back, who has answered that.
KEYS = {
    "a": {"talk": "1", "ring": "3", "call": "5", "screen": "7"},
    "t": {"talk": "2", "ring": "4", "call": "6", "screen": "8"},
}
OPERATORS = "+8613900000090"
#: What is said to who has called again, and must take long enough to find them listening.
LAST_WORDS = "goodbye_other_call"
_FOR_EVER_S = 9999.0
#: Longer than a key belongs to the choice before, and than a message without words with what is said before it.
_SETTLED_S = 3.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where all of it happens. `seats`: seat id by the key that picks it."""

    house: Installation
    seats: Mapping[str, str]

    async def is_talking(self, key: str) -> None:
        await seat_is(self.house, self.seats[key], "talking", 40)

    async def resume(self, key: str) -> None:
        await self.house.post(f"/api/seats/{self.seats[key]}/resume")

    async def call_at(self, number: str, node: str) -> str:
        """The id of the call that goes on from this number (E.164) at this node."""

        async def there() -> str:
            calls = (await live(self.house)).values()
            return next((call.id for call in calls if (call.number, call.node) == (number, node)), "")

        return await until(there, 40, f"{number[-4:]} at {node}")

    async def settled(self, call_id: str, node: str) -> None:
        """It has been at this node for a while."""
        since = (await reaches(self.house, call_id, node)).entered_at
        await until(lambda: self.house.core.clock() - since > _SETTLED_S, 10, "a while")


class SipCallers:
    """Asterisk's. `back`: the phone at which all are called back; `at_once`: a phone that takes every call at once."""

    def __init__(self, folder: Path, stack: AsyncExitStack, back: Phone, at_once: str) -> None:
        self._stack, self._back, self._at_once = stack, back, at_once
        self.leader = Phone(folder / "leader", "leader", tone_hz=LEADER_HZ, answers="auto")
        words = Voices(folder).words
        self._rung = Phone(folder / "rung", "rung", speech=words)
        names = ("talking", "first", "waiting", "ringing", "message", "operator", "question", "kept", "screening", "calling")
        numbers = {**{name: f"1380000090{n}" for n, name in enumerate(names)}, "contact": "anonymous"}
        numbers["again"] = numbers["first"]
        self._phones = {name: Phone(folder / name, number, speech=words) for name, number in numbers.items()}
        self.talker = self._phones["talking"]

    async def lines(self) -> dict[str, str]:
        """The phones are switched on; the leaders' lines by key."""
        phones = (self.leader, self._rung, *self._phones.values())
        await asyncio.gather(*map(self._stack.enter_async_context, phones))
        keys = KEYS["a"]
        lines = {keys["talk"]: self.leader.address, keys["ring"]: self._rung.address}
        return {**lines, keys["call"]: self._at_once, keys["screen"]: self._at_once}

    async def gather(self, place: Place) -> None:
        """Everybody is where they are to be."""
        keys = KEYS["a"]
        await self._go(place, "talking", keys["talk"], "talking")
        await asyncio.gather(
            self._go(place, "question"),
            self._go(place, "first", keys["talk"], "waiting"),
            self._go(place, "waiting", keys["talk"], "waiting"),
            self._go(place, "ringing", keys["ring"], "ringing"),
            self._go(place, "message", "*", "message"),
            self._go(place, "contact", "*", "message", "#", "contact"),
            self._go(place, "operator", "0", "operator"),
            self._go(place, "kept", keys["talk"], "waiting", "3", "kept"),
            self._go(place, "screening", keys["screen"], "waiting", "3", "kept"),
            self._go(place, "calling", keys["call"], "waiting", "3", "kept"),
        )
        await self._go(place, "again", "1", "waiting")  # the earlier call gives its place to this one
        await self._is_rung(place, keys["screen"])
        await self._back.answer()
        await place.call_at(self._number("screening"), "screening")
        await self._is_rung(place, keys["call"])

    async def _go(self, place: Place, name: str, *way: str) -> None:
        """Calls, and goes on from the question. `way`: a key, the node it leads to, and so on."""
        phone = self._phones[name]
        await phone.dial(place.house.service)
        call_id = await place.call_at(self._number(name), "question")
        node = ""
        for key, leads_to in zip(way[::2], way[1::2], strict=True):
            if node:
                await place.settled(call_id, node)
            await phone.press(key)
            await reaches(place.house, call_id, node := leads_to, 40)

    def _number(self, name: str) -> str:
        number = self._phones[name].number
        return f"+86{number}" if number.isdigit() else ""

    async def _is_rung(self, place: Place, key: str) -> None:
        """The leader of this seat is free, and who keeps a place there is called back."""
        before = self._rings()
        await place.resume(key)
        await until(lambda: self._rings() > before, 30, "the phone that is called back")

    def _rings(self) -> int:
        return [event.get("type") for event in self._back.events].count("CALL_INCOMING")

    async def finish(self, place: Place) -> None:
        """Each does what ends the call. The leader takes the call that rings, and so does who is called back."""
        await self._phones["question"].press("1")
        await place.call_at(self._number("question"), "message")
        await self._rung.answer()
        await place.is_talking(KEYS["a"]["ring"])
        await self._rung.hang_up()
        await self._back.hang_up()  # the call that rings
        await self._back.press("1")
        await place.is_talking(KEYS["a"]["screen"])
        await self._back.hang_up()
        await self.leader.hang_up()
        for name in ("first", "again", "waiting", "message", "contact", "operator", "question"):
            await self._phones[name].hang_up()


class CloudCallers:
    """The cloud's."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._legs: dict[str, Leg] = {}
        names = ("talking", "first", "waiting", "ringing", "message", "operator", "question", "kept", "screening", "calling")
        self._numbers = {**{name: f"+861380000091{n}" for n, name in enumerate(names)}, "contact": "anonymous"}
        self._numbers["again"] = self._numbers["first"]

    def lines(self) -> dict[str, str]:
        """Who answers how; the leaders' lines by key."""
        keys, callees = KEYS["t"], self._cloud.callees
        lines = {key: f"+861390000008{key}" for key in keys.values()}
        callees[lines[keys["talk"]]] = Callee(answer_after_s=1, script=(When(said("whisper_confirm"), press="1"),))
        callees[lines[keys["ring"]]] = Callee(answer_after_s=_FOR_EVER_S)
        callees[OPERATORS] = callees[self._numbers["screening"]] = Callee(answer_after_s=1)
        callees[self._numbers["calling"]] = Callee(answer_after_s=_FOR_EVER_S)
        return lines

    async def gather(self, place: Place) -> None:
        """Everybody is where they are to be; last who stays there for the shortest time."""
        keys = KEYS["t"]
        self._go("talking", keys["talk"])
        await place.is_talking(keys["talk"])
        later = When(said("choose_waiting"), press="3", after_s=_SETTLED_S * self._cloud.clock.speed)
        for name, key in (("kept", "talk"), ("screening", "screen"), ("calling", "call")):
            self._go(name, keys[key], later)
        self._go("first", keys["talk"])
        self._go("waiting", keys["talk"])
        self._go("ringing", keys["ring"])
        self._go("operator", "0")
        for name, key in (("screening", "screen"), ("calling", "call")):
            await place.call_at(self._numbers[name], "kept")
            await place.resume(keys[key])
            await place.call_at(self._numbers[name], name)
        self._go("message", "*", When("提示音", speak_s=_FOR_EVER_S))
        self._go("contact", "*", When("提示音", speak_s=5), When("", press="#"))
        self._go("question")
        await place.call_at(self._numbers["first"], "waiting")
        self._go("again", "1")

    def _go(self, name: str, key: str = "", *then: When) -> None:
        script = (When("请按", press=key), *then) if key else ()
        self._legs[name] = self._cloud.place_call(self._numbers[name], NUMBER, script=script)

    def told(self) -> set[str]:
        """Calls that heard that the session is closed."""
        words = said("message_session_closed")
        return {call_id_of(leg.sid) for leg in self._legs.values() if any(words in text for text in leg.texts)}

    async def finish(self, place: Place) -> None:
        """Each does what ends the call. The leader does not take the call that rings; who is called back leaves the matter."""
        legs = self._legs
        await legs["question"].press("1")
        await legs["contact"].press("13800000999#")
        (rung,) = legs["ringing"].dialed
        rung.hang_up()
        for name in ("question", "ringing"):
            await legs[name].heard(said("message_session_closed"), 60)
        placed = {leg.parties.to: leg for leg in self._cloud.calls.values() if leg.parties.direction == "outbound-api"}
        placed[self._numbers["calling"]].hang_up()
        screened = placed[self._numbers["screening"]]
        await screened.press("2")
        await place.call_at(self._numbers["screening"], "message")
        for leg in (*legs.values(), screened):
            leg.hang_up()
