"""The rules of one seat's line and of the seat, one at a time, against a real server."""

from collections.abc import Mapping
from typing import Any

import pytest
from redis.asyncio import Redis

from config.settings import Settings
from queueing.keys import line_keys
from queueing.line import Line
from queueing.seats import Seats
from tests.clocks import SetClock

SEAT = "s1"


@pytest.fixture
def line(redis: Redis, settings: Settings, clock: SetClock) -> Line:
    return Line(redis, settings, clock)


@pytest.fixture
def seats(redis: Redis, settings: Settings, clock: SetClock) -> Seats:
    return Seats(redis, settings, clock)


async def open_seat(seats: Seats) -> None:
    await seats.open(SEAT, "x1", "市人社局", "王局长", "sip:leader@127.0.0.1:5070", "+8613800000000")


async def test_callers_are_served_by_joining_time_not_by_arrival(line: Line, seats: Seats) -> None:
    await open_seat(seats)
    for call_id, joined_at in (("a-late", 300.0), ("a-first", 100.0), ("a-middle", 200.0)):
        await line.join(SEAT, call_id, joined_at, 1)
    assert [caller.call_id for caller in await line.callers(SEAT)] == ["a-first", "a-middle", "a-late"]
    claim = await line.claim_next(SEAT, "me", 5)
    assert claim is not None
    assert claim.call_id == "a-first"


async def test_the_same_joining_time_is_decided_by_arrival(line: Line) -> None:
    names = [f"a-{number}" for number in (7, 3, 9, 1)]
    for place, call_id in enumerate(names, 1):
        assert (await line.join(SEAT, call_id, 100.0, 1)).position == place
    assert [caller.call_id for caller in await line.callers(SEAT)] == names


async def test_joining_again_keeps_the_place_and_the_first_joining_time(line: Line) -> None:
    await line.join(SEAT, "a-1", 100.25, 1)
    await line.join(SEAT, "a-2", 101.0, 1)
    assert (await line.join(SEAT, "a-1", 500.0, 4)).position == 1
    assert (await line.callers(SEAT))[0].joined_at == 100.25


async def test_an_offered_caller_keeps_the_position_and_counts(line: Line, seats: Seats) -> None:
    await open_seat(seats)
    await line.join(SEAT, "a-1", 1.0, 1)
    await line.join(SEAT, "t-2", 2.0, 1)
    await line.claim_next(SEAT, "me", 5)
    assert [(c.position, c.state) for c in await line.callers(SEAT)] == [(1, "offered"), (2, "waiting")]
    assert await line.position(SEAT, "t-2") == 2
    assert await line.depth(SEAT) == 2


async def test_a_seat_that_is_not_free_claims_nobody(line: Line, seats: Seats) -> None:
    await line.join(SEAT, "a-1", 1.0, 1)
    assert await line.claim_next(SEAT, "me", 5) is None
    await open_seat(seats)
    await seats.pause(SEAT, "tea")
    assert await line.claim_next(SEAT, "me", 5) is None
    await seats.resume(SEAT)
    assert await line.claim_next(SEAT, "me", 5) is not None
    assert await line.claim_next(SEAT, "other", 5) is None


async def test_no_answer_puts_the_caller_back_at_the_head_and_pauses_the_seat(line: Line, seats: Seats) -> None:
    await open_seat(seats)
    await line.join(SEAT, "a-1", 1.0, 1)
    await line.join(SEAT, "a-2", 2.0, 1)
    claim = await line.claim_next(SEAT, "me", 5)
    assert claim is not None
    assert await line.return_to_head(SEAT, claim.token, "no_answer", pause=True)
    assert not await line.return_to_head(SEAT, claim.token, "no_answer", pause=True)
    seat = await seats.state(SEAT)
    assert (seat.state, seat.reason) == ("paused", "no_answer")
    await seats.resume(SEAT)
    again = await line.claim_next(SEAT, "me", 5)
    assert again is not None
    head = (await line.callers(SEAT))[0]
    assert (again.call_id, head.call_id, head.joined_at) == ("a-1", "a-1", 1.0)
    assert again.token > claim.token


