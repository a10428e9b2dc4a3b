"""Callers who do not wait, or cannot: what they said becomes a work order, however they leave. All call at once."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from ivr.verbs import Prompt
from telephony.asterisk.spool import seconds_of
from telephony.demo.scenarios import write_tone
from tests.phones import hearing
from tests.phones.baresip import Phone
from tests.system.callers import until_order
from tests.system.installation import Installation
from tests.system.joining import is_asked
from tests.system.stories import Told, named, side_by_side
from tests.system.watch import (
    ended,
    hears,
    kinds,
    number_spoken,
    order_of,
    reaches,
    recorded,
    recording_of,
    session,
)
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

MATTER_HZ = 620.0
TAG = "熱線問政"


async def dial(house: Installation, phone: Phone) -> str:
    """Dials and waits for the question; the call's id."""
    call_id = await is_asked(house, phone)
    await hears(house, phone, Prompt("greeting", {"city": house.settings.city}))
    return call_id


async def speaks(house: Installation, call_id: str, seconds: float) -> None:
    """Waits until the message holds that much."""
    call = await reaches(house, call_id, "message", 40)
    file = house.settings.recordings / f"{call.recording}.wav"
    await until(lambda: seconds_of(file) > seconds, 40, "a message that long")


async def order_with_the_matter(house: Installation, call_id: str) -> Any:
    """The one order of the call: it has the tag and its recording holds the tone that was spoken."""
    order = await order_of(house, call_id)
    assert (order["tags"], order["source"], order["unit"]) == ([TAG], "declined", "市住建局")
    recording = await recording_of(house, order)
    assert recording.state == "ready"
    assert recording.duration_s is not None
    assert recording.duration_s > 1.4
    assert hearing.tone_share(recorded(house, recording), MATTER_HZ) > 0.8
    return order


async def presses_2_speaks_and_ends_with_hash_hears_the_number_of_an_order_that_holds_it(
    house: Installation, folder: Path
) -> None:
    async with Phone(folder, "13800000201", tone_hz=MATTER_HZ) as citizen:
        call_id = await dial(house, citizen)
        await citizen.press("2")
        await hears(house, citizen, Prompt("message_declined"), Prompt("message_what"))
        await speaks(house, call_id, 1.5)
        await citizen.press("#")
        order = await order_with_the_matter(house, call_id)
        await hears(house, citizen, *number_spoken(order["number"]), within_s=30)
        await citizen.hang_up()
    call = await ended(house, call_id)
    assert call["outcome"] == "work_order"
    assert kinds(call) == ["arrived", "message", "closed"]
    assert call["order_number"] == order["number"]


async def hangs_up_in_mid_message_has_an_order_with_what_was_said(house: Installation, folder: Path) -> None:
    async with Phone(folder, "13800000202", tone_hz=MATTER_HZ) as citizen:
        call_id = await dial(house, citizen)
        await citizen.press("2")
        await speaks(house, call_id, 1.5)
        await citizen.hang_up()
        assert (await ended(house, call_id))["outcome"] == "work_order"
    await order_with_the_matter(house, call_id)


async def presses_nothing_and_says_nothing_has_an_order_all_the_same(house: Installation, folder: Path) -> None:
    silence = write_tone(folder / "silence.wav", 0.0, 90.0)
    async with Phone(folder, "13800000203", speech=silence) as citizen:
        call_id = await dial(house, citizen)
        await hears(house, citizen, Prompt("not_understood"), Prompt("message_silence"), within_s=40)
        await reaches(house, call_id, "order", 60)
        order = await order_of(house, call_id)
        await hears(house, citizen, *number_spoken(order["number"]), within_s=30)
        await citizen.hang_up()
        assert (await ended(house, call_id))["outcome"] == "work_order"
    assert (order["tags"], order["source"]) == ([TAG], "declined")


async def presses_a_wrong_key_twice_is_asked_for_the_matter(house: Installation, folder: Path) -> None:
    async with Phone(folder, "13800000204", tone_hz=MATTER_HZ) as citizen:
        call_id = await dial(house, citizen)
        await citizen.press("7")
        await hears(house, citizen, Prompt("not_understood"), Prompt("choose_line"))
        await citizen.press("9")
        await hears(house, citizen, Prompt("message_silence"), within_s=30)
        await speaks(house, call_id, 1.5)
        await citizen.press("#")
        order = await order_of(house, call_id)
        await hears(house, citizen, *number_spoken(order["number"]), within_s=30)
        await citizen.hang_up()
        assert (await ended(house, call_id))["outcome"] == "work_order"
    await order_with_the_matter(house, call_id)


async def hangs_up_while_waiting_is_abandoned_and_has_an_order_to_call_them_back(
    house: Installation, folder: Path
) -> None:
    async with Phone(folder, "13800000205") as citizen:
        call_id = await dial(house, citizen)
        await citizen.press("1")
        call = await reaches(house, call_id, "waiting")

        async def in_line() -> bool:
            return await house.core.line.position(call.seat_id, call_id) == 1

        await until(in_line)
        await citizen.hang_up()
        assert (await ended(house, call_id))["outcome"] == "abandoned"
        await until_order(house, call.seat_id, [])
    order = await order_of(house, call_id)
    assert (order["tags"], order["source"], order["recordings"]) == ([TAG], "abandoned", [])
    assert order["petitioner"] == "138****0205"


STORIES = named(
    presses_2_speaks_and_ends_with_hash_hears_the_number_of_an_order_that_holds_it,
    hangs_up_in_mid_message_has_an_order_with_what_was_said,
    presses_nothing_and_says_nothing_has_an_order_all_the_same,
    presses_a_wrong_key_twice_is_asked_for_the_matter,
    hangs_up_while_waiting_is_abandoned_and_has_an_order_to_call_them_back,
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told(brisk_house: Installation, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Told]:
    async with (
        session(brisk_house, sign_in=False),
        side_by_side(brisk_house, tmp_path_factory.mktemp("message"), STORIES) as running,
    ):
        yield running


@pytest.mark.parametrize("story", STORIES)
async def test_a_caller_who(story: str, told: Told) -> None:
    await told[story]
