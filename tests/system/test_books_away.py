"""The database is locked, the worker is away: calls go on, the books catch up, nothing is written twice."""

import sqlite3
from contextlib import closing
from pathlib import Path

from telephony.demo.scenarios import Citizen, Leader
from tests.system.callers import WatchedLeader, until_closed, until_nodes, until_orders
from tests.system.crowd import citizens, numbers
from tests.system.installation import Installation
from tests.system.watch import recording_of
from tests.waiting import until


async def test_given_a_locked_database_when_calls_come_and_go_then_they_are_served_and_the_books_catch_up(
    house: Installation, tmp_path: Path
) -> None:
    leader = WatchedLeader(tmp_path / "leader", Leader(ring_s=0.2, talk_s=7.0))
    session_id, _ = await house.open_session(leader.address)
    file = next(house.folder.glob("*.db"))
    waits = Citizen(callers=numbers(0, 3), keys=((1.0, "1"),), stay_s=90)
    speaks = Citizen(callers=numbers(50, 3), keys=((1.0, "2"), (3.0, "#")), stay_s=17)
    with closing(sqlite3.connect(file, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        async with (
            leader.phone,
            citizens(house, tmp_path / "w", waits, 3) as first,
            citizens(house, tmp_path / "m", speaks, 3) as second,
        ):
            await first.done(70)
            await second.done(70)
            assert leader.rung == 3
        await until_nodes(house)
        holder.execute("ROLLBACK")
    assert await until_closed(house, session_id, 6) == {"talked": 3, "work_order": 3}
    orders = await until_orders(house, 6, "dispatched")
    for order in orders:
        events = await house.core.ledger.events(order["call_id"])
        assert [event.kind for event in events].count("closed") == 1


async def test_given_no_worker_when_messages_are_left_then_their_recordings_are_finished_when_it_is_back(
    house: Installation, tmp_path: Path
) -> None:
    session_id, _ = await house.open_session("sip:nobody@127.0.0.1:9", sign_in=False)
    await house.kill("worker")
    speaks = Citizen(callers=numbers(0, 3), keys=((1.0, "2"), (3.0, "#")), stay_s=12)
    async with citizens(house, tmp_path / "m", speaks, 3) as crowd:
        await crowd.done(70)
    assert await until_closed(house, session_id, 3) == {"work_order": 3}
    assert len(await until_orders(house, 3, "registered")) == 3
    # The queue is lost as well: only the sweep can know.
    for key in [key async for key in house.core.redis.scan_iter("rq:*")]:
        await house.core.redis.delete(key)
    await house.start("worker")
    orders = await until_orders(house, 3, "dispatched", 60)
    for order in orders:
        recording = await recording_of(house, order)
        assert (recording.state, (recording.duration_s or 0) > 1) == ("ready", True)

    async def idle() -> bool:
        return (await house.core.outbox.lag()).lanes == 0

    await until(idle, 30, "nothing left to do")
