"""Director and operators in a talk, with real phones that each speak a tone of their own: who hears whom is measured."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.phones import hearing
from tests.phones.baresip import Phone
from tests.system.installation import Installation
from tests.system.watch import (
    accounted,
    call_from,
    ended,
    kinds,
    order_of,
    reaches,
    recorded,
    recording_of,
    seat_is,
    session,
)
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

CITIZEN_HZ, LEADER_HZ, DIRECTOR_HZ = 500.0, 900.0, 1700.0
TONES = (CITIZEN_HZ, LEADER_HZ, DIRECTOR_HZ)
#: kind -> what citizen, leader and director hear.
BOTH = {CITIZEN_HZ, LEADER_HZ}
HEARD: dict[str, tuple[set[float], set[float], set[float]]] = {
    "listen": ({LEADER_HZ}, {CITIZEN_HZ}, BOTH),
    "whisper": ({LEADER_HZ}, {CITIZEN_HZ, DIRECTOR_HZ}, BOTH),
    "barge": ({LEADER_HZ, DIRECTOR_HZ}, {CITIZEN_HZ, DIRECTOR_HZ}, BOTH),
    "three-way": ({LEADER_HZ, DIRECTOR_HZ}, {CITIZEN_HZ, DIRECTOR_HZ}, BOTH),
}
WHY = "市民情绪激动"


class Talk:
    """A citizen and a leader who talk, and a director who does not yet."""

    def __init__(self, house: Installation, seat_id: str, call_id: str, *phones: Phone) -> None:
        self.house, self.seat_id, self.call_id = house, seat_id, call_id
        self.citizen, self.leader, self.director = phones

    async def ask(self, kind: str, phone: str = "") -> Any:
        path = f"/api/seats/{self.seat_id}/{kind}"
        return await self.house.http.post(path, json={"reason": WHY, "phone": phone or self.director.address})

    async def join(self, kind: str) -> str:
        """The director is in the talk; the id."""
        told = (await self.ask(kind)).raise_for_status().json()
        assert (told["kind"], told["call_id"]) == (kind, self.call_id)
        await self.is_("on", told["id"])
        return str(told["id"])

    async def is_(self, state: str, supervision_id: str) -> Any:
        async def so() -> Any:
            one = await self.house.get(f"/api/seats/{self.seat_id}/supervisions/{supervision_id}")
            return one if one["state"] == state else None

        return await until(so, 30, f"a supervision {state}")

    async def hear(self, *expected: set[float]) -> None:
        """Citizen, leader and director (if asked for) hear exactly these tones."""
        phones = (self.citizen, self.leader, self.director)[: len(expected)]
        found: list[set[float]] = []

        async def so() -> bool:
            heard = await asyncio.gather(*(phone.listen(0.6) for phone in phones))
            found[:] = [{hz for hz in TONES if hearing.tone_share(sound, hz) > 0.2} for sound in heard]
            return found == list(expected)

        await until(so, 30, f"{expected}")

    async def director_is_out(self, times: int) -> None:
        await until(lambda: types(self.director).count("CALL_CLOSED") == times, 30, "the director's phone idle")


def types(phone: Phone) -> list[Any]:
    return [event.get("type") for event in phone.events]


@asynccontextmanager
async def talk(house: Installation, folder: Path, number: str) -> AsyncIterator[tuple[Talk, str]]:
    async with (
        Phone(folder / "leader", "leader", tone_hz=LEADER_HZ, answers="auto") as leader,
        Phone(folder / "citizen", number, tone_hz=CITIZEN_HZ) as citizen,
        Phone(folder / "director", "director", tone_hz=DIRECTOR_HZ, answers="auto") as director,
        session(house, leader.address) as (session_id, seat_id),
    ):
        await citizen.dial(house.service)
        call_id = await call_from(house, f"+86{number}")
        one = Talk(house, seat_id, call_id, citizen, leader, director)
        assert (await one.ask("listen")).json()["code"] == "no_talk"
        await reaches(house, call_id, "question")
        await citizen.press("1")
        await seat_is(house, seat_id, "talking", 40)
        yield one, session_id


async def test_who_hears_whom_and_the_talk_goes_on_whoever_leaves_it(brisk_house: Installation, tmp_path: Path) -> None:
    """Each kind in turn, left by API and by hanging up in turn; the caller hangs up while the director barges in."""
    house = brisk_house
    async with talk(house, tmp_path, "13812340001") as (one, session_id):
        for number, (kind, expected) in enumerate(HEARD.items(), 1):
            supervision_id = await one.join(kind)
            await one.hear(*expected)
            if number % 2:
                path = f"/api/seats/{one.seat_id}/supervisions/{supervision_id}/end"
                assert (await house.post(path))["why"] == "ended"
            else:
                await one.director.hang_up()
                assert (await one.is_("ended", supervision_id))["why"] == "over"
            await one.director_is_out(number)
            await one.hear({LEADER_HZ}, {CITIZEN_HZ})
        for phone in ("sip:spy@198.51.100.7:5060", "sip:web-77@browser", "sip:spy@example.org", "sip:a@127.0.0.1;x"):
            assert (await one.ask("listen", phone)).json()["code"] == "invalid_line"
        await one.join("barge")
        await one.citizen.hang_up()
        await one.director_is_out(5)
        assert await accounted(house, session_id, 1) == {"talked": 1}
        listed = await until(lambda: all_ended(one), 20, "every supervision ended")
        assert [item["kind"] for item in listed] == ["barge", *reversed(HEARD)]
        assert (await one.ask("listen")).json()["code"] == "no_talk"
    assert await until(lambda: noted(house, one.call_id, 5), 20, "who was in the talk, in the ledger")
    call = await ended(house, one.call_id)
    began = [event for event in call["events"] if event["kind"] == "supervised"]
    assert [event["data"]["act"] for event in began] == [*HEARD, "barge"]
    assert {(event["data"]["who"], event["data"]["reason"]) for event in began} == {("admin", WHY)}
    talked = recorded(house, await recording_of(house, await order_of(house, one.call_id)))
    assert 0.01 < hearing.tone_share(talked, DIRECTOR_HZ) < 0.3  # the three-way call alone


async def all_ended(one: Talk) -> list[Any]:
    listed: list[Any] = (await one.house.get(f"/api/seats/{one.seat_id}/supervisions"))["items"]
    return listed if {item["state"] for item in listed} == {"ended"} else []


async def noted(house: Installation, call_id: str, times: int) -> bool:
    found = kinds(await house.get(f"/api/calls/{call_id}"))
    return (found.count("supervision_began"), found.count("supervision_ended")) == (times, times)


async def test_a_three_way_call_ends_with_the_leader_and_who_does_not_answer_is_in_no_talk(
    brisk_house: Installation, tmp_path: Path
) -> None:
    """The caller's call is not kept alive, nor its outcome changed; a bridge that starts anew finds who is in the talk."""
    house = brisk_house
    async with talk(house, tmp_path, "13812340002") as (one, session_id):
        told = (await one.ask("listen", "sip:nobody@127.0.0.1:9")).json()
        await house.post(f"/api/seats/{one.seat_id}/supervisions/{told['id']}/end")
        await one.is_("ended", told["id"])
        supervision_id = await one.join("three-way")
        await house.kill("bridge")
        await house.start("bridge")
        await one.hear(*HEARD["three-way"])
        await house.until_driven()
        await one.leader.hang_up()
        assert (await one.is_("ended", supervision_id))["why"] == "over"
        await one.director_is_out(1)
        await one.citizen.until("CALL_CLOSED", 30)
        assert await accounted(house, session_id, 1) == {"talked": 1}
    assert kinds(await ended(house, one.call_id)).count("talked") == 1
