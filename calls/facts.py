"""Reads the world for a turn: clock, board, seats, line, forecast. Two round trips to Redis, no database, no decisions."""

from typing import Any

import structlog
from msgspec import DecodeError
from msgspec.structs import replace
from redis.asyncio import Redis

from config.clock import Clock
from config.settings import Settings
from ivr.call import Call
from ivr.facts import Facts, SeatFacts, SessionFacts
from ivr.limits import Limits
from queueing.forecast import Forecast, forecast
from queueing.keys import line_keys
from queueing.seats import SeatNow, read_seat
from sessions.board import Board, PostedSeat, PostedSession, read_board

log = structlog.get_logger()

#: A talk that is longer than usual is over soon, but nobody knows when.
LEAST_BUSY_S = 60.0


class FactsReader:
    """Raises redis.exceptions.RedisError when Redis is away."""

    def __init__(self, redis: Redis, settings: Settings, clock: Clock) -> None:
        self._redis = redis
        self._settings = settings
        self._clock = clock
        self._limits = limits_of(settings)

    async def read(self, call: Call) -> Facts:
        """The facts of this moment for this call."""
        board = await self._board()
        posted = board.open.seats if board.open else ()
        seats, depths, position = await self._look(posted, call)
        shown = tuple(map(_seat_facts, posted, seats, depths))
        facts = Facts(
            now=self._clock(),
            session=_session(board.open, shown),
            next_session=_session(board.next, tuple(map(_coming_seat, board.next.seats)) if board.next else ()),
            timezone=self._settings.timezone,
            operators=bool(self._settings.operators_line),
            city=self._settings.city,
            limits=self._limits,
            position=position,
        )
        chosen = _chosen(call, seats, depths)
        return self._with_forecast(facts, *chosen) if chosen and board.open else facts

    async def _board(self) -> Board:
        try:
            return await read_board(self._redis, self._settings.redis_prefix)
        except DecodeError:
            log.error("the board cannot be read; callers are told that no session is open")
            return Board()

    async def _look(self, posted: tuple[PostedSeat, ...], call: Call) -> tuple[list[SeatNow], list[int], int]:
        prefix = self._settings.redis_prefix
        keys = [line_keys(prefix, seat.id) for seat in posted]
        async with self._redis.pipeline(transaction=False) as pipe:
            for names in keys:
                pipe.hgetall(names.seat)
                pipe.zcard(names.waiting)
            if call.seat_id:
                pipe.zrank(line_keys(prefix, call.seat_id).waiting, call.id)
            rows: list[Any] = await pipe.execute() if keys or call.seat_id else []
        rank = rows.pop() if call.seat_id else None
        now = self._clock()
        seats = [read_seat(seat.id, row, now) for seat, row in zip(posted, rows[::2], strict=True)]
        return seats, [int(depth) for depth in rows[1::2]], 0 if rank is None else int(rank) + 1

    def _with_forecast(self, facts: Facts, seat: SeatNow, depth: int) -> Facts:
        assert facts.session is not None  # noqa: S101 - for the type checker: only called with one
        told = self._forecast(facts, seat, facts.position - 1 if facts.position else depth)
        return replace(
            facts,
            depth=depth,
            admission=told.admission,
            chance=told.chance,
            wait_s=told.wait_s,
            can_serve=told.can_serve,
        )

    def _forecast(self, facts: Facts, seat: SeatNow, ahead: int) -> Forecast:
        settings = self._settings
        closes_at = facts.session.closes_at if facts.session else facts.now
        return forecast(
            ahead=ahead,
            closes_in_s=closes_at - facts.now,
            busy_s=busy_for(seat, facts.now, settings.handle_time_s, settings.wrap_up_s),
            handle_s=settings.handle_time_s,
            wrap_up_s=settings.wrap_up_s,
            discouraged_below=settings.discouraged_below,
            ended_below=settings.admission_ends_below,
        )


def busy_for(seat: SeatNow, now: float, handle_s: float, wrap_up_s: float) -> float:
    """Expected seconds until the seat is free. A caller who is only offered still counts as one who is ahead."""
    match seat.state:
        case "talking":
            return max(handle_s - (now - seat.since), LEAST_BUSY_S) + wrap_up_s
        case "wrap_up":
            return max(seat.until - now, 0.0)
        case _:
            return 0.0


def limits_of(settings: Settings) -> Limits:
    """The flow's limits, where the city may set them."""
    return Limits(
        ask_timeout_s=settings.ask_timeout_s,
        announce_every_s=settings.announce_every_s,
        message_max_s=settings.message_max_s,
        message_silence_s=settings.message_silence_s,
        ring_s=settings.ring_s,
        operator_ring_s=settings.operator_ring_s,
        record_talks=settings.record_talks,
    )


def _chosen(call: Call, seats: list[SeatNow], depths: list[int]) -> tuple[SeatNow, int] | None:
    """The seat the call is at; else, as the flow proposes it, the first that is open, else the first."""
    both = list(zip(seats, depths, strict=True))
    mine = [pair for pair in both if pair[0].id == call.seat_id]
    opened = [pair for pair in both if pair[0].state != "closed"]
    return next(iter(mine + opened + both), None)


def _seat_facts(posted: PostedSeat, seat: SeatNow, depth: int) -> SeatFacts:
    return SeatFacts(posted.id, posted.unit, posted.leader, seat.state, depth)


def _coming_seat(posted: PostedSeat) -> SeatFacts:
    return SeatFacts(posted.id, posted.unit, posted.leader, "closed", 0)


def _session(posted: PostedSession | None, seats: tuple[SeatFacts, ...]) -> SessionFacts | None:
    if posted is None:
        return None
    return SessionFacts(posted.id, posted.opens_at, posted.closes_at, posted.theme, seats)
