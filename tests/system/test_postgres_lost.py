"""PostgreSQL is killed with callers in the middle of it, and comes back: calls go on, the books lose and double nothing."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from telephony.demo.scenarios import Citizen, Leader
from tests.postgres import PostgresServer, postgres_server
from tests.system.callers import (
    WatchedLeader,
    end_all,
    line_of,
    nodes,
    until_closed,
    until_nodes,
    until_order,
    until_orders,
)
from tests.system.crowd import citizens, numbers
from tests.system.installation import Installation
from tests.waiting import until

WAITS = ((1.0, "1"),)


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture
async def house(tmp_path: Path, shared: Path, postgres: PostgresServer) -> AsyncIterator[Installation]:
    async with Installation(tmp_path / "hotline", shared, {"HOTLINE_DATABASE_URL": postgres.url}) as installation:
        yield installation


async def test_given_a_talk_and_a_line_when_postgres_dies_and_comes_back_then_the_books_catch_up(
    house: Installation, postgres: PostgresServer, tmp_path: Path
) -> None:
    leader = WatchedLeader(tmp_path / "leader", Leader(ring_s=0.2, talk_s=300))
    session_id, seat_id = await house.open_session(leader.address)
    waits = Citizen(callers=numbers(0, 4), keys=WAITS, stay_s=200)
    speaks = Citizen(callers=numbers(50, 2), keys=((1.0, "2"), (3.0, "#")), stay_s=8)
    async with leader.phone, citizens(house, tmp_path / "w", waits, 4):
        before = await until_nodes(house, talking=1, waiting=3)
        line = await line_of(house, seat_id, 3)
        await asyncio.to_thread(postgres.kill)
        # Who calls while it is away is served as well.
        async with citizens(house, tmp_path / "m", speaks, 2) as newcomers:
            await newcomers.done(60)
        await until_nodes(house, talking=1, waiting=3)
        await asyncio.to_thread(postgres.start)
        await until(lambda: ready(house), 30, "ready again")
        assert await nodes(house) == before
        await until_order(house, seat_id, line)
        assert leader.rung == 1
        await end_all(house)
    assert await until_closed(house, session_id, 6) == {"talked": 1, "abandoned": 3, "work_order": 2}
    for item in await until_orders(house, 6, "dispatched"):
        events = await house.core.ledger.events(item["call_id"])
        assert [event.kind for event in events].count("closed") == 1


async def ready(house: Installation) -> bool:
    return (await house.http.get("/readyz")).status_code == 200
