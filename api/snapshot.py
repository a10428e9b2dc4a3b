"""The line as it is at one moment, read from Redis alone: it is there when the database is away."""

import asyncio
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from api.schemas import CallerOut, LineOut, SeatBrief, SessionBrief
from calls.assembly import Core
from config.privacy import mask
from ivr.call import Call
from queueing.line import Waiting
from queueing.seats import SeatNow
from sessions.board import PostedSession, read_board

#: Carriers and masked numbers of calls never change: remembered, so that a refresh reads each call once.
REMEMBERED = 4096


class LineReader:
    """Reads the line. Keeps no number in clear."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._zone = ZoneInfo(core.settings.timezone)
        self._known: dict[str, tuple[str, str]] = {}

    async def read(self) -> LineOut:
        """The line now. Raises RedisError."""
        session = (await read_board(self._core.redis, self._core.settings.redis_prefix)).open
        now = self._core.clock()
        seats = await self._core.seats.all([seat.id for seat in session.seats]) if session else []
        waiting = await asyncio.gather(*(self._core.line.callers(seat.id) for seat in seats))
        lines = dict(zip((seat.id for seat in seats), waiting, strict=True))
        await self._learn([caller.call_id for line in waiting for caller in line])
        callers = [self._caller(seat_id, caller, now) for seat_id, line in lines.items() for caller in line]
        return LineOut(
            at=self._moment(now),
            session=self._session(session),
            depth=len(callers),
            longest_wait_s=max((caller.waited_s for caller in callers), default=0.0),
            seats=self._seats(session, seats, lines),
            callers=callers,
        )

    async def read_for_stream(self) -> tuple[object, bytes]:
        """What decides whether the line changed (all but the clock), and the document."""
        line = await self.read()
        still = line.model_dump_json(
            exclude={"at": True, "longest_wait_s": True, "callers": {"__all__": {"waited_s"}}}
        )
        return still, line.model_dump_json().encode()

    async def _learn(self, call_ids: list[str]) -> None:
        unknown = [call_id for call_id in call_ids if call_id not in self._known]
        if len(self._known) + len(unknown) > REMEMBERED:
            self._known = {call_id: self._known[call_id] for call_id in call_ids if call_id in self._known}
        calls: list[Call | None] = await asyncio.gather(
            *(self._core.calls.get(call_id) for call_id in unknown)
        )
        for call in calls:
            if call is not None:
                self._known[call.id] = (call.carrier, mask(call.number))

    def _caller(self, seat_id: str, caller: Waiting, now: float) -> CallerOut:
        guessed = "twilio" if caller.call_id.startswith("t-") else "asterisk"
        carrier, number = self._known.get(caller.call_id, (guessed, ""))
        return CallerOut(
            call_id=caller.call_id,
            carrier="twilio" if carrier == "twilio" else "asterisk",
            number=number,
            seat_id=seat_id,
            position=caller.position,
            joined_at=self._moment(caller.joined_at),
            waited_s=round(max(0.0, now - caller.joined_at), 1),
            state=caller.state,
        )

    def _session(self, session: PostedSession | None) -> SessionBrief | None:
        if session is None:
            return None
        return SessionBrief(id=session.id, state="open", closes_at=self._moment(session.closes_at))

    @staticmethod
    def _seats(
        session: PostedSession | None, seats: list[SeatNow], lines: dict[str, list[Waiting]]
    ) -> list[SeatBrief]:
        planned = session.seats if session else ()
        return [
            SeatBrief(
                id=seat.id, unit=plan.unit, leader=plan.leader, state=seat.state, depth=len(lines[seat.id])
            )
            for plan, seat in zip(planned, seats, strict=True)
        ]

    def _moment(self, seconds: float) -> datetime:
        return datetime.fromtimestamp(seconds, UTC).astimezone(self._zone)