async def test_a_talk_ends_in_wrap_up_and_the_next_claim_comes_after_it(
    line: Line, seats: Seats, clock: SetClock, settings: Settings
) -> None:
    await open_seat(seats)
    await line.join(SEAT, "a-1", 1.0, 1)
    await line.join(SEAT, "a-2", 2.0, 1)
    claim = await line.claim_next(SEAT, "me", 5)
    assert claim is not None
    assert await line.take(SEAT, claim.token, clock())
    assert await line.take(SEAT, claim.token, clock())
    assert (await seats.state(SEAT)).state == "talking"
    assert await line.members(SEAT) == ["a-2"]
    clock.pass_by(600)
    assert await line.reap(SEAT) is None
    assert await line.free(SEAT, claim.token, True, clock())
    assert not await line.free(SEAT, claim.token, True, clock())
    assert not await line.take(SEAT, claim.token, clock())
    assert (await seats.state(SEAT)).state == "wrap_up"
    assert await line.claim_next(SEAT, "me", 5) is None
    clock.pass_by(settings.wrap_up_s)
    assert (await seats.state(SEAT)).state == "free"
    following = await line.claim_next(SEAT, "me", 5)
    assert following is not None
    assert following.call_id == "a-2"
    assert await line.left(SEAT) == {"talked": 1}


async def test_ready_at_once_ends_wrap_up(line: Line, seats: Seats, clock: SetClock) -> None:
    await open_seat(seats)
    await line.join(SEAT, "a-1", 1.0, 1)
    claim = await line.claim_next(SEAT, "me", 5)
    assert claim is not None
    await line.take(SEAT, claim.token, clock())
    await line.free(SEAT, claim.token, True, clock())
    assert await seats.resume(SEAT)
    assert (await seats.state(SEAT)).state == "free"


async def test_a_lapsed_claim_is_reaped_and_its_owner_fenced_off(line: Line, seats: Seats, clock: SetClock) -> None:
    await open_seat(seats)
    await line.join(SEAT, "a-1", 1.0, 1)
    old = await line.claim_next(SEAT, "killed", 5)
    assert old is not None
    clock.pass_by(4)
    assert await line.renew(SEAT, old.token, 5)
    clock.pass_by(4)
    assert await line.reap(SEAT) is None
    clock.pass_by(2)
    lapsed = await line.reap(SEAT)
    assert lapsed is not None
    assert lapsed.call_id == "a-1"
    assert not await line.renew(SEAT, old.token, 5)
    new = await line.claim_next(SEAT, "alive", 5)
    assert new is not None
    assert new.token > old.token
    for late in (
        line.take(SEAT, old.token, clock()),
        line.free(SEAT, old.token, True, clock()),
        line.return_to_head(SEAT, old.token, "no_answer", True),
        line.renew(SEAT, old.token, 5),
    ):
        assert not await late
    assert (await seats.state(SEAT)).state == "ringing"


async def test_a_seat_that_rang_before_its_claim_was_in_its_hash_talks_and_is_freed(
    line: Line, seats: Seats, redis: Redis, settings: Settings, clock: SetClock
) -> None:
    await line.join(SEAT, "a-1", 1.0, 1)
    old: Mapping[Any, Any] = {"state": "ringing", "call_id": "a-1", "token": "7", "since": "1.0", "until": repr(clock() + 5)}
    await redis.hset(line_keys(settings.redis_prefix, SEAT).seat, mapping=old)
    assert await line.renew(SEAT, 7, 5)
    assert await line.take(SEAT, 7, clock())
    assert await line.free(SEAT, 7, False, clock())
    await line.join(SEAT, "a-2", 2.0, 1)
    claim = await line.claim_next(SEAT, "me", 5)
    assert claim is not None
    assert claim.token > 7


async def test_who_answers_after_the_lease_still_talks_if_nobody_else_was_claimed(
    line: Line, seats: Seats, clock: SetClock
) -> None:
    await open_seat(seats)
    await line.join(SEAT, "a-1", 1.0, 1)
    claim = await line.claim_next(SEAT, "slow", 5)
    assert claim is not None
    clock.pass_by(6)
    assert await line.reap(SEAT)
    await seats.pause(SEAT, "tea")
    assert await line.take(SEAT, claim.token, clock())
    assert await line.members(SEAT) == []
    assert (await seats.state(SEAT)).state == "talking"
    assert await line.free(SEAT, claim.token, True, clock())
    assert (await seats.state(SEAT)).state == "paused"


