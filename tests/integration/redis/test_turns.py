"""Turns of a call on a real server: compare-and-set, guards, damaged records, facts, wake-ups."""

import asyncio
from collections.abc import AsyncIterator, Callable

import msgspec
import pytest
import structlog
from msgspec.structs import replace
from redis.asyncio import Redis

from calls.shards import call_key, shard_keys, shard_of
from calls.store import CorruptCall, UnknownCall
from calls.turn import MOST_TURNS_A_SECOND
from config.changes import Change, channel
from config.settings import Settings
from ivr.call import Call
from ivr.commands import AnyCommand, Note, WakeAt
from ivr.events import AnyEvent, Arrived, HungUp, Keyed, TimedOut, Woken
from ivr.facts import Facts
from ivr.verbs import AnyVerb, HangUp, Say
from sessions.board import Board, PostedSeat, PostedSession, post
from tests.clocks import SetClock
from tests.doubles.bench import Process, process
from tests.doubles.books import Books
from tests.integration.redis.saved import PRIVATE, new_call


def counted(call: Call, event: AnyEvent) -> tuple[Call, tuple[AnyCommand, ...]]:
    """A flow in which every key is a turn that can be counted, and in which key * breaks."""
    seq = call.seq + 1
    match event:
        case Keyed(key="*"):
            raise RuntimeError(PRIVATE)
        case Keyed(key="#"):
            return call, ()
        case Keyed(key=key):
            typed = call.typed + key
            return replace(call, typed=typed, seq=seq), (Note(kind="keyed", at=event.facts.now),)
        case _:
            return replace(call, seq=seq, scene=seq), ()


def silence(call: Call, facts: Facts) -> tuple[AnyVerb, ...]:
    return (Say(),)


@pytest.fixture
async def counting(redis: Redis, settings: Settings, clock: SetClock, books: Books) -> AsyncIterator[Process]:
    made = process(redis, settings, clock, books, counted, silence)
    yield made
    await made.outbox.idle()


def key(pressed: str) -> Callable[[Facts], AnyEvent]:
    return lambda facts: Keyed(facts=facts, key=pressed)


async def open_session(redis: Redis, settings: Settings, ours: Process, clock: SetClock) -> None:
    seat = PostedSeat("s1", "市人社局", "王局长")
    held = PostedSession("x1", clock() - 60, clock() + 7200, "社保", (seat,))
    await post(redis, settings.redis_prefix, Board(open=held))
    await ours.seats.open("s1", "x1", "市人社局", "王局长", "sip:leader@127.0.0.1:5070")


async def test_eight_processes_at_once_lose_no_turn(
    redis: Redis, settings: Settings, clock: SetClock, books: Books
) -> None:
    takers = [process(redis, settings, clock, books, counted, silence) for _ in range(8)]
    await takers[0].calls.create(new_call())
    await asyncio.gather(*(taker.turns.take_turn(new_call().id, key("5")) for taker in takers))
    call = await takers[0].calls.get(new_call().id)
    assert call is not None
    assert (call.seq, call.typed) == (8, "55555555")
    for taker in takers:
        await taker.outbox.idle()
    while await takers[0].outbox.drain_once():
        await takers[0].outbox.idle()
    assert sorted(books.notes) == [f"{call.id}-{seq}-0" for seq in range(1, 9)]


async def test_an_event_for_a_scene_that_is_over_decides_nothing(counting: Process) -> None:
    await counting.calls.create(new_call())
    arrived = await counting.turns.take_turn(new_call().id, lambda facts: Arrived(facts=facts))
    assert arrived.call.scene == 1
    stale = await counting.turns.take_turn(new_call().id, key("5"), seen=0)
    assert stale.call == arrived.call
    assert stale.verbs == arrived.verbs
    valid = await counting.turns.take_turn(new_call().id, key("5"), seen=1)
    assert valid.call.typed == "5"


async def test_an_event_that_changes_nothing_saves_nothing(counting: Process) -> None:
    await counting.calls.create(new_call())
    turn = await counting.turns.take_turn(new_call().id, key("#"))
    assert turn.call.seq == 0


