"""A hang-up at any moment: whether two talked is what Asterisk says, however late it is asked."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from redis.exceptions import RedisError

from calls.turn import Turn
from config.settings import Settings
from ivr.call import Call, NodeName
from ivr.events import AnyEvent
from ivr.facts import Facts
from ivr.flow import advance, present
from telephony.asterisk import leg_turns
from telephony.asterisk.connection import Event
from telephony.asterisk.exchange import Exchange
from telephony.asterisk.leg import Leg
from telephony.asterisk.legs import Legs
from telephony.asterisk.resync import take_up
from telephony.errors import CallGone
from tests.unit.ivr.scene import NOW, OPEN
from tests.waiting import until

CALL, UNIQUEID, NAME = "a-pbx1-7-1", "pbx1-7.1", "PJSIP/caller-1"
LEADER = "pbx1-7.2"
DIALLED = {"Event": "DialBegin", "Uniqueid": UNIQUEID, "DestUniqueid": LEADER}
TOGETHER = {"Event": "BridgeEnter", "Uniqueid": UNIQUEID, "BridgeNumChannels": "2"}
TALK_LEFT = {"Event": "UserEvent", "UserEvent": "HotlineTalked", "Uniqueid": UNIQUEID, "Seconds": "12.5"}
HANGUP = {"Event": "Hangup", "Uniqueid": UNIQUEID}


class Pbx:
    """An Asterisk with one caller. `done` holds what it was told, in order."""

    def __init__(self) -> None:
        self.variables: dict[str, str] = {}
        self.gone = False
        self.done: list[tuple[str, str]] = []
        self.context = "connect"
        #: What happens while the channels are told.
        self.meanwhile: Callable[[], None] = lambda: None

    def may_act(self) -> bool:
        return True

    async def action(self, name: str, fields: dict[str, str]) -> Any:
        if self.gone:
            raise CallGone("No such channel")
        self.done.append((name, fields.get("Variable", fields.get("Context", ""))))
        if name == "Setvar":
            self.variables[fields["Variable"]] = fields["Value"]
        return SimpleNamespace(value=self.variables.get(fields.get("Variable", ""), ""))

    async def listing(self, name: str) -> list[Event]:
        told = {"Uniqueid": UNIQUEID, "Channel": NAME, "Context": self.context, "Linkedid": UNIQUEID, "BridgeId": ""}
        channels: list[Event] = [] if self.gone else [told]
        self.meanwhile()
        return channels


class Saved:
    """Calls and their turns, in memory."""

    def __init__(self, pbx: Pbx, call: Call) -> None:
        self.call, self._pbx = call, pbx
        self.seconds = -1.0
        self.away = False

    async def get(self, call_id: str) -> Call:
        return self.call

    async def present(self, call_id: str) -> Turn:
        return Turn(self.call, present(self.call, OPEN))

    async def take_turn(self, call_id: str, make: Callable[[Facts], AnyEvent], seen: int | None = None) -> Turn:
        if self.away:
            raise RedisError
        event = make(OPEN)
        self.seconds = getattr(event, "seconds", self.seconds) if type(event).__name__ == "TalkEnded" else self.seconds
        before = self.call
        self.call, _ = advance(before, event)
        if self.call is not before:
            self._pbx.done.append(("turn", self.call.node))
        return await self.present(call_id)


class House:
    """One bridge's legs on that Asterisk, with a call at this node."""

    def __init__(self, folder: Path, node: NodeName) -> None:
        call = Call(CALL, "asterisk", NOW - 60, number="+8613900000001", node=node, seq=9, scene=9, seat_id="seat-1")
        self.pbx = Pbx()
        self.saved = Saved(self.pbx, Call(**{**_fields(call), "token": 3, "joined_at": NOW - 50, "leader_line": "sip:a@b"}))
        settings = Settings(state_dir=folder, _env_file=None)
        parts = (self.pbx, self.saved, self.saved, SimpleNamespace(audio=_no_sounds), None)
        self.exchange = Exchange(settings, *cast(Any, parts))
        self.legs = Legs(self.exchange)

    def hears(self, *events: Event) -> None:
        for event in events:
            self.legs.route(event)

    async def is_over(self) -> None:
        await until(lambda: not len(self.legs))


def _fields(call: Call) -> dict[str, Any]:
    return {name: getattr(call, name) for name in call.__struct_fields__}


