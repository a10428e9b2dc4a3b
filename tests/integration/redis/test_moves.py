"""Moves in a line against a simple list: the order is what the operator asked for, also where joining times are the same."""

from random import Random

import pytest
from redis.asyncio import Redis

from config.settings import Settings
from queueing.line import Line
from queueing.moves import IsOffered, NotInLine, move
from queueing.seats import Seats
from tests.clocks import SetClock

SEAT = "s1"


async def order(line: Line) -> list[str]:
    return [caller.call_id for caller in await line.callers(SEAT)]


@pytest.mark.parametrize("gap_s", [0.0, 0.0005, 3.0])
async def test_any_moves_give_the_order_of_a_list(
    redis: Redis, settings: Settings, clock: SetClock, gap_s: float
) -> None:
    line, chance = Line(redis, settings, clock), Random(7)
    expected = [f"a-{number}" for number in range(25)]
    for number, call_id in enumerate(expected):
        await line.join(SEAT, call_id, 1000.0 + number * gap_s, 1)
    for _ in range(200):
        call_id, position = chance.choice(expected), chance.randint(1, 30)
        expected.remove(call_id)
        expected.insert(min(position - 1, len(expected)), call_id)
        assert await move(redis, settings, SEAT, call_id, position) == expected.index(call_id) + 1
        assert await order(line) == expected
    await line.join(SEAT, "a-late", 2000.0, 1)
    assert (await order(line))[-1] == "a-late"


async def test_many_moves_to_one_place_do_not_push_the_whole_line(
    redis: Redis, settings: Settings, clock: SetClock
) -> None:
    line = Line(redis, settings, clock)
    expected = [f"a-{number}" for number in range(200)]
    for number, call_id in enumerate(expected):
        await line.join(SEAT, call_id, 1000.0 + number, 1)
    await redis.config_resetstat()
    for call_id in [f"a-{number}" for number in range(50, 200)]:
        expected.remove(call_id)
        expected.insert(2, call_id)
        await move(redis, settings, SEAT, call_id, 3)
    assert await order(line) == expected
    moved = (await redis.info("commandstats"))["cmdstat_zadd"]["calls"]
    assert moved < 150 * 8


async def test_who_redials_stands_where_the_earlier_call_stood_however_often_it_is_told(
    redis: Redis, settings: Settings, clock: SetClock
) -> None:
    line = Line(redis, settings, clock)
    for number in range(4):
        await line.join(SEAT, f"a-{number}", 1000.0 + number, 1)
    await move(redis, settings, SEAT, "a-3", 1)
    await line.leave(SEAT, "a-3", "abandoned", 2)
    await move(redis, settings, SEAT, "a-2", 1)  # somebody is put there meanwhile, and stays there
    await move(redis, settings, SEAT, "a-0", 3)
    for _ in range(2):
        assert (await line.join(SEAT, "a-30", 1003.0, 1, from_call="a-3")).position == 2
        assert (await line.join(SEAT, "a-00", 1000.0, 1, from_call="a-0")).position in (4, 5)
    await line.leave(SEAT, "a-0", "replaced", 2)
    assert await order(line) == ["a-2", "a-30", "a-1", "a-00"]
    # Nothing is known of the earlier call any more: by the joining time.
    assert (await line.join(SEAT, "a-01", 1000.5, 1, from_call="a-gone")).position == 3


async def test_nobody_goes_ahead_of_who_is_offered(redis: Redis, settings: Settings, clock: SetClock) -> None:
    line, seats = Line(redis, settings, clock), Seats(redis, settings, clock)
    await seats.open(SEAT, "x", "市人社局", "王局长", "sip:leader@127.0.0.1:5070", "")
    for number in range(3):
        await line.join(SEAT, f"a-{number}", 100.0 + number, 1)
    claim = await line.claim_next(SEAT, "me", 5)
    assert claim is not None
    assert await move(redis, settings, SEAT, "a-2", 1) == 2
    assert await order(line) == ["a-0", "a-2", "a-1"]
    with pytest.raises(IsOffered):
        await move(redis, settings, SEAT, "a-0", 3)
    with pytest.raises(NotInLine):
        await move(redis, settings, SEAT, "nobody", 1)


async def test_who_does_not_answer_the_call_back_lets_one_go_first(
    redis: Redis, settings: Settings, clock: SetClock
) -> None:
    line, seats = Line(redis, settings, clock), Seats(redis, settings, clock)
    await seats.open(SEAT, "x", "市人社局", "王局长", "sip:leader@127.0.0.1:5070", "")
    for number in range(3):
        await line.join(SEAT, f"a-{number}", 100.0 + number, 1)
    claim = await line.claim_next(SEAT, "me", 5)
    assert claim is not None
    assert await line.return_to_head(SEAT, claim.token, "callback_missed", pause=False, behind=1)
    assert await order(line) == ["a-1", "a-0", "a-2"]
    assert (await seats.state(SEAT)).state == "free"
    await line.leave(SEAT, "a-1", "declined", 2)
    await line.leave(SEAT, "a-2", "declined", 2)
    alone = await line.claim_next(SEAT, "me", 5)
    assert alone is not None
    assert await line.return_to_head(SEAT, alone.token, "callback_missed", pause=False, behind=1)
    assert await order(line) == ["a-0"]


async def test_a_kept_place_is_shown_and_counts(redis: Redis, settings: Settings, clock: SetClock) -> None:
    line = Line(redis, settings, clock)
    await line.join(SEAT, "a-1", 100.0, 1)
    await line.mark(SEAT, "a-1", "callback")
    (caller,) = await line.callers(SEAT)
    assert (caller.state, caller.position) == ("callback", 1)
    await line.mark(SEAT, "a-1", "")
    assert (await line.callers(SEAT))[0].state == "waiting"
