"""Opening and closing a session for the callers: the board, the leaders' seats, and nobody forgotten in a line (A12)."""

import asyncio
from datetime import datetime
from typing import Literal

import structlog
from msgspec import Struct
from redis.asyncio import Redis

from calls.directed import as_directed
from calls.kept_places import KeptPlaces
from calls.ledger import Ledger
from calls.store import UnknownCall
from calls.turn import Congested, Turns
from config.settings import Settings
from ivr.events import Released
from queueing.line import Line
from queueing.seats import BUSY, Seats
from sessions import board
from sessions.calendar import Calendar
from sessions.directions import Directions, are_lost, look_after, read_directions, restore
from sessions.model import Seat, Session

log = structlog.get_logger()

#: A turn that read the board before it changed may still put somebody into the line: looked after for so long.
LATE_JOINERS_S = 300.0
#: Callers who are told side by side.
TOLD_AT_ONCE = 16
#: No call has that many turns.
_AFTER_ALL = 1_000_000

Reason = Literal["session_closed", "session_stopped", "session_postponed", "leader_left"]


class Ticked(Struct, frozen=True):
    """What one look at the calendar did: ids of sessions, number of callers released."""

    opened: tuple[str, ...] = ()
    closing: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    released: int = 0


class Opening:
    """Every act may be repeated, and done by several processes at once."""

    def __init__(
        self,
        settings: Settings,
        redis: Redis,
        calendar: Calendar,
        seats: Seats,
        line: Line,
        turns: Turns,
        ledger: Ledger | None = None,
        kept: KeptPlaces | None = None,
    ) -> None:
        """`ledger` and `kept`: for `tick`, which finds there what was directed, and who keeps a place, when Redis has lost it."""
        self._kept = kept
        self._ledger = ledger
        self._redis = redis
        self._prefix = settings.redis_prefix
        self._calendar, self._seats, self._line, self._turns = calendar, seats, line, turns
        #: Seats that were not found at the last look.
        self._missing: set[str] = set()

    async def open(self, session_id: str) -> Session:
        """Open a session now. Raises UnknownSession, StepRefused, SessionOverlaps."""
        session = await self._calendar.open(session_id)
        await self.post_board()
        return session

    async def close(self, session_id: str, reason: Reason = "session_closed") -> Session:
        """Close a session now: who waits becomes a work order, the talk under way is not cut. "session_stopped" is the
        emergency: it reaches also whom the leader's phone rings for, and ends the talk."""
        await self._calendar.close(session_id)
        await self.post_board()
        await self._close_out(await self._calendar.get(session_id), reason)
        return await self._calendar.get(session_id)

    async def postpone(self, session_id: str, opens_at: datetime, closes_at: datetime, why: str) -> Session:
        """A session that is open is held another day: who waits is told so and becomes a work order, the talk under way is not
        cut. The session that is planned instead. Raises what Calendar.hold_later does."""
        later = await self._calendar.hold_later(session_id, opens_at, closes_at, why)
        await self.post_board()
        await self._close_out(await self._calendar.get(session_id), "session_postponed")
        return later

    async def sign_in(self, seat_id: str) -> str:
        """The leader takes the seat; its state now. Raises UnknownSeat, StepRefused."""
        state = await self._open_seat(await self._calendar.sign_in(seat_id))
        await self.post_board()
        return state

    async def sign_out(self, seat_id: str) -> str:
        """The leader leaves; who waits for this leader becomes a work order, and who calls now is told. The seat's state now (a
        talk goes on)."""
        await self._calendar.sign_out(seat_id)
        state = await self._seats.close(seat_id)
        await self.post_board()
        await self._release_waiting(seat_id, "leader_left")
        return state

    async def tick(self) -> Ticked:
        """Open and close what is due, look after what is closing, keep board and seats as the database has them."""
        closing = await self._calendar.close_due()
        opened = await self._calendar.open_due()
        await self.post_board()
        released, closed = 0, []
        for session in await self._calendar.closing_since(LATE_JOINERS_S):
            await self._restore_kept(session)
            released += await self._close_out(session)
            if session.state == "closing" and (await self._calendar.get(session.id)).state == "closed":
                closed.append(session.id)
        for session in await self._calendar.find("open"):
            await self._restore_directions(session)
            await self._restore_kept(session)
            await self._restore_seats(session)
            for seat in session.seats:  # a turn that read the board before the leader left
                released += await self._release_waiting(seat.id, "leader_left") if seat.has_left else 0
        if opened or closing or closed or released:
            log.info("sessions ticked", opened=opened, closing=closing, closed=closed, released=released)
        return Ticked(opened=tuple(opened), closing=tuple(closing), closed=tuple(closed), released=released)

    async def post_board(self) -> None:
        """Put up the open session and the next one."""
        known = await self._calendar.on_board()
        directed = {
            one.id: await read_directions(self._redis, self._prefix, one.id) for one in known if one.state == "open"
        }
        await board.post(self._redis, self._prefix, board.draw(known, directed))

    async def _close_out(self, session: Session, reason: Reason = "session_closed") -> int:
        """Close the seats, release who waits; when nobody is left, the session is over. How many were released."""
        released, busy = 0, False
        for seat in session.seats:
            state = await self._seats.close(seat.id)
            released += await self._release_waiting(seat.id, reason)
            busy = busy or state in BUSY or await self._line.depth(seat.id) > 0
        if not busy and session.state == "closing":
            await self._calendar.finish(session.id)
        return released

    async def _release_waiting(self, seat_id: str, reason: Reason) -> int:
        everybody = reason == "session_stopped"
        # Else the leader's line rings for them: they may still be put through.
        callers = [one for one in await self._line.callers(seat_id) if everybody or one.state != "offered"]
        leaving = [one.call_id for one in callers]
        seat = await self._seats.state(seat_id)
        if everybody and seat.state == "talking":
            leaving.append(seat.call_id)
        released = 0
        for first in range(0, len(leaving), TOLD_AT_ONCE):  # the head first, and two hundred in a few seconds
            some = leaving[first : first + TOLD_AT_ONCE]
            released += sum(await asyncio.gather(*(self._release(seat_id, call_id, reason) for call_id in some)))
        return released

    async def _release(self, seat_id: str, call_id: str, reason: Reason) -> bool:
        """True when the caller heard it; one who cannot be told now is told at the next tick."""
        try:
            turn = await self._turns.take_turn(
                call_id, lambda facts: Released(facts=facts, to="work_order", reason=reason)
            )
        except UnknownCall:
            log.error("a line holds a call that is not known", seat_id=seat_id, call_id=call_id)
            await self._line.leave(seat_id, call_id, "failed", _AFTER_ALL)
            return False
        except Congested:
            return False
        if turn.call.node == "ended":
            await self._line.leave(seat_id, call_id, "released", turn.call.seq)
        return True

    async def _restore_seats(self, session: Session) -> None:
        """Seats whose leader signed in but of which Redis knows nothing (it lost its data) are opened again, at the second
        look: the bridges put back talks and lines first."""
        lost = {
            seat.id: seat
            for seat in session.seats
            if seat.is_signed_in and not (await self._seats.state(seat.id)).session_id
        }
        for seat_id in self._missing & lost.keys():
            log.warning("a seat was lost and is opened again", seat_id=seat_id)
            await self._open_seat(lost[seat_id])
        self._missing = self._missing - {seat.id for seat in session.seats} | lost.keys()

    async def _restore_kept(self, session: Session) -> None:
        """Before a seat is opened again; where nobody is put through any more, at once."""
        if self._kept is not None:
            await self._kept.look_after(session, at_once=session.state != "open")

    async def _restore_directions(self, session: Session) -> None:
        """A hold, admission that is closed and the announcement stand as the ledger has them, whether a leader has signed in or
        not, and before anybody is put through."""
        if self._ledger is None or not await are_lost(self._redis, self._prefix, session.id):
            return
        stands = as_directed(await self._ledger.of_session(session.id))
        for seat in session.seats if stands.held else ():
            await self._seats.hold(seat.id, on=True)
        if stands.directions != Directions():
            await restore(self._redis, self._prefix, session.id, stands.directions)
            await self.post_board()
        await look_after(self._redis, self._prefix, session.id)

    async def _open_seat(self, seat: Seat) -> str:
        return await self._seats.open(
            seat.id, seat.session_id, seat.unit, seat.leader, seat.line_asterisk, seat.line_twilio
        )
