"""Reads the world for a turn: clock, board, seats, line, forecast. Two round trips to Redis, no database, no decisions."""

import structlog
from msgspec import DecodeError
from msgspec.structs import replace
from redis.asyncio import Redis

from calls.outlook import LineNow, Outlook
from calls.places import Places
from config.clock import Clock
from config.settings import Settings
from ivr.call import Call
from ivr.facts import Facts, Notice, SeatFacts, SessionFacts
from ivr.limits import Limits
from queueing.forecast import Forecast
from sessions.board import Board, PostedSeat, PostedSession, read_board

log = structlog.get_logger()


class FactsReader:
    """Raises redis.exceptions.RedisError when Redis is away."""

    def __init__(self, redis: Redis, settings: Settings, clock: Clock) -> None:
        self._redis = redis
        self._settings = settings
        self._clock = clock
        self._limits = limits_of(settings)
        self._outlook = Outlook(redis, settings, clock)
        self._places = Places(redis, settings, clock)

    async def read(self, call: Call) -> Facts:
        """The facts of this moment for this call."""
        board = await self._board()
        posted = board.open.seats if board.open else ()
        lines, position = await self._outlook.look([seat.id for seat in posted], call.id, call.seat_id)
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
        shown = tuple(self._seat_facts(facts, *each, closed=closed) for each in zip(posted, lines, strict=True))
        facts = await self._with_place(replace(facts, session=replace(facts.session, seats=shown)), call)
        chosen = _chosen(call, lines)
        return self._with_forecast(facts, chosen, closed=closed) if chosen else facts

    def _calls_back(self, call: Call) -> bool:
        if call.carrier == "twilio":
            return bool(self._settings.twilio_number)
        return bool(self._settings.callback_line or self._settings.trunk)

    async def _with_place(self, facts: Facts, call: Call) -> Facts:
        """What is known of the number, while it is decided whether the caller joins a line."""
        if not call.number or call.node not in ("arriving", "question"):
            return facts
        place = await self._places.find(call.number, call.id)
        recent = await self._places.count(call.number, call.id) if call.node == "arriving" else 0
        return replace(facts, place=place, recent_calls=recent)

    def _seat_facts(self, facts: Facts, posted: PostedSeat, line: LineNow, *, closed: bool) -> SeatFacts:
        told = self._forecast(facts, line, line.depth)
        return SeatFacts(
            posted.id,
            posted.unit,
            posted.leader,
            line.seat.state,
            line.depth,
            admission="ended" if closed else told.admission,
            chance=told.chance,
            wait_s=told.wait_s,
            can_serve=told.can_serve,
        )

    async def _board(self) -> Board:
        try:
            return await read_board(self._redis, self._settings.redis_prefix)
        except DecodeError:
            log.error("the board cannot be read; callers are told that no session is open")
            return Board()

    def _with_forecast(self, facts: Facts, line: LineNow, *, closed: bool) -> Facts:
        told = self._forecast(facts, line, facts.position - 1 if facts.position else line.depth)
        return replace(
            facts,
            depth=line.depth,
            admission="ended" if closed else told.admission,
            chance=told.chance,
            wait_s=told.wait_s,
            can_serve=told.can_serve,
        )

    def _forecast(self, facts: Facts, line: LineNow, ahead: int) -> Forecast:
        return self._outlook.forecast(line, ahead, facts.session.closes_at if facts.session else facts.now)


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