async def test_a_flow_that_breaks_takes_the_caller_to_the_fallback_and_logs_no_personal_data(
    counting: Process,
) -> None:
    await counting.calls.create(new_call())
    with structlog.testing.capture_logs() as logs:
        turn = await counting.turns.take_turn(new_call().id, key("*"))
    assert turn.call.seq == 1
    assert logs[0]["error"] == "RuntimeError"
    assert PRIVATE not in repr(logs)


async def test_a_flow_that_breaks_always_still_ends_the_call(
    redis: Redis, settings: Settings, clock: SetClock, books: Books
) -> None:
    def broken(call: Call, event: AnyEvent) -> tuple[Call, tuple[AnyCommand, ...]]:
        raise ZeroDivisionError

    def mute(call: Call, facts: Facts) -> tuple[AnyVerb, ...]:
        raise ZeroDivisionError

    sound, ours = process(redis, settings, clock, books), process(redis, settings, clock, books, broken, mute)
    await open_session(redis, settings, sound, clock)
    await sound.seats.pause("s1", "tea")
    first, second = new_call("a-pbx1-1-1", clock()), replace(new_call("a-pbx1-1-2", clock()), number="")
    for waiting in (first, second):
        await sound.calls.create(waiting)
        await sound.turns.take_turn(waiting.id, lambda facts: Arrived(facts=facts))
        await sound.turns.take_turn(waiting.id, key("1"))
    assert await sound.line.members("s1") == [first.id, second.id]
    turn = await ours.turns.take_turn(first.id, key("2"))
    assert turn.call.node == "fallback"
    assert turn.verbs == (HangUp(),)
    assert await ours.line.members("s1") == [second.id], "out of the line at once, whatever breaks"
    for waiting in (first, second):
        ended = await ours.turns.take_turn(waiting.id, lambda facts: HungUp(facts=facts))
        assert ended.call.node == "ended"
    assert await ours.line.members("s1") == []
    for either in (sound, ours):  # whoever still performed for the call when it ended has performed that, too
        await either.outbox.idle()
    assert books.outcomes == {first.id: "fallback", second.id: "fallback"}
    assert set(books.orders) == {first.id, second.id}, "whom we failed is called back"
    assert await ours.calls.live() == []


async def test_a_real_call_that_is_too_long_goes_to_the_fallback(
    ours: Process, clock: SetClock, settings: Settings
) -> None:
    await ours.calls.create(new_call(at=clock()))
    await ours.turns.take_turn(new_call().id, lambda facts: Arrived(facts=facts))
    clock.pass_by(settings.call_max_s + 1)
    turn = await ours.turns.take_turn(new_call().id, lambda facts: TimedOut(facts=facts))
    assert turn.call.node == "fallback"
    assert turn.verbs


async def test_a_loop_of_turns_is_stopped_and_ten_keys_at_once_are_not(counting: Process, clock: SetClock) -> None:
    await counting.calls.create(new_call())
    ten = [(await counting.turns.take_turn(new_call().id, key("1"))).call for _ in range(10)]
    assert ten[-1].typed == "1" * 10
    more = [(await counting.turns.take_turn(new_call().id, key("1"))).call for _ in range(MOST_TURNS_A_SECOND)]
    assert len(more[-1].typed) == MOST_TURNS_A_SECOND
    clock.pass_by(1)
    turn = await counting.turns.take_turn(new_call().id, key("2"))
    assert turn.call.typed.endswith("2")


@pytest.mark.parametrize("damage", ["{", "", '{"id":"other","carrier":"asterisk","started_at":1.0}', "[]", "\x00"])
async def test_a_damaged_record_begins_anew_at_the_fallback(
    ours: Process, redis: Redis, settings: Settings, damage: str
) -> None:
    await ours.calls.create(new_call())
    await ours.turns.take_turn(new_call().id, lambda facts: Arrived(facts=facts))
    await redis.hset(call_key(settings.redis_prefix, new_call().id), "call", damage)
    with pytest.raises(CorruptCall):
        await ours.calls.get(new_call().id)
    turn = await ours.turns.take_turn(new_call().id, lambda facts: TimedOut(facts=facts))
    assert turn.call.node in {"fallback", "message"}
    assert turn.verbs
    assert await ours.calls.get(new_call().id) == turn.call


