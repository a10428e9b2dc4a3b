"""Closing time: everyone who waits is told and becomes a work order; the call that the leader is on is never cut."""

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ivr.verbs import Prompt
from telephony.demo.scenarios import Citizen
from tests.phones import hearing
from tests.phones.baresip import Phone
from tests.system.callers import until_order
from tests.system.crowd import citizens, numbers
from tests.system.installation import Installation
from tests.system.watch import accounted, call_from, ended, hears, live, reaches, seat_is
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

LEADER_HZ = 900.0
WAITING = 5
CLOSES_IN_S = 2.0


async def test_given_callers_waiting_when_cron_closes_the_session_then_all_are_told_and_the_talk_goes_on(
    brisk_house: Installation, tmp_path: Path
) -> None:
    house = brisk_house
    others = Citizen(keys=((2.0, "1"), (14.0, "#")), stay_s=4, callers=numbers(2000, WAITING))
    async with (
        Phone(tmp_path / "leader", "leader", tone_hz=LEADER_HZ) as leader,
        Phone(tmp_path / "talker", "13800000901") as talker,
        Phone(tmp_path / "waiter", "13800000902") as waiter,
    ):
        session_id, seat_id = await house.open_session(leader.address)
        talk_id = await wait_in_line(house, talker)
        await leader.until("CALL_INCOMING")
        await leader.answer()
        await seat_is(house, seat_id, "talking")
        waiter_id = await wait_in_line(house, waiter)
        async with citizens(house, tmp_path / "others", others, WAITING) as crowd:
            await until(lambda: waiting(house, WAITING + 1), 30)
            closes_at = datetime.now(UTC) + timedelta(seconds=CLOSES_IN_S)
            more = {"closes_at": closes_at.isoformat(), "reason": "到点"}
            await house.post(f"/api/sessions/{session_id}/extend", more)
            await hears(house, waiter, Prompt("message_session_closed"))  # cron closes it
            assert datetime.now(UTC) >= closes_at
            await reaches(house, waiter_id, "message")
            await until(lambda: waiting(house, 0), 20)
            await until_order(house, seat_id, [])
            await waiter.hang_up()
            # who waited is being served, and the two are still talking
            assert (await reaches(house, talk_id, "talking")).outcome == "talked"
            assert hearing.tone_share(await talker.listen(1.5), LEADER_HZ) > 0.8
            assert await crowd.done(60) == 0
        await leader.hang_up()
        assert (await ended(house, talk_id))["outcome"] == "talked"
    outcomes = await accounted(house, session_id, WAITING + 2)
    assert outcomes == {"talked": 1, "work_order": WAITING + 1}
    orders = await until(partial(all_orders, house, session_id, WAITING + 2), 20, "their orders")
    assert sorted(order["source"] for order in orders) == ["released"] * (WAITING + 1) + ["talked"]
    assert waiter_id in [order["call_id"] for order in orders]
    assert (await house.get(f"/api/sessions/{session_id}"))["state"] == "closed"
    assert (await house.line())["session"] is None


async def wait_in_line(house: Installation, phone: Phone) -> str:
    await phone.dial(house.service)
    call_id = await call_from(house, f"+86{phone.number}")
    await reaches(house, call_id, "question")
    await phone.press("1")
    await until(lambda: left_the_question(house, call_id))
    return call_id


async def left_the_question(house: Installation, call_id: str) -> bool:
    call = await house.core.calls.get(call_id)
    return call is not None and call.node != "question"


async def all_orders(house: Installation, session_id: str, count: int) -> list[Any]:
    orders = await house.orders(session_id=session_id)
    return orders if len(orders) == count else []


async def waiting(house: Installation, count: int) -> bool:
    nodes = [call.node for call in (await live(house)).values()]
    return nodes.count("waiting") == count
