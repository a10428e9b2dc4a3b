"""What operators do to a whole session that is held: announce, hold, close admission, extend, stop. Callers are told."""

from datetime import datetime

import structlog
from redis.asyncio import Redis

from calls.opening import Opening
from calls.store import UnknownCall
from calls.turn import Congested, Turns
from config.clock import Clock
from config.settings import Settings
from ivr.events import Woken
from ivr.notices import SAYS, NoticeKey
from queueing.line import Line
from queueing.seats import Seats
from sessions import directions
from sessions.calendar import Calendar, StepRefused
from sessions.model import Session

log = structlog.get_logger()


class Directing:
    """Every act may be repeated. Raises UnknownSession and StepRefused."""

    def __init__(
        self,
        settings: Settings,
        redis: Redis,
        calendar: Calendar,
        opening: Opening,
        seats: Seats,
        line: Line,
        turns: Turns,
        clock: Clock,
    ) -> None:
        self._redis, self._prefix, self._clock = redis, settings.redis_prefix, clock
        self._calendar, self._opening, self._seats, self._line, self._turns = calendar, opening, seats, line, turns

    async def announce(self, session_id: str, notice: NoticeKey) -> int:
        """Everybody who waits, and of whose line it is true, hears it now; how many were told."""
        session = await self._held(session_id)
        at = self._clock()
        await directions.announce(self._redis, self._prefix, session_id, notice, at)
        await self._opening.post_board()
        return await self._wake(session, at)

    async def hold(self, session_id: str) -> int:
        """Nobody is put through until it is resumed, also by a leader who signs in meanwhile; a talk goes on."""
        for seat in (await self._held(session_id)).seats:
            await self._seats.hold(seat.id, on=True)
        return await self.announce(session_id, SAYS["hold"])

    async def resume(self, session_id: str) -> int:
        """The seats that were held go on; one that pauses for another reason stays paused."""
        for seat in (await self._held(session_id)).seats:
            await self._seats.hold(seat.id, on=False)
        return await self.announce(session_id, SAYS["resume"])

    async def admit(self, session_id: str, *, closed: bool) -> None:
        """Nobody new joins the line, or they may again. Who waits goes on waiting."""
        await self._held(session_id)
        await directions.admit(self._redis, self._prefix, session_id, closed=closed)
        await self._opening.post_board()

    async def extend(self, session_id: str, closes_at: datetime, notice: NoticeKey = SAYS["extend"]) -> Session:
        """It closes at another time, of which `notice` (see `says_of`) is told. Raises PlanRefused for a time that is none."""
        session = await self._calendar.extend(session_id, closes_at)
        await self.announce(session_id, notice)
        return session

    async def says_of(self, session_id: str, closes_at: datetime) -> NoticeKey:
        """What is true of a new closing time: the session lasts longer than was planned until now, or it ends earlier."""
        planned = (await self._calendar.get(session_id)).closes_at
        return "shortened" if closes_at < planned else SAYS["extend"]

    async def stop(self, session_id: str) -> Session:
        """Emergency: everybody who waits or is being put through is told and becomes a work order. A talk ends after a sentence
        to both, and the caller is called back."""
        return await self._opening.close(session_id, "session_stopped")

    async def _held(self, session_id: str) -> Session:
        session = await self._calendar.get(session_id)
        if session.state != "open":
            raise StepRefused(f"the session is {session.state}: it is not held now")
        return session

    async def _wake(self, session: Session, at: float) -> int:
        """How many heard what was announced then: not those of whose line it is not true, nor who has hung up."""
        told = 0
        for seat in session.seats:
            for caller in await self._line.callers(seat.id):
                try:
                    turn = await self._turns.take_turn(caller.call_id, lambda facts: Woken(facts=facts))
                    told += turn.call.noticed_at >= at
                except (UnknownCall, Congested):
                    log.warning("a caller is told at the next announcement", call_id=caller.call_id)
        return told
