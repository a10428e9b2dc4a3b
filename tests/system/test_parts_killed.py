"""kill -9 of each part alone, with callers in every state: nobody is moved, nothing is lost or done twice."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from telephony.demo.scenarios import Citizen, Leader
from tests.system.callers import (
    WatchedLeader,
    channels,
    end_all,
    line_of,
    nodes,
    outlive,
    until_closed,
    until_nodes,
    until_order,
    until_orders,
)
from tests.system.crowd import citizens, numbers
from tests.system.installation import Installation
from tests.waiting import until

PATIENT = {"HOTLINE_ASK_TIMEOUT_S": "200", "HOTLINE_CHANNEL_LEASE_S": "20", "HOTLINE_RING_S": "15"}
STAYS_S = 300.0


@pytest.fixture
async def house(tmp_path: Path, shared: Path) -> AsyncIterator[Installation]:
    """A question and an order's number that are waited for as long as it takes."""
    async with Installation(tmp_path / "hotline", shared, PATIENT) as installation:
        yield installation


async def test_given_twenty_callers_in_every_state_when_each_part_is_killed_then_nobody_is_moved(
    house: Installation, tmp_path: Path
) -> None:
    leader = WatchedLeader(tmp_path / "leader", Leader(ring_s=0.2, talk_s=STAYS_S))
    session_id, seat_id = await house.open_session(leader.address)
    groups = {
        "w": (Citizen(callers=numbers(0, 12), keys=((1.5, "1"),), stay_s=STAYS_S), 12),
        "q": (Citizen(callers=numbers(100, 3), stay_s=STAYS_S), 3),
        "m": (Citizen(callers=numbers(200, 3), keys=((1.5, "2"),), stay_s=STAYS_S), 3),
        "o": (Citizen(callers=numbers(300, 2), keys=((1.5, "2"), (4.0, "#"), (4.0, "#")), stay_s=STAYS_S), 2),
    }
    async with leader.phone, AsyncExitStack() as crowds:
        for name, (who, count) in groups.items():
            await crowds.enter_async_context(citizens(house, tmp_path / name, who, count))
        before = await until_nodes(house, 45, talking=1, waiting=11, question=3, message=3, order=2)
        line = await line_of(house, seat_id, 11)
        for part in ("api", "worker", "cron", "bridge"):
            await house.kill(part)
            assert await nodes(house) == before, part
            if part == "bridge":
                await house.core.redis.delete(f"{house.settings.redis_prefix}health:bridge:pbx1")
            await house.start(part)
            await house.until_driven()
            assert await nodes(house) == before, part
            await until_order(house, seat_id, line)
        await outlive(house, before, house.settings.channel_lease_s + 1)
        await until_order(house, seat_id, line)
        assert (leader.rung, await channels(house)) == (1, 21)
        await until(house.api_answers, 30, "the api")
        await end_all(house)
        outcomes = await until_closed(house, session_id, 20)
    assert outcomes == {"talked": 1, "abandoned": 14, "work_order": 5}
    # Who hung up at the question said nothing yet; everybody else has one line_of, order, with what they said.
    orders = await until_orders(house, 17, "dispatched")
    assert len(orders) == 17
