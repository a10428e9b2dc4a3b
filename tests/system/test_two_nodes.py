"""Grown: every part a process on a Redis Cluster of three nodes, the job queue on a server of its own. Two Asterisk nodes, a
bridge each, one line: callers of both in the order of joining; the leader's telephone is behind one of them, and the other
reaches it over the trunk between the two."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from config.secrets import secret
from telephony.demo.scenarios import Citizen, Leader
from tests.integration.growth.servers import cluster
from tests.servers import redis_server
from tests.system.callers import WatchedLeader, line_of, until_closed
from tests.system.crowd import citizens
from tests.system.installation import Installation
from tests.system.watch import BRISK
from tests.waiting import until

WAITS = ((1.0, "1"),)
#: The leader's telephone at the node that reaches it.
BRANCH = "801"


@dataclass
class Town:
    """`east` has everything; `west` is a node that shares Redis and database with it, and has the leader's telephone."""

    east: Installation
    west: Installation
    leader: WatchedLeader


@pytest.fixture
async def town(tmp_path: Path, shared: Path) -> AsyncIterator[Town]:
    leader = WatchedLeader(tmp_path / "leader", Leader(ring_s=0.2, talk_s=6.0))
    async with AsyncExitStack() as stack:
        redis = stack.enter_context(cluster(tmp_path / "cluster"))
        queue = stack.enter_context(redis_server(tmp_path / "queue"))
        grown = {
            **BRISK,
            "HOTLINE_REDIS_URL": f"redis+cluster://{','.join(f'127.0.0.1:{node.port}' for node in redis)}",
            "HOTLINE_JOBS_REDIS_URL": queue.url,
        }
        east = await stack.enter_async_context(Installation(tmp_path / "east", shared, grown))
        both = {
            **grown,
            "HOTLINE_DATABASE_URL": east.settings.effective_database_url,
            "HOTLINE_DATA_KEY": secret(east.settings, "data_key"),
            "HOTLINE_PBX_NODE": "pbx2",
            "HOTLINE_BRANCH_LINES": f"{BRANCH}={leader.address}",
        }
        west = await stack.enter_async_context(Installation(tmp_path / "west", shared, both, parts=("bridge",)))
        yield Town(east, west, leader)


async def test_given_callers_on_two_nodes_when_the_leader_sits_at_one_then_all_are_put_through_in_the_order_of_joining(
    town: Town, tmp_path: Path
) -> None:
    line = f"sip:{BRANCH}@{town.west.target}"
    session_id, seat_id = await town.east.open_session(line, sign_in=False)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(town.leader.phone)
        for n, house in enumerate((town.east, town.west, town.east, town.west)):
            caller = Citizen(callers=((f"1381234560{n}", ""),), keys=WAITS, stay_s=90)
            await stack.enter_async_context(citizens(house, tmp_path / f"caller{n}", caller, 1))
            await line_of(town.east, seat_id, n + 1)
        waiting = [call_id for call_id, _ in await line_of(town.east, seat_id, 4)]
        assert [call_id.split("-")[1] for call_id in waiting] == ["pbx1", "pbx2", "pbx1", "pbx2"]
        await town.east.post(f"/api/seats/{seat_id}/open")
        assert await until_closed(town.east, session_id, 4, 100) == {"talked": 4}
    report = await town.east.get(f"/api/sessions/{session_id}/report")
    assert report["served_order"] == waiting
    assert report["deviations"] == []
    assert (await town.east.http.get("/readyz")).json()["worker"] == "ok"
    orders = await until(lambda: dispatched(town.east, session_id, 4), 60, "the orders at their unit")
    assert {order["call_id"] for order in orders} == set(waiting)
    check = await until(lambda: compared(town.east, session_id, 4), 60, "the records of both nodes")
    assert (check["complete"], check["calls"], check["asterisk"]) == (True, 4, "ok")
    assert (check["nodes"], check["silent_nodes"]) == (["pbx1", "pbx2"], [])


async def compared(house: Installation, session_id: str, count: int) -> dict[str, Any]:
    """The check, when the other node's bridge has reported what its Asterisk wrote."""
    check: dict[str, Any] = await house.get("/api/ledger/check", session_id=session_id)
    return check if check["asterisk_records"] == count else {}


async def dispatched(house: Installation, session_id: str, count: int) -> list[Any]:
    orders = await house.orders(session_id=session_id)
    return orders if [order["status"] for order in orders] == ["dispatched"] * count else []
