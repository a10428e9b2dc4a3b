"""Emergency stop with real phones: whoever waits, is being put through or talks is told, and nobody is skipped."""

import asyncio
from pathlib import Path

import pytest

from ivr.verbs import Prompt
from tests.phones.baresip import Phone
from tests.system.callers import until_order
from tests.system.installation import Installation
from tests.system.joining import say_yes
from tests.system.watch import accounted, ended, hears, kinds, reaches, seat_is
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHY = {"reason": "火警"}


async def source_of(house: Installation, call_id: str) -> str:
    """Of the call's one order."""

    async def there() -> str:
        return "".join(order["source"] for order in await house.orders(call_id=call_id))

    return await until(there, 30, "the order")


async def test_a_stop_ends_the_talk_after_a_sentence_to_both_and_releases_who_waits(
    brisk_house: Installation, tmp_path: Path
) -> None:
    house = brisk_house
    async with (
        Phone(tmp_path / "leader", "leader", tone_hz=900.0, answers="auto") as leader,
        Phone(tmp_path / "one", "13812350001") as one,
        Phone(tmp_path / "two", "13812350002") as two,
    ):
        session_id, seat_id = await house.open_session(leader.address)
        talking = await say_yes(house, one)
        await seat_is(house, seat_id, "talking")
        waiting = await say_yes(house, two)
        await reaches(house, waiting, "waiting")
        await house.post(f"/api/sessions/{session_id}/stop", WHY)
        await asyncio.gather(
            hears(house, one, Prompt("goodbye_session_stopped"), Prompt("goodbye")),
            hears(house, leader, Prompt("stopped_leader")),
            hears(house, two, Prompt("message_session_stopped")),
        )
        for phone in (one, leader):
            await phone.until("CALL_CLOSED", 30)
        await two.hang_up()
        assert await accounted(house, session_id, 2) == {"talked": 1, "work_order": 1}
        assert (await source_of(house, talking), await source_of(house, waiting)) == ("callback", "released")
        await seat_is(house, seat_id, "closed")
    assert kinds(await ended(house, talking)).count("talked") == 1


async def test_a_stop_reaches_who_is_being_put_through(brisk_house: Installation, tmp_path: Path) -> None:
    """While the leader's phone rings, and while the leader hears the whisper: it falls silent, and the caller is told."""
    house = brisk_house
    for number, answers in enumerate((False, True), 3):
        async with (
            Phone(tmp_path / f"leader{number}", "leader") as leader,
            Phone(tmp_path / f"citizen{number}", f"1381235000{number}") as citizen,
        ):
            session_id, seat_id = await house.open_session(leader.address)
            call_id = await say_yes(house, citizen)
            await leader.until("CALL_INCOMING", 30)
            if answers:
                await leader.answer()
                await leader.until("CALL_ESTABLISHED")
            await house.post(f"/api/sessions/{session_id}/stop", WHY)
            await leader.until("CALL_CLOSED", 30)
            await hears(house, citizen, Prompt("message_session_stopped"))
            await citizen.hang_up()
            assert await accounted(house, session_id, 1) == {"work_order": 1}
            assert await source_of(house, call_id) == "released"
            await until_order(house, seat_id, [])


