"""Citizen and leader in two browsers, and each with a SIP phone on the other side: every sound is measured where it is heard."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.phones import hearing
from tests.phones.baresip import Phone
from tests.phones.browser import BrowserPhone, Chromiums
from tests.phones.hall import BROWSER_LINE, CITIZEN_HZ, LEADER, LEADER_HZ, UNIT, Hall, gate_of
from tests.system.conftest import brisk, shared
from tests.system.installation import Installation
from tests.system.watch import accounted, call_from, ended, kinds, order_of, recorded, recording_of, seat_is, session
from tests.waiting import until

__all__ = ["shared"]

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> AsyncIterator[Installation]:
    async with brisk(tmp_path_factory.mktemp("browsers"), shared) as installation:
        await gate_of(installation).accounts.create(LEADER, "leader", unit=UNIT)
        await gate_of(installation).accounts.create("op", "operator")
        yield installation


@pytest_asyncio.fixture(loop_scope="module")
async def hall(house: Installation, chromiums: Chromiums, tmp_path: Path) -> AsyncIterator[Hall]:
    async with AsyncExitStack() as stack:
        yield Hall(house, tmp_path, stack, chromiums)


async def test_citizen_and_leader_in_two_browsers(house: Installation, hall: Hall) -> None:
    """Neither has a mouse."""
    async with session(house, BROWSER_LINE) as (session_id, seat_id):
        leader, citizen = await hall.leader(seat_id), await hall.citizen()
        await citizen.act_by_key("dial")
        await citizen.until("talking")
        assert hearing.describe(await citizen.listen(2.0)).is_speech_like
        call_id = await call_from(house, "+86" + (await citizen.says())["number"])
        await citizen.page.keyboard.press("1")
        await leader.until("ringing")
        await leader.act_by_key("answer")
        await seat_is(house, seat_id, "talking")
        await both_hear(citizen, leader)
        assert [await one.encrypts() for one in (citizen, leader)] == [True, True]
        await leader.act_by_key("hang-up")
        await citizen.until("ready")
        await leader.until("ready")
        assert await accounted(house, session_id, 1) == {"talked": 1}
    assert kinds(await ended(house, call_id)) == ["arrived", "willing", "offered", "connected", "talked", "closed"]
    order = await order_of(house, call_id)
    talk = recorded(house, await recording_of(house, order))
    assert min(hearing.tone_share(talk, hz) for hz in (CITIZEN_HZ, LEADER_HZ)) > 0.2
    assert not leader.complaints + citizen.complaints


async def test_a_sip_phone_calls_a_leader_in_the_browser(house: Installation, hall: Hall) -> None:
    """The order is at the desk as soon as it is made."""
    async with session(house, BROWSER_LINE) as (session_id, seat_id):
        leader, citizen = await hall.leader(seat_id), await hall.sip("13812345678", CITIZEN_HZ)
        await citizen.dial(house.service)
        await citizen.until("CALL_ESTABLISHED")
        assert hearing.describe(await citizen.listen(2.0)).is_speech_like
        call_id = await call_from(house, "+8613812345678")
        await citizen.press("1")
        await leader.until("ringing")
        await leader.act("answer")
        await seat_is(house, seat_id, "talking")
        await both_hear(citizen, leader)
        desk = await hall.desk_of("op", call_id)
        await citizen.hang_up()
        await leader.until("ready")
        assert await accounted(house, session_id, 1) == {"talked": 1}
        order = await order_of(house, call_id)
        await expect(desk.page.locator("#made-order")).to_have_text(order["number"], timeout=30_000)
        assert not leader.complaints + desk.complaints


async def test_a_citizen_in_the_browser_calls_a_leader_with_a_sip_phone(house: Installation, hall: Hall) -> None:
    leader = await hall.sip("leader", LEADER_HZ)
    async with session(house, leader.address) as (session_id, seat_id):
        citizen = await hall.citizen()
        await citizen.act("dial")
        await citizen.until("talking")
        await citizen.press("1")
        await leader.until("CALL_INCOMING")
        await leader.answer()
        await seat_is(house, seat_id, "talking")
        await both_hear(citizen, leader)
        await citizen.act("hang-up")
        await leader.until("CALL_CLOSED")
        assert await accounted(house, session_id, 1) == {"talked": 1}


async def test_a_leader_who_does_not_answer_or_is_muted(house: Installation, hall: Hall) -> None:
    """Ringing ends by itself and the caller is at the head again; who is muted is not heard, by whichever microphone, and sees it
    at the meter; in the next call nobody is muted."""
    async with session(house, BROWSER_LINE) as (_, seat_id):
        leader, citizen = await hall.leader(seat_id), await hall.citizen()
        await citizen.act("dial")
        await citizen.press("1")
        await leader.until("ringing")
        await seat_is(house, seat_id, "paused")
        await leader.until("ready")
        await house.post(f"/api/seats/{seat_id}/resume")
        await leader.until("ringing")
        await leader.act("answer")
        await both_hear(citizen, leader)
        assert min([await leader.level(meter) for meter in ("spoken", "heard")]) > 20
        await leader.act("mute")
        await falls_silent(citizen)
        assert await leader.level("spoken") == 0
        await leader.take_another_microphone()
        await leader.take_another_loudspeaker()
        assert hearing.tone_share(await citizen.listen(0.5), LEADER_HZ) == 0.0, "another microphone is muted, too"
        await leader.act("mute")
        await both_hear(citizen, leader)
        await leader.act("mute")
        await citizen.act("hang-up")
        await leader.until("ready")
        await citizen.act("dial")
        await citizen.press("1")
        await leader.until("ringing")
        await leader.act("answer")
        await both_hear(citizen, leader)
        await citizen.act("hang-up")
        await leader.until("ready")
        assert not leader.complaints + citizen.complaints


async def falls_silent(phone: BrowserPhone) -> None:
    async def silent() -> bool:
        return hearing.tone_share(await phone.listen(0.3), LEADER_HZ) == 0.0

    await until(silent, 10, "silence")


async def both_hear(citizen: BrowserPhone | Phone, leader: BrowserPhone | Phone) -> None:
    """Each hears the other's tone and little else."""

    async def hear() -> bool:
        by_citizen = hearing.tone_share(await citizen.listen(1.0), LEADER_HZ)
        by_leader = hearing.tone_share(await leader.listen(1.0), CITIZEN_HZ)
        return min(by_citizen, by_leader) > 0.8

    await until(hear, 12, "both hear each other")
