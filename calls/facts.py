"""Reads the world for a turn: clock, board, seats, line, forecast. One round trip to Redis, no database, no decisions."""

from collections.abc import Awaitable
from operator import is_
from typing import Any

import structlog
from msgspec import DecodeError, Struct
from msgspec.structs import replace
from redis.asyncio import Redis

from calls.outlook import MOMENT_S, LineNow, Look, Outlook
from calls.places import Places
from config.clock import Clock
from config.numbers import read_dialable
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
#: Nodes from which nobody comes back to a line: what waiting would mean is not worked out for them.
BEYOND = frozenset({"message", "order", "talking", "operator", "fallback", "goodbye", "ended"})


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
        self._last_told: _Told | None = None

    async def read(self, call: Call) -> Facts:
        """The facts of this moment for this call."""
        return await self.begin(call.id, call).of(call)

    def begin(self, call_id: str, call: Call | None = None) -> "Asked":
        """The same, asked now, together with whatever else is begun: of a call that is being read itself, without it. The
        lines are asked together with the board, as it hung there last."""
        hanging = begin(self._redis, "GET", board_key(self._settings.redis_prefix), same=True)
        arrives = call is not None and call.node == "arriving"  # in no line yet
        look = self._outlook.begin(_seat_ids(self._board), "" if arrives else call_id)
        return Asked(self, self._board, hanging, look, self.begin_known(call, self._board) if call else None)

    def begin_known(self, call: Call, board: Board) -> Awaitable[Any] | None:
        """What is known of the number, where that matters."""
        if board.open is None or not call.number or call.node not in DECIDING:
            return None
        return self._places.begin_look(call.number, call.id, counted=call.node == "arriving")

    async def look_again(self, board: Board, call: Call) -> tuple[list[LineNow], dict[str, int]]:
        """At the lines of a board that hangs there now, but hung not."""
        return await self._outlook.begin(_seat_ids(board), call.id)

    async def position(self, call: Call) -> int:
        """In a line that is not on the board."""
        _, positions = await self._outlook.begin((call.seat_id,), call.id)
        return positions[call.seat_id]

    def read_board(self, text: str | None) -> Board:
        """The board, which is remembered for the next look."""
        try:
            self._board = read_text(text)
        except DecodeError:
            log.error("the board cannot be read; callers are told that no session is open")
            self._board = Board()
        return self._board

    def put_together(
        self, call: Call, board: Board, lines: list[LineNow], position: int, known: list[Any] | None
    ) -> Facts:
        """From what was read."""
        now, open_, settings = self._clock(), board.open, self._settings
        told = self._told(board, lines, now, deciding=call.node in DECIDING)
        place, recent = self._places.read_look(call.id, known, call.started_at) if known and open_ else (None, 0)
        facts = Facts(
            now=now,
            session=told.session,
            notice=told.notice,
            next_session=told.next_session,
            timezone=settings.timezone,
            operators=self._has_operators(call),
            city=settings.city,
            limits=self._limits,
            position=position,
            dialable=read_dialable(call.typed, settings) if call.typed else "",
            calls_back=self._calls_back(call),
            place=place,
            recent_calls=recent,
        )
        chosen = _chosen(call, lines) if open_ is not None and call.node not in BEYOND else None
        if chosen is None or open_ is None:
            return facts
        at = lines.index(chosen)
        ahead = position - 1 if position else chosen.depth
        mine = told.forecasts[at] if ahead == chosen.depth and told.forecasts else None
        shut = open_.admission_closed or told.seats[at].left
        forecast = mine or self._outlook.forecast(chosen, ahead, open_.closes_at)
        return _with_forecast(facts, chosen.depth, forecast, closed=shut)

    def _told(self, board: Board, lines: list[LineNow], now: float, *, deciding: bool) -> "_Told":
        """What everybody is told who asks in this moment; the forecasts of the lines for those who choose one."""
        told = self._last_told
        if (
            told is not None
            and told.board is board
            and told.deciding is deciding
            and 0.0 <= now - told.at < MOMENT_S
            and len(lines) == len(told.lines)
            and all(map(is_, lines, told.lines))
        ):
            return told
        open_, next_ = board.open, board.next
        if next_ is not None and next_.closes_at <= now:  # nobody has looked at the board since
            next_ = None
        forecasts: tuple[Forecast, ...] = ()
        seats: tuple[SeatFacts, ...] = ()
        if open_ is not None:
            closed = open_.admission_closed
            if deciding:
                forecasts = tuple(self._outlook.forecast(line, line.depth, open_.closes_at) for line in lines)
            each = zip(open_.seats, lines, forecasts or (None,) * len(lines), strict=True)
            seats = tuple(_seat_facts(*one, closed=closed) for one in each)
        self._last_told = told = _Told(
            at=now, board=board, lines=lines, deciding=deciding, forecasts=forecasts, seats=seats,
            session=_session(open_, seats), notice=_notice(open_),
            next_session=_session(next_, tuple(map(_coming_seat, next_.seats)) if next_ else ()),
        )  # fmt: skip
        return told

    def _has_operators(self, call: Call) -> bool:
        settings = self._settings
        line = settings.effective_twilio_operators_line if call.carrier == "twilio" else settings.operators_line
        return bool(line)

    def _calls_back(self, call: Call) -> bool:
        if call.number and not read_dialable(call.number, self._settings):
            return False
        if call.carrier == "twilio":
            return bool(self._settings.twilio_number)
        return bool(self._settings.callback_line or self._settings.trunk)