async def test_a_caller_who_hangs_up_while_the_leader_is_rung_leaves_and_the_seat_is_freed(
    line: Line, seats: Seats, clock: SetClock
) -> None:
    await open_seat(seats)
    await line.join(SEAT, "a-1", 1.0, 1)
    claim = await line.claim_next(SEAT, "me", 5)
    assert claim is not None
    assert await line.leave(SEAT, "a-1", "abandoned", 3)
    assert (await seats.state(SEAT)).state == "ringing"
    assert await line.free(SEAT, claim.token, False, clock())
    assert (await seats.state(SEAT)).state == "free"
    assert await line.depth(SEAT) == 0


async def test_a_seat_closes_and_pauses_only_after_the_talk(line: Line, seats: Seats, clock: SetClock) -> None:
    await open_seat(seats)
    await line.join(SEAT, "a-1", 1.0, 1)
    claim = await line.claim_next(SEAT, "me", 5)
    assert claim is not None
    await line.take(SEAT, claim.token, clock())
    assert await seats.pause(SEAT, "tea")
    assert await seats.close(SEAT) == "talking"
    assert (await seats.state(SEAT)).closing
    await line.free(SEAT, claim.token, True, clock())
    seat = await seats.state(SEAT)
    assert (seat.state, seat.closing, seat.pause_after) == ("closed", False, "")
    assert not await seats.resume(SEAT)
    assert not await seats.pause(SEAT, "tea")


async def test_opening_a_seat_again_keeps_its_state_and_its_tokens(line: Line, seats: Seats, clock: SetClock) -> None:
    await open_seat(seats)
    await line.join(SEAT, "a-1", 1.0, 1)
    claim = await line.claim_next(SEAT, "me", 5)
    assert claim is not None
    assert await seats.open(SEAT, "x1", "市人社局", "李局长") == "ringing"
    await seats.close(SEAT)
    await line.return_to_head(SEAT, claim.token, "busy", True)
    assert (await seats.state(SEAT)).state == "closed"
    await open_seat(seats)
    again = await line.claim_next(SEAT, "me", 5)
    assert again is not None
    assert again.token > claim.token
    assert await seats.known() == [SEAT]


async def test_late_commands_never_make_a_ghost(line: Line) -> None:
    assert (await line.join(SEAT, "a-1", 1.0, 3)).position == 1
    assert await line.leave(SEAT, "a-1", "abandoned", 5)
    assert (await line.join(SEAT, "a-1", 1.0, 3)).position == 0
    assert not await line.leave(SEAT, "a-2", "abandoned", 9)
    assert (await line.join(SEAT, "a-2", 1.0, 7)).position == 0
    assert await line.depth(SEAT) == 0
    assert (await line.join(SEAT, "a-1", 1.0, 8)).position == 1
    assert not await line.leave(SEAT, "a-1", "abandoned", 5)
    assert await line.depth(SEAT) == 1


async def test_a_replayed_join_after_the_talk_began_makes_no_ghost(line: Line, seats: Seats, clock: SetClock) -> None:
    await open_seat(seats)
    await line.join(SEAT, "a-1", 1.0, 3)
    claim = await line.claim_next(SEAT, "me", 5)
    assert claim is not None
    await line.take(SEAT, claim.token, clock())
    assert (await line.join(SEAT, "a-1", 1.0, 3)).position == 0
    assert await line.depth(SEAT) == 0


async def test_tokens_grow_even_after_redis_lost_everything(
    line: Line, seats: Seats, redis: Redis, clock: SetClock
) -> None:
    tokens = []
    for _ in range(2):
        await open_seat(seats)
        await line.join(SEAT, "a-1", 1.0, 1)
        claim = await line.claim_next(SEAT, "me", 5)
        assert claim is not None
        tokens.append(claim.token)
        await redis.flushall()
        clock.pass_by(60)
    assert tokens[1] > tokens[0]


async def test_a_claim_names_the_line_of_the_callers_carrier(line: Line, seats: Seats) -> None:
    await open_seat(seats)
    await line.join(SEAT, "t-1", 1.0, 1)
    claim = await line.claim_next(SEAT, "me", 5)
    assert claim is not None
    assert claim.line == "+8613800000000"


async def test_a_seat_id_that_could_leave_its_key_is_refused(line: Line) -> None:
    for evil in ("", "a}b", "x y", "s\n1", "席位"):
        with pytest.raises(ValueError, match="seat id"):
            await line.depth(evil)
