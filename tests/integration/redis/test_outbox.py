"""Commands of saved turns: performed once in effect, in order, whoever dies and whatever fails."""

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

from calls.entries import Entry
from calls.lanes import LONGEST_PAUSE_S, TRIES_BEFORE_SET_ASIDE, Lag, Lanes
from calls.served_order import Fact, judge
from calls.shards import shard_keys, shard_of, todo_key
from calls.store import PERFORM_LEASE_S
from config.clock import now
from config.redis import connect
from config.settings import Settings
from ivr.call import Call
from ivr.commands import AnyCommand, CloseCall, JoinLine, LeaveLine, MakeOrder, Note
from tests.clocks import SetClock
from tests.doubles.bench import Process, process
from tests.doubles.books import Books
from tests.servers import redis_server
from tests.waiting import until

CALL = "a-pbx1-1-1"
STARTED = 1795568400.0
NOTE = Note(kind="keyed", at=1.0)
ORDER = MakeOrder(source="declined", recording="m-1", contact="", at=1.0)
JOIN = JoinLine(seat_id="s1", joined_at=1.0)
LEAVE = LeaveLine(seat_id="s1", reason="abandoned")


@pytest.fixture
def books() -> Books:
    return Books()


@pytest.fixture
def ours(redis: Redis, settings: Settings, clock: SetClock, books: Books) -> Process:
    return process(redis, settings, clock, books)


async def put(ours: Process, *commands: AnyCommand, call_id: str = CALL) -> Call:
    """Saves a turn and dies before anything is performed."""
    call = await ours.calls.get(call_id)
    call = call or await ours.calls.create(Call(call_id, "asterisk", STARTED))
    after = replace(call, seq=call.seq + 1)
    assert await ours.calls.put_if_unchanged(call.seq, after, commands)
    return after


async def drain(ours: Process) -> int:
    taken = await ours.outbox.drain_once()
    await ours.outbox.idle()
    return taken


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


async def test_a_fact_that_no_turn_says_comes_after_those_that_wait(
    ours: Process, books: Books, clock: SetClock
) -> None:
    await put(ours, NOTE)
    await ours.outbox.add(Entry(f"{CALL}-late", CALL, 1, clock(), NOTE))
    assert await drain(ours) == 0  # whoever performs the lane now takes it along
    clock.pass_by(PERFORM_LEASE_S + 0.1)
    await drain(ours)
    assert books.performed == [f"{CALL}-1-0", f"{CALL}-late"]
    await ours.outbox.add(Entry(f"{CALL}-later", CALL, 1, clock(), NOTE))
    assert await drain(ours) == 1
    assert books.performed[2:] == [f"{CALL}-later"]


async def test_four_drainers_perform_each_command_once(
    redis: Redis, settings: Settings, clock: SetClock, books: Books, ours: Process
) -> None:
    for number in range(60):
        await put(ours, NOTE, NOTE, call_id=f"a-{number}")
    clock.pass_by(PERFORM_LEASE_S + 0.1)
    others = [process(redis, settings, clock, books) for _ in range(4)]
    await asyncio.gather(*(other.outbox.drain_once() for other in others))
    await asyncio.gather(*(other.outbox.idle() for other in others))
    assert sorted(books.performed) == sorted(f"a-{call}-1-{n}" for call in range(60) for n in range(2))


async def test_what_came_in_while_others_were_performed_is_not_taken_for_done(
    ours: Process, redis: Redis, settings: Settings, clock: SetClock
) -> None:
    """The answer to "these are done" is lost, and it is said again."""
    lanes, call = Lanes(redis, settings, clock), await put(ours)
    first = replace(call, seq=call.seq + 1)
    saved = await ours.calls.put(call.seq, first, (NOTE, NOTE))
    assert saved is not None
    (granted,) = saved.granted
    await put(ours, ORDER, NOTE)
    assert [await lanes.done(granted, 2) for _ in range(3)] == [2, 2, 2]
    left = await lanes.read(granted.rest)
    assert [entry.id for entry in left if entry] == [f"{CALL}-{first.seq + 1}-{number}" for number in range(2)]
    assert [await lanes.done(granted.rest, 1) for _ in range(2)] == [1, 1]
    assert [await lanes.done(granted.rest.rest, 1), await lanes.done(granted, 2)] == [0, -1]
    assert (await lanes.lag()).lanes == 0


async def test_commands_of_a_call_keep_their_order_over_several_turns(
    ours: Process, books: Books, clock: SetClock
) -> None:
    await put(ours, NOTE, JOIN)
    await put(ours, NOTE, LEAVE)
    await put(ours, NOTE, CloseCall(outcome="abandoned", at=2.0))
    clock.pass_by(PERFORM_LEASE_S + 0.1)
    while await drain(ours):
        pass
    # That the join came late is told as soon as the line knows it, beside the books.
    late = f"{CALL}-1-1-late"
    assert books.performed.count(late) == 1
    books.performed.remove(late)
    assert books.performed == [f"{CALL}-1-0", f"{CALL}-2-0", f"{CALL}-3-0", f"{CALL}-3-1"]
    assert await ours.line.depth("s1") == 0


