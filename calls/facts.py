"""Reads the world for a turn: clock, board, seats, line, forecast. One round trip to Redis, no database, no decisions."""

from collections.abc import Awaitable
from typing import Any

import structlog
from msgspec import DecodeError, Struct
from msgspec.structs import replace
from redis.asyncio import Redis

from calls.outlook import LineNow, Look, Outlook
from calls.places import Places
from config.clock import Clock
from config.settings import Settings
from config.shared import begin
from ivr.call import Call
from ivr.facts import Facts, Notice, SeatFacts, SessionFacts
from ivr.limits import Limits
from queueing.forecast import Forecast
from sessions.board import Board, PostedSeat, PostedSession, board_key, read_text

log = structlog.get_logger()

#: Nodes at which it is decided whether the caller joins a line.
DECIDING = ("arriving", "question")


class FactsReader:
    """Raises redis.exceptions.RedisError when Redis is away."""

    def __init__(self, redis: Redis, settings: Settings, clock: Clock) -> None:
        self._redis = redis
        self._settings = settings
        self._clock = clock
        self._limits = limits_of(settings)
        self._outlook = Outlook(redis, settings, clock)
        self._places = Places(redis, settings, clock)
        self._board = Board()

    async def read(self, call: Call) -> Facts:
        """The facts of this moment for this call. The lines are asked together with the board, as it hung there last."""
        hanging = begin(self._redis, "GET", board_key(self._settings.redis_prefix))
        supposed, asked = self._board, self._ask(self._board, call)
        board = self._board = self._read_board(await hanging)
        answers = await asked.answers()
        if board is not supposed and _seat_ids(board) != _seat_ids(supposed):
            answers = await self._ask(board, call).answers()
        return self._facts(call, board, *answers)

    def _ask(self, board: Board, call: Call) -> "_Asked":
        look = self._outlook.begin(_seat_ids(board), call.id, call.seat_id)
        if board.open is None or not call.number or call.node not in DECIDING:
            return _Asked(look, None)
        return _Asked(look, self._places.begin_look(call.number, call.id, counted=call.node == "arriving"))

    def _facts(self, call: Call, board: Board, lines: list[LineNow], position: int, known: list[Any] | None) -> Facts:
        facts = Facts(
            now=self._clock(),
            session=_session(board.open, ()),
            notice=_notice(board.open),
            next_session=_session(board.next, tuple(map(_coming_seat, board.next.seats)) if board.next else ()),
            timezone=self._settings.timezone,
            operators=bool(self._settings.operators_line),
            city=self._settings.city,
            limits=self._limits,
            position=position,
            calls_back=self._calls_back(call),
        )
        if board.open is None or facts.session is None:
            return facts
        closed = board.open.admission_closed
        told = [self._forecast(facts, line, line.depth) if call.node in DECIDING else None for line in lines]
        shown = tuple(_seat_facts(*each, closed=closed) for each in zip(board.open.seats, lines, told, strict=True))
        place, recent = self._places.read_look(call.id, known) if known else (None, 0)
        facts = replace(facts, session=replace(facts.session, seats=shown), place=place, recent_calls=recent)
        chosen = _chosen(call, lines)
        if chosen is None:
            return facts
        ahead = facts.position - 1 if facts.position else chosen.depth
        mine = told[lines.index(chosen)] if ahead == chosen.depth else None
        return _with_forecast(facts, chosen.depth, mine or self._forecast(facts, chosen, ahead), closed=closed)

    def _calls_back(self, call: Call) -> bool:
        if call.carrier == "twilio":
            return bool(self._settings.twilio_number)
        return bool(self._settings.callback_line or self._settings.trunk)

    def _read_board(self, text: str | None) -> Board:
        try:
            return read_text(text)
        except DecodeError:
            log.error("the board cannot be read; callers are told that no session is open")
            return Board()

    def _forecast(self, facts: Facts, line: LineNow, ahead: int) -> Forecast:
        return self._outlook.forecast(line, ahead, facts.session.closes_at if facts.session else facts.now)


class _Asked(Struct, frozen=True):
    """What is under way: the lines, and what is known of the number, if that matters."""

    look: Look
    known: Awaitable[Any] | None

    async def answers(self) -> tuple[list[LineNow], int, list[Any] | None]:
        known = await self.known if self.known is not None else None
        return *(await self.look.seen()), known


def _seat_ids(board: Board) -> tuple[str, ...]:
    return tuple(seat.id for seat in board.open.seats) if board.open else ()


def _seat_facts(posted: PostedSeat, line: LineNow, told: Forecast | None, *, closed: bool) -> SeatFacts:
    """`told`: the forecast for who joins this line now; it is worked out only for those who choose a line."""
    seat = SeatFacts(posted.id, posted.unit, posted.leader, line.seat.state, line.depth)
    if told is None:
        return seat
    return replace(
        seat,
        admission="ended" if closed else told.admission,
        chance=told.chance,
        wait_s=told.wait_s,
        can_serve=told.can_serve,
    )


def _with_forecast(facts: Facts, depth: int, told: Forecast, *, closed: bool) -> Facts:
    return replace(
        facts,
        depth=depth,
        admission="ended" if closed else told.admission,
        chance=told.chance,
        wait_s=told.wait_s,
        can_serve=told.can_serve,
    )


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
        most_recent_calls=settings.burst_calls,
        callback_tries=settings.callback_tries,
        callback_ring_s=settings.callback_ring_s,
    )


def _chosen(call: Call, lines: list[LineNow]) -> LineNow | None:
    """The seat the call is at; else, as the flow proposes it, the first that is open, else the first."""
    mine = [line for line in lines if line.seat.id == call.seat_id]
    opened = [line for line in lines if line.seat.state != "closed"]
    return next(iter(mine + opened + lines), None)


def _coming_seat(posted: PostedSeat) -> SeatFacts:
    return SeatFacts(posted.id, posted.unit, posted.leader, "closed", 0)


def _notice(posted: PostedSession | None) -> Notice | None:
    return Notice(posted.notice, posted.notice_at) if posted and posted.notice else None


def _session(posted: PostedSession | None, seats: tuple[SeatFacts, ...]) -> SessionFacts | None:
    if posted is None:
        return None
    return SessionFacts(posted.id, posted.opens_at, posted.closes_at, posted.theme, seats)
