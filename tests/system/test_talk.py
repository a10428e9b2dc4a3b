"""A citizen and a leader with two real SIP phones: question, key, music, ring, talk, recording, ledger, order, inbox."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.phones import hearing
from tests.phones.baresip import Phone
from tests.system.conftest import brisk
from tests.system.installation import Installation
from tests.system.watch import (
    accounted,
    call_from,
    ended,
    inbox_of,
    kinds,
    order_of,
    recorded,
    recording_of,
    seat_is,
    session,
)
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

CITIZEN_HZ, LEADER_HZ = 500.0, 900.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> AsyncIterator[Installation]:
    """Whose leader's phone rings for as long as it takes to hear the music."""
    async with brisk(tmp_path_factory.mktemp("house"), shared, HOTLINE_RING_S="40", HOTLINE_CLAIM_LEASE_S="60") as installation:
        yield installation


async def test_given_a_free_leader_when_a_citizen_presses_1_then_both_hear_each_other(
    house: Installation, tmp_path: Path
) -> None:
    async with (
        Phone(tmp_path / "leader", "leader", tone_hz=LEADER_HZ) as leader,
        Phone(tmp_path / "citizen", "13812345678", tone_hz=CITIZEN_HZ) as citizen,
        session(house, leader.address) as (session_id, seat_id),
    ):
        await citizen.dial(house.service)
        await citizen.until("CALL_ESTABLISHED")
        await until(lambda: hearing.describe(citizen.heard(2.0)).is_speech_like, 20, "speech")
        call_id = await call_from(house, "+8613812345678")
        await citizen.press("1")
        await leader.until("CALL_INCOMING")
        await hears_music(house, citizen)
        await leader.answer()
        await seat_is(house, seat_id, "talking")
        heard_by_citizen, heard_by_leader = await citizen.listen(2.0), await leader.listen(2.0)
        assert hearing.tone_share(heard_by_citizen, LEADER_HZ) > 0.8
        assert hearing.tone_share(heard_by_leader, CITIZEN_HZ) > 0.8
        await leader.hang_up()
        await citizen.until("CALL_CLOSED")
        assert await accounted(house, session_id, 1) == {"talked": 1}
    call = await ended(house, call_id)
    assert kinds(call) == ["arrived", "willing", "offered", "connected", "talked", "closed"]
    await check_order(house, call_id, session_id)


async def hears_music(house: Installation, phone: Phone) -> None:
    """Two seconds of our hold music, without a pause."""
    music = hearing.read(house.folder / "moh" / "hold.wav")
    await until(lambda: hearing.find(music, phone.heard(0.4)) is not None, 10, "hold music")
    heard = await phone.listen(2.0)
    sound = hearing.describe(heard)
    assert not sound.is_silent
    assert sound.activity > 0.9
    assert hearing.find(music, heard) is not None


async def check_order(house: Installation, call_id: str, session_id: str) -> None:
    """One order with the tag, its recording finished by the job, delivered to the unit of the seat."""
    order = await order_of(house, call_id)
    assert (order["tags"], order["source"], order["session_id"]) == (["熱線問政"], "talked", session_id)
    assert order["id"] in [item["id"] for item in await house.orders(tag="热线问政")]
    recording = await recording_of(house, order)
    talk = recorded(house, recording)
    assert hearing.tone_share(talk, CITIZEN_HZ) + hearing.tone_share(talk, LEADER_HZ) > 0.7
    assert min(hearing.tone_share(talk, hz) for hz in (CITIZEN_HZ, LEADER_HZ)) > 0.2
    file = house.settings.recordings / recording.path
    assert (recording.state, recording.sha256) == ("ready", hashlib.sha256(file.read_bytes()).hexdigest())
    assert recording.duration_s == pytest.approx(talk.size / hearing.RATE, abs=0.1)
    assert talk.size > 2 * hearing.RATE
    assert (order["unit"], len(await inbox_of(house, order))) == ("市住建局", 1)