async def test_a_later_turn_does_not_overtake_what_a_dead_process_left(
    ours: Process, books: Books, clock: SetClock
) -> None:
    await put(ours, NOTE)
    call = await ours.calls.get(CALL)
    assert call is not None
    early = await ours.calls.put(1, replace(call, seq=2), (NOTE,))
    assert early is not None
    assert early.granted == ()
    clock.pass_by(PERFORM_LEASE_S + 0.1)
    late = await ours.calls.put(2, replace(call, seq=3), (NOTE,))
    assert late is not None
    await ours.outbox.settle(late)
    await ours.outbox.idle()
    assert books.performed == [f"{CALL}-{seq}-0" for seq in (1, 2, 3)]


async def test_a_database_that_is_away_holds_up_neither_the_line_nor_other_calls(
    ours: Process, books: Books, clock: SetClock
) -> None:
    books.broken = True
    await put(ours, NOTE, JOIN)
    clock.pass_by(PERFORM_LEASE_S + 0.1)
    await drain(ours)
    assert await ours.line.position("s1", CALL) == 1
    lag = await ours.outbox.lag()
    assert (lag.lanes, lag.stuck) == (1, 0)
    assert lag.oldest_s > PERFORM_LEASE_S
    books.broken = False
    await put(ours, NOTE, call_id="a-other")
    clock.pass_by(PERFORM_LEASE_S + 0.1)
    await drain(ours)
    assert set(books.performed) == {f"{CALL}-1-0", f"{CALL}-1-1-late", "a-other-1-0"}
    assert (await ours.outbox.lag()).lanes == 0


async def test_a_command_that_fails_again_and_again_is_set_aside_and_never_dropped(
    ours: Process, books: Books, clock: SetClock
) -> None:
    books.refused = "keyed"
    await put(ours, NOTE, CloseCall(outcome="abandoned", at=2.0))
    for _ in range(TRIES_BEFORE_SET_ASIDE):
        assert books.outcomes == {}
        clock.pass_by(LONGEST_PAUSE_S + 0.1)
        await drain(ours)
    clock.pass_by(0.01)
    await drain(ours)
    assert books.outcomes == {CALL: "abandoned"}
    assert (await ours.outbox.lag()).stuck == 1
    (stuck,) = await ours.outbox.stuck()
    assert (stuck.call_id, stuck.entry and stuck.entry.id) == (CALL, f"{CALL}-1-0")
    for _ in range(TRIES_BEFORE_SET_ASIDE + 3):
        clock.pass_by(LONGEST_PAUSE_S + 0.1)
        await drain(ours)
    assert (await ours.outbox.lag()).stuck == 1
    books.refused = ""
    clock.pass_by(LONGEST_PAUSE_S + 0.1)
    await drain(ours)
    assert books.notes == {f"{CALL}-1-0": "keyed"}
    assert await ours.outbox.lag() == Lag(0, 0, 0.0)


async def test_a_command_of_a_newer_version_waits_and_holds_up_nothing_else(
    ours: Process, books: Books, redis: Redis, settings: Settings, clock: SetClock
) -> None:
    await put(ours, NOTE)
    await redis.lpush(todo_key(settings.redis_prefix, "books", CALL), '{"id":"x","command":{"type":"Dance"}}')
    for _ in range(TRIES_BEFORE_SET_ASIDE + 1):
        clock.pass_by(LONGEST_PAUSE_S + 0.1)
        await drain(ours)
    assert list(books.notes) == [f"{CALL}-1-0"]
    assert (await ours.outbox.lag()).stuck == 1
    assert [(one.call_id, one.entry) for one in await ours.outbox.stuck()] == [(CALL, None)]


async def test_a_slow_command_keeps_its_lease(
    redis: Redis, settings: Settings, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("calls.outbox.ALIVE_EVERY_S", 0.05)
    monkeypatch.setattr("calls.lanes.PERFORM_LEASE_S", 0.5)
    monkeypatch.setattr("calls.store.PERFORM_LEASE_S", 0.5)
    started, release = asyncio.Event(), asyncio.Event()

    async def slow(command_id: str, call: Call, command: MakeOrder) -> object:
        started.set()
        await release.wait()
        return await Books.make_order(books, command_id, call, command)

    monkeypatch.setattr(books, "make_order", slow)
    ours, other = process(redis, settings, now, books), process(redis, settings, now, books)
    call = await ours.calls.create(Call(CALL, "asterisk", STARTED))
    saved = await ours.calls.put(0, replace(call, seq=1), (ORDER,))
    assert saved is not None
    saved_at = now()
    await ours.outbox.settle(saved)
    await started.wait()
    await until(lambda: now() > saved_at + 1.2)
    assert await other.outbox.drain_once() == 0
    release.set()
    await ours.outbox.idle()
    assert books.performed == [f"{CALL}-1-0"]


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


async def test_no_key_is_left_behind_when_all_is_done(
    ours: Process, redis: Redis, settings: Settings, clock: SetClock
) -> None:
    await put(ours, NOTE, ORDER)
    clock.pass_by(PERFORM_LEASE_S + 0.1)
    await drain(ours)
    shard = shard_keys(settings.redis_prefix, shard_of(CALL))
    assert await redis.exists(shard.outbox, shard.performers, shard.tries) == 0
    assert not await redis.keys("*todo*")


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
