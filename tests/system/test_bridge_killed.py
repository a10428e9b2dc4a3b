"""kill -9 of the bridge with callers in every state: after the restart everyone is where they were."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from telephony.demo.scenarios import Citizen, Leader
from tests.system.callers import counted, nodes
from tests.system.crowd import a_leader, citizens, numbers
from tests.system.installation import Installation
from tests.waiting import until


async def order(house: Installation, seat_id: str) -> list[str]:
    return [caller.call_id for caller in await house.core.line.callers(seat_id)]


async def has(house: Installation, expected: dict[str, int]) -> bool:
    return counted(await nodes(house)) == expected


async def all_closed(house: Installation, session_id: str, calls: int) -> Any:
    """The ledger once every call has its outcome."""
    ledger = await house.ledger(session_id=session_id)
    return ledger if sum(ledger["outcomes"].values()) == calls else None


async def outlive(house: Installation, node_of: dict[str, str]) -> None:
    """Nobody goes anywhere for longer than the lease that the old bridge had given."""
    end = asyncio.get_running_loop().time() + house.settings.channel_lease_s + 1

    async def over() -> bool:
        assert await nodes(house) == node_of
        return asyncio.get_running_loop().time() > end

    await until(over, house.settings.channel_lease_s + 5)


@pytest.fixture
async def house(tmp_path: Path, shared: Path) -> AsyncIterator[Installation]:
    """Short leases, so that a test can outlive them."""
    async with Installation(tmp_path / "hotline", shared, {"HOTLINE_CHANNEL_LEASE_S": "12"}) as installation:
        yield installation


async def test_given_callers_in_every_state_when_the_bridge_is_killed_then_nobody_is_moved(
    house: Installation, tmp_path: Path
) -> None:
    leader, address = a_leader(tmp_path, Leader(ring_s=0.2, talk_s=300))
    session_id, seat_id = await house.open_session(address)
    waiting = Citizen(keys=((1.5, "1"),), stay_s=300, callers=numbers(0, 13))
    speaking = Citizen(keys=((1.5, "2"),), stay_s=300, callers=numbers(100, 4))
    async with (
        leader,
        citizens(house, tmp_path / "w", waiting, 13),
        citizens(house, tmp_path / "m", speaking, 4),
    ):
        expected = {"talking": 1, "waiting": 12, "message": 4}
        await until(lambda: has(house, expected), 60)
        before, line = await nodes(house), await order(house, seat_id)
        token = (await house.core.seats.state(seat_id)).token
        await house.kill("bridge")
        await house.core.redis.delete(f"{house.settings.redis_prefix}health:bridge:{house.settings.pbx_node}")
        await house.start("bridge")
        await house.until_driven()
        channels = await house.asterisk.command("core show channels count")
        assert "18 active channels" in channels
        assert await nodes(house) == before
        assert await order(house, seat_id) == line
        seat: Any = await house.core.seats.state(seat_id)
        assert (seat.state, seat.token) == ("talking", token)
        # and the new bridge really drives them: longer than the lease that the old one gave them
        await outlive(house, before)
        await house.asterisk.command("channel request hangup all")
    closed = await until(lambda: all_closed(house, session_id, 17), 60)
    assert closed["unaccounted"] == 0
    assert closed["outcomes"] == {"talked": 1, "abandoned": 12, "work_order": 4}
    orders = await house.orders()
    assert len(orders) == len({item["call_id"] for item in orders}) == 17
