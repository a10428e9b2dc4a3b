"""What a process that died had saved: performed by another, told when it came late, and nothing is lost with Redis killed."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis
from redis.exceptions import RedisError

from calls.lanes import Lag
from calls.served_order import Fact, judge
from calls.store import PERFORM_LEASE_S
from config.clock import now
from config.redis import connect
from config.settings import Settings
from tests.clocks import SetClock
from tests.doubles.bench import Process, process
from tests.doubles.books import Books
from tests.integration.redis.saved import CALL, JOIN, NOTE, ORDER, drain, put
from tests.servers import redis_server
from tests.waiting import until

KILLED = """
import asyncio, os, signal, sys
from msgspec.structs import replace
from config.clock import now
from config.redis import connect
from config.settings import Settings
from calls.store import Calls
from calls.outbox import Outbox
from ivr.call import Call
from ivr.commands import JoinLine, Note, MakeOrder

async def die_at_the_second(entry):
    if entry.id.endswith("-1"):
        os.kill(os.getpid(), signal.SIGKILL)
    print(entry.id, flush=True)

async def main():
    settings = Settings(_env_file=None)
    calls = Calls(connect(settings), settings, now)
    call = await calls.create(Call("a-killed", "asterisk", now()))
    put = await calls.put(0, replace(call, seq=1), (
        Note(kind="first", at=1.0), MakeOrder(source="declined", recording="", contact="", at=1.0),
        Note(kind="last", at=1.0), JoinLine(seat_id="s1", joined_at=1.0)))
    outbox = Outbox(connect(settings), settings, now, die_at_the_second)
    await outbox.settle(put)
    await outbox.idle()

asyncio.run(main())
"""


async def test_what_a_dead_process_saved_is_performed_by_another(ours: Process, books: Books, clock: SetClock) -> None:
    await put(ours, NOTE, JOIN, ORDER)
    assert await drain(ours) == 0
    assert (await ours.outbox.lag()).lanes == 2
    clock.pass_by(PERFORM_LEASE_S + 0.1)
    assert await drain(ours) == 2
    assert await ours.line.position("s1", CALL) == 1
    await drain(ours)  # that this was late
    assert books.performed == [f"{CALL}-1-0", f"{CALL}-1-2", f"{CALL}-1-1-late"]
    assert books.orders[CALL].number == "2026-1125-0001"
    assert books.jobs == [("jobs.recordings.finish_recording", f"o-{CALL}")]
    clock.pass_by(60)
    assert await drain(ours) == 0
    assert await ours.outbox.lag() == Lag(0, 0, 0.0)


async def test_who_is_in_the_line_late_has_a_fact_for_it_once_and_who_is_in_time_has_none(
    ours: Process, books: Books, clock: SetClock
) -> None:
    await put(ours, JOIN)
    clock.pass_by(PERFORM_LEASE_S + 0.1)
    await drain(ours)
    await drain(ours)
    assert books.notes == {f"{CALL}-1-0-late": "joined_late"}
    await put(ours, JOIN, NOTE)  # who is there is not late
    clock.pass_by(PERFORM_LEASE_S + 0.1)
    await drain(ours)
    await drain(ours)
    assert set(books.notes) == {f"{CALL}-1-0-late", f"{CALL}-2-1"}
    other = await put(ours, call_id="a-other")
    saved = await ours.calls.put(other.seq, replace(other, seq=other.seq + 1), (JOIN,))
    assert saved
    await ours.outbox.settle(saved)
    await ours.outbox.idle()
    assert await ours.line.position("s1", "a-other") == 2
    assert await ours.outbox.lag() == Lag(0, 0, 0.0)
    assert len(books.notes) == 2


@pytest.mark.parametrize("dies_in", ["add", "told_late"])
async def test_who_is_in_the_line_late_has_the_fact_also_when_the_process_dies_before_or_after_it(
    ours: Process, books: Books, clock: SetClock, monkeypatch: pytest.MonkeyPatch, dies_in: str
) -> None:
    """And who went first meanwhile has the reason: the line kept when the caller came, whenever the repetition is."""

    async def die(*arguments: object) -> None:
        raise RedisError("the process is gone")

    said_yes = clock()
    await put(ours, JOIN)
    clock.pass_by(PERFORM_LEASE_S + 0.1)
    came_at = clock()
    monkeypatch.setattr(ours.outbox if dies_in == "add" else ours.line, dies_in, die)
    await drain(ours)
    assert await ours.line.position("s1", CALL) == 1
    assert books.notes == {}
    monkeypatch.undo()
    for _ in range(3):
        clock.pass_by(60)
        await drain(ours)
    assert books.notes == {f"{CALL}-1-0-late": "joined_late"}
    late = books.facts[f"{CALL}-1-0-late"]
    assert (late.at, late.data) == (came_at, {"seat_id": "s1", "since": said_yes})
    assert (await ours.line.join("s1", CALL, 1.0, 1, late_at=clock())).late_at == 0.0  # it was told, and is forgotten
    story = [
        Fact(CALL, "willing", said_yes, {"seat_id": "s1", "joined_at": said_yes}),
        Fact("a-2", "willing", said_yes + 1, {"seat_id": "s1", "joined_at": said_yes + 1}),
        Fact("a-2", "connected", came_at - 1, {"seat_id": "s1"}),
        Fact(late.call_id, late.kind, late.at, dict(late.data)),
    ]
    assert [(one.reasons, one.unexplained) for one in judge(story).deviations] == [(("joined_late",), ())]


async def test_a_process_killed_amid_its_commands_is_replaced_within_seconds(
    redis: Redis, settings: Settings, books: Books
) -> None:
    environment = {**os.environ, "HOTLINE_REDIS_URL": settings.redis_url, "PYTHONPATH": str(Path.cwd())}
    victim = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", KILLED], env=environment, capture_output=True, timeout=30
    )
    assert victim.returncode == -signal.SIGKILL, victim.stderr.decode()
    ours = process(redis, settings, now, books)
    stop = asyncio.Event()
    drainers = [asyncio.create_task(ours.outbox.drain(stop)) for _ in range(2)]
    await until(lambda: len(books.performed) >= 4, deadline=PERFORM_LEASE_S + 5, what="the rest was performed")
    stop.set()
    await asyncio.gather(*drainers)
    assert sorted(books.performed) == ["a-killed-1-0", "a-killed-1-1", "a-killed-1-2", "a-killed-1-3-late"]
    assert books.performed.index("a-killed-1-0") < books.performed.index("a-killed-1-1") < books.performed.index("a-killed-1-2")
    assert await ours.line.position("s1", "a-killed") == 1
    call = await ours.calls.get("a-killed")
    assert call is not None
    assert await ours.outbox.lag() == Lag(0, 0, 0.0)


async def test_everything_is_there_after_redis_was_killed(tmp_path: Path) -> None:
    with redis_server(tmp_path / "own") as server:
        settings = Settings(redis_url=server.url, _env_file=None)
        connection = connect(settings)
        books = Books()
        ours = process(connection, settings, now, books)
        for number in range(50):
            await put(ours, NOTE, call_id=f"a-{number}")
            await ours.line.join("s1", f"a-{number}", float(number), 1)
        server.kill()
        server.start()
        assert len(await ours.calls.live()) == 50
        assert [c.call_id for c in await ours.line.callers("s1")] == [f"a-{n}" for n in range(50)]
        assert (await ours.outbox.lag()).lanes == 50
        await connection.aclose()
