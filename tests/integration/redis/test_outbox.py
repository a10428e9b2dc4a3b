"""Commands of saved turns: performed once in effect, in order, whoever dies and whatever fails."""

import asyncio

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from calls.entries import Entry
from calls.lanes import LONGEST_PAUSE_S, TRIES_BEFORE_SET_ASIDE, Lag, Lanes
from calls.shards import shard_keys, shard_of, todo_key
from calls.store import PERFORM_LEASE_S
from config.clock import now
from config.settings import Settings
from ivr.call import Call
from ivr.commands import CloseCall, MakeOrder
from tests.clocks import SetClock
from tests.doubles.bench import Process, process
from tests.doubles.books import Books
from tests.integration.redis.saved import CALL, JOIN, LEAVE, NOTE, ORDER, STARTED, drain, put
from tests.waiting import until


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


async def test_no_key_is_left_behind_when_all_is_done(
    ours: Process, redis: Redis, settings: Settings, clock: SetClock
) -> None:
    await put(ours, NOTE, ORDER)
    clock.pass_by(PERFORM_LEASE_S + 0.1)
    await drain(ours)
    shard = shard_keys(settings.redis_prefix, shard_of(CALL))
    assert await redis.exists(shard.outbox, shard.performers, shard.tries) == 0
    assert not await redis.keys("*todo*")
