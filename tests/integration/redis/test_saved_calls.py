"""A call's record in Redis: made once, won by one of two, whole or recognised as damaged, kept for a week, read back as it was."""

from itertools import repeat

import msgspec
import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from calls.shards import call_key
from calls.store import KEEP_ENDED_S, CorruptCall, UnknownCall
from config.settings import Settings
from ivr.call import Call
from ivr.commands import JoinLine
from ivr.events import Arrived, HungUp
from tests.doubles.bench import Process
from tests.doubles.books import Books
from tests.integration.redis.saved import new_call


async def test_creating_a_call_twice_keeps_the_first(ours: Process) -> None:
    first = await ours.calls.create(new_call())
    assert await ours.calls.create(replace(new_call(), number="+8613900000000")) == first
    assert await ours.calls.live() == [first.id]
    assert await ours.calls.get("a-none") is None


async def test_only_one_of_two_puts_on_the_same_seq_wins(ours: Process) -> None:
    call = await ours.calls.create(new_call())
    after = replace(call, seq=1, typed="1")
    assert await ours.calls.put_if_unchanged(0, after, ())
    assert not await ours.calls.put_if_unchanged(0, replace(call, seq=1, typed="2"), ())
    assert await ours.calls.get(call.id) == after
    with pytest.raises(UnknownCall):
        await ours.calls.put_if_unchanged(0, replace(call, id="a-none", seq=1), ())


async def test_bytes_that_are_no_text_are_recognised_as_damage(ours: Process, redis: Redis, settings: Settings) -> None:
    await ours.calls.create(new_call())
    await redis.hset(call_key(settings.redis_prefix, new_call().id), "call", b"\xff\xfe")
    with pytest.raises(CorruptCall):
        await ours.calls.get(new_call().id)


async def test_an_ended_call_is_kept_for_a_week_without_wake_up(
    ours: Process, redis: Redis, settings: Settings, books: Books
) -> None:
    await ours.calls.create(new_call())
    await ours.turns.take_turn(new_call().id, lambda facts: Arrived(facts=facts))
    ended = await ours.turns.take_turn(new_call().id, lambda facts: HungUp(facts=facts))
    assert ended.call.node == "ended"
    assert await ours.calls.live() == []
    left = await redis.ttl(call_key(settings.redis_prefix, new_call().id))
    assert KEEP_ENDED_S - 60 < left <= KEEP_ENDED_S
    await ours.outbox.idle()
    assert books.outcomes == {new_call().id: "abandoned"}
    assert (await ours.outbox.lag()).lanes == 0


async def test_a_saved_call_reads_back_as_it_was(ours: Process) -> None:
    call = replace(new_call(), number="+8613812345678", reason="引号\"'\\", typed="1*#", joined_at=1795568400.123456)
    await ours.calls.create(call)
    assert await ours.calls.get(call.id) == call
    assert msgspec.json.decode(msgspec.json.encode(call), type=Call) == call


async def test_a_put_whose_answer_was_lost_may_be_repeated(ours: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    call = await ours.calls.create(new_call())
    monkeypatch.setattr(ours.calls, "_puts", repeat(1))  # the same connection's repetition
    after, commands = replace(call, seq=1), (JoinLine(seat_id="s1", joined_at=1.0),)
    assert await ours.calls.put(0, after, commands)
    again = await ours.calls.put(0, after, commands)
    assert again is not None
    await ours.outbox.settle(again)
    assert await ours.line.position("s1", call.id) == 1
    assert (await ours.outbox.lag()).lanes == 0