async def test_an_unknown_call_is_a_clear_error(ours: Process) -> None:
    with pytest.raises(UnknownCall):
        await ours.turns.take_turn("a-none", key("1"))


async def test_the_caller_is_in_the_line_when_the_turn_returns(
    ours: Process, redis: Redis, settings: Settings, clock: SetClock
) -> None:
    await open_session(redis, settings, ours, clock)
    await ours.seats.pause("s1", "tea")
    await ours.calls.create(new_call(at=clock()))
    asked = await ours.turns.take_turn(new_call().id, lambda facts: Arrived(facts=facts))
    assert asked.call.node == "question"
    waits = await ours.turns.take_turn(new_call().id, key("1"))
    assert waits.call.node == "waiting"
    assert await ours.line.position("s1", new_call().id) == 1
    facts = await ours.facts.read(waits.call)
    assert (facts.position, facts.depth, facts.admission) == (1, 1, "recommended")
    assert facts.session is not None
    assert facts.session.seats[0].state == "paused"


async def test_a_due_wake_up_is_one_turn_however_many_look_for_it(
    redis: Redis, settings: Settings, clock: SetClock, books: Books
) -> None:
    woken: list[str] = []

    def wakes(call: Call, event: AnyEvent) -> tuple[Call, tuple[AnyCommand, ...]]:
        if isinstance(event, Woken):
            woken.append(call.id)
            return replace(call, seq=call.seq + 1), ()
        return replace(call, seq=call.seq + 1), (WakeAt(at=event.facts.now + 45),)

    lookers = [process(redis, settings, clock, books, wakes, silence) for _ in range(4)]
    await lookers[0].calls.create(new_call())
    await lookers[0].turns.take_turn(new_call().id, key("1"))
    assert sum([await looker.wakeups.wake_due() for looker in lookers]) == 0
    clock.pass_by(46)
    await asyncio.gather(*(looker.wakeups.wake_due() for looker in lookers))
    assert woken == [new_call().id]
    clock.pass_by(46)
    assert await lookers[0].wakeups.wake_due() == 0


async def test_a_wake_up_whose_process_died_comes_again(
    counting: Process, redis: Redis, settings: Settings, clock: SetClock
) -> None:
    call = await counting.calls.create(new_call())
    await counting.calls.put_if_unchanged(0, replace(call, seq=1), (WakeAt(at=clock() + 10),))
    await redis.zadd(shard_keys(settings.redis_prefix, shard_of(call.id)).wakeups, {"a-gone": clock() + 10})
    clock.pass_by(11)
    assert await counting.wakeups.wake_due() >= 1
    clock.pass_by(6)
    assert await counting.wakeups.wake_due() == 0


async def test_a_board_that_cannot_be_read_closes_nothing_but_the_session(
    ours: Process, redis: Redis, settings: Settings
) -> None:
    await redis.set(f"{settings.redis_prefix}board", "{")
    facts = await ours.facts.read(new_call())
    assert facts.session is None


async def test_every_change_of_a_call_and_a_line_is_announced(ours: Process, redis: Redis, settings: Settings) -> None:
    heard: list[Change] = []
    async with redis.pubsub(ignore_subscribe_messages=True) as pubsub:
        await pubsub.subscribe(channel(settings.redis_prefix))
        await ours.calls.create(new_call())
        await ours.line.join("s1", new_call().id, 1.0, 1)
        while len(heard) < 2:
            if message := await pubsub.get_message(timeout=5):
                heard.append(msgspec.json.decode(message["data"], type=Change))
    assert heard == [Change("call", new_call().id), Change("line", "s1")]