class _Told(Struct, frozen=True):
    """What is the same for everybody who asks in one moment, at `at`."""

    at: float
    board: Board
    lines: list[LineNow]
    deciding: bool
    #: For who joins a line now, of each line; empty for those who do not choose.
    forecasts: tuple[Forecast, ...]
    seats: tuple[SeatFacts, ...]
    session: SessionFacts | None
    notice: Notice | None
    next_session: SessionFacts | None


class Asked:
    """Facts that are under way. Ask for them once."""

    def __init__(
        self,
        reader: FactsReader,
        supposed: Board,
        hanging: Awaitable[Any],
        look: Look,
        known: Awaitable[Any] | None,
    ) -> None:
        self._reader, self._supposed, self._hanging, self._look, self._known = reader, supposed, hanging, look, known

    async def of(self, call: Call) -> Facts:
        """The facts for this call."""
        reader = self._reader
        board = reader.read_board(await self._hanging)
        asked = self._known or reader.begin_known(call, board)
        lines, positions = await self._look
        if board is not self._supposed and _seat_ids(board) != _seat_ids(self._supposed):
            lines, positions = await reader.look_again(board, call)
        if call.seat_id and call.seat_id not in positions:
            positions[call.seat_id] = await reader.position(call)
        known = await asked if asked is not None else None
        return reader.put_together(call, board, lines, positions.get(call.seat_id, 0), known)


def _seat_ids(board: Board) -> tuple[str, ...]:
    return tuple(seat.id for seat in board.open.seats) if board.open else ()


def _seat_facts(posted: PostedSeat, line: LineNow, told: Forecast | None, *, closed: bool) -> SeatFacts:
    """`told`: the forecast for who joins this line now; it is worked out only for those who choose a line."""
    left = posted.left and (line.seat.state == "closed" or line.seat.closing)  # not when the leader has just come back
    seat = SeatFacts(
        posted.id, posted.unit, posted.leader, line.seat.state, line.depth, left=left, held=line.seat.held, gone=line.seat.gone
    )  # fmt: skip
    if told is None:
        return seat
    return replace(
        seat,
        admission="ended" if closed or left else told.admission,
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
        order_timeout_s=settings.order_timeout_s,
        ring_s=settings.ring_s,
        operator_ring_s=settings.operator_ring_s,
        record_talks=settings.record_talks,
        most_recent_calls=settings.burst_calls,
        callback_tries=settings.callback_tries,
        callback_ring_s=settings.callback_ring_s,
    )


def _chosen(call: Call, lines: list[LineNow]) -> LineNow | None:
    """The seat the call is at; else, as the flow proposes it, the first that is open, else the first."""
    opened = None
    for line in lines:
        if line.seat.id == call.seat_id:
            return line
        if opened is None and line.seat.state != "closed":
            opened = line
    return opened or next(iter(lines), None)


def _coming_seat(posted: PostedSeat) -> SeatFacts:
    return SeatFacts(posted.id, posted.unit, posted.leader, "closed", 0)


def _notice(posted: PostedSession | None) -> Notice | None:
    return Notice(posted.notice, posted.notice_at) if posted and posted.notice else None


def _session(posted: PostedSession | None, seats: tuple[SeatFacts, ...]) -> SessionFacts | None:
    if posted is None:
        return None
    return SessionFacts(posted.id, posted.opens_at, posted.closes_at, posted.theme, seats)