async def _no_sounds(*_: object) -> list[Path]:
    return []


def ringing(folder: Path) -> House:
    """The bridge has seen from the beginning how the leader is rung."""
    house = House(folder, "ringing")
    house.legs.add(Leg(house.exchange, CALL, NAME, UNIQUEID))
    house.hears(DIALLED)
    return house


async def test_given_a_bridge_that_hears_of_a_talk_when_the_caller_has_gone_then_they_have_talked(tmp_path: Path) -> None:
    house = ringing(tmp_path)
    house.pbx.gone = True
    house.hears(TOGETHER, TALK_LEFT, HANGUP)
    await house.is_over()
    assert (house.saved.call.outcome, house.saved.seconds) == ("talked", 12.5)


async def test_given_two_who_were_never_put_together_then_the_whisper_was_no_talk(tmp_path: Path) -> None:
    house = ringing(tmp_path)
    house.hears(TALK_LEFT, HANGUP)
    await house.is_over()
    assert house.saved.call.outcome == "abandoned"


async def test_given_redis_is_away_when_the_leader_answers_then_the_talk_is_not_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leg_turns, "PATIENCE_S", 0.0)
    house = ringing(tmp_path)
    house.pbx.variables["HOTLINE_TALK_FROM"] = "7.0"
    house.saved.away = True
    house.hears(TOGETHER)
    await house.is_over()  # the audit takes it up
    assert "Redirect" not in [name for name, _ in house.pbx.done]


async def test_given_an_attempt_that_failed_then_it_is_forgotten_only_when_it_is_saved(tmp_path: Path) -> None:
    house = House(tmp_path, "ringing")
    leg = Leg(house.exchange, CALL, NAME, UNIQUEID)
    house.pbx.variables["HOTLINE_RESULT"] = "no_answer"
    await leg.talk.come_back(house.saved.call)
    leg.stage.stop()
    assert house.pbx.done.index(("turn", "waiting")) < house.pbx.done.index(("Setvar", "HOTLINE_RESULT"))


@pytest.mark.parametrize("node", ["waiting", "ringing", "talking"])
async def test_given_a_talk_before_the_fallback_when_a_bridge_comes_back_then_it_is_known(
    tmp_path: Path, node: NodeName
) -> None:
    house = House(tmp_path, node)
    house.pbx.context = "fallback"
    house.pbx.variables |= {"HOTLINE_RESULT": "talked", "HOTLINE_TALK_S": "41.5"}
    await take_up(house.exchange, house.legs, await house.pbx.listing("CoreShowChannels"))
    await until(lambda: house.saved.call.node == "goodbye")
    house.hears(HANGUP)
    await house.is_over()
    assert house.saved.seconds == 41.5
    assert "fallback" not in [node for _, node in house.pbx.done]


async def test_given_a_caller_who_goes_while_the_channels_are_looked_at_then_the_audit_has_the_last_word(
    tmp_path: Path,
) -> None:
    house = House(tmp_path, "ringing")
    channels = await house.pbx.listing("CoreShowChannels")
    house.pbx.gone = True
    await take_up(house.exchange, house.legs, channels)
    assert (len(house.legs), house.saved.call.node) == (0, "ringing")


async def test_given_a_caller_who_goes_before_anything_could_be_asked_then_the_audit_has_the_last_word(
    tmp_path: Path,
) -> None:
    house = House(tmp_path, "ringing")
    house.pbx.context = "service"

    def goes() -> None:
        house.pbx.gone = True
        house.hears(HANGUP)

    channels = await house.pbx.listing("CoreShowChannels")
    house.pbx.meanwhile = goes
    await take_up(house.exchange, house.legs, channels)
    await house.is_over()
    assert house.saved.call.node == "ringing"


async def test_given_a_channel_that_comes_into_agi_while_it_is_taken_up_then_it_has_one_leg(tmp_path: Path) -> None:
    house = House(tmp_path, "waiting")
    house.pbx.context = "service"
    start = {"Event": "AsyncAGIStart", "Uniqueid": UNIQUEID, "Channel": NAME, "Context": "service"}
    channels = await house.pbx.listing("CoreShowChannels")
    house.pbx.meanwhile = lambda: house.hears(start)
    assert await take_up(house.exchange, house.legs, channels) == 1
    [leg] = house.legs.all()
    assert house.legs.of(CALL) is leg
    await house.legs.let_go()
