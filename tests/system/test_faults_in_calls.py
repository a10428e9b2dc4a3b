"""What breaks in the middle of a call: the caller hears an apology, can still say what it is about, and has an order."""

import sqlite3
from pathlib import Path

import pytest

from ivr.verbs import Prompt
from telephony.asterisk.spool import seconds_of
from tests.phones import hearing
from tests.phones.baresip import Phone
from tests.system.installation import Installation
from tests.system.joining import is_asked
from tests.system.watch import ended, hears, order_of, reaches, recorded, recording_of, session
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

MATTER_HZ = 620.0


async def test_given_a_full_disk_when_a_matter_is_recorded_then_the_caller_is_told_and_still_has_an_order(
    brisk_house: Installation, tmp_path: Path
) -> None:
    house = brisk_house
    async with session(house), Phone(tmp_path / "c", "13800000701", tone_hz=MATTER_HZ) as citizen:
        call_id = await is_asked(house, citizen)
        await citizen.press("2")
        call = await reaches(house, call_id, "message")
        # Writing there fails as on a disk without room.
        (house.settings.recordings / f"{call.recording}.wav").symlink_to("/dev/full")
        await hears(house, citizen, Prompt("message_what"))
        await citizen.press("#")
        await hears(house, citizen, Prompt("fallback_sorry"), within_s=40)
        await citizen.hang_up()
        assert (await ended(house, call_id, 30))["outcome"] in {"fallback", "work_order"}
    order = await order_of(house, call_id)
    assert order["tags"] == ["熱線問政"]


async def test_given_a_locked_database_then_the_caller_is_told_that_it_is_kept_and_the_order_comes_afterwards(
    brisk_house: Installation, tmp_path: Path
) -> None:
    house = brisk_house
    async with session(house), Phone(tmp_path / "c", "13800000702", tone_hz=MATTER_HZ) as citizen:
        call_id = await is_asked(house, citizen)
        await citizen.press("2")
        call = await reaches(house, call_id, "message")
        await citizen.press("#")
        file = house.settings.recordings / f"{call.recording}.wav"
        await until(lambda: seconds_of(file) > 1.5, 30, "a message that long")
        holder = sqlite3.connect(house.folder / "hotline.db", isolation_level=None)
        try:
            holder.execute("BEGIN EXCLUSIVE")
            await citizen.press("#")
            await hears(house, citizen, Prompt("goodbye_order_recorded"), within_s=40)
            await citizen.until("CALL_CLOSED", 30)
        finally:
            holder.close()
        assert (await ended(house, call_id, 40))["outcome"] == "work_order"
    order = await order_of(house, call_id, within_s=60)
    assert hearing.tone_share(recorded(house, await recording_of(house, order)), MATTER_HZ) > 0.8


async def test_given_redis_is_lost_in_mid_call_then_the_caller_hears_sorry_and_what_is_said_becomes_an_order(
    brisk_house: Installation, tmp_path: Path
) -> None:
    house = brisk_house
    async with session(house), Phone(tmp_path / "c", "13800000703", tone_hz=MATTER_HZ) as citizen:
        call_id = await is_asked(house, citizen)
        house.redis.kill()
        await citizen.press("2")
        await hears(house, citizen, Prompt("fallback_sorry"), Prompt("message_what"), within_s=40)
        await until(lambda: seconds_of(house.folder / "spool" / f"{call_id}.wav") > 1.5, 40, "a message that long")
        await citizen.hang_up()
        house.redis.start()
        assert (await ended(house, call_id, 60))["outcome"] == "fallback"
        order = await order_of(house, call_id, within_s=60)
    assert hearing.tone_share(recorded(house, await recording_of(house, order)), MATTER_HZ) > 0.8
