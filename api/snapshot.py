"""The line as it is at one moment, read from Redis alone: it is there when the database is away."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

from api.schemas.line import CallerOut, LineOut, SeatBrief, SessionBrief
from calls.assembly import Core
from calls.outlook import LineNow, Outlook
from config.privacy import mask
from ivr.call import Call
from queueing.forecast import Forecast
from queueing.line import Waiting, depth_of
from sessions.board import PostedSession, read_board

#: Carriers and masked numbers of calls never change: remembered, so that a refresh reads each call once.
REMEMBERED = 4096
#: Change with the clock alone: no reason to send the line anew.
MOVING = {"waited_s", "chance", "wait_s", "can_serve"}


class LineReader:
    """Reads the line. Keeps no number in clear."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._outlook = Outlook(core.redis, core.settings, core.clock)
        self._zone = ZoneInfo(core.settings.timezone)
        self._known: dict[str, tuple[str, str]] = {}

    async def read(self) -> LineOut:
        """The line now. Raises RedisError."""
        session = (await read_board(self._core.redis, self._core.settings.redis_prefix)).open
        now = self._core.clock()
        looks = await self._outlook.look(seat.id for seat in session.seats) if session else []
        waiting = await asyncio.gather(*(self._core.line.callers(look.seat.id) for look in looks))
        lines = {look.seat.id: line for look, line in zip(looks, waiting, strict=True)}
        await self._learn([caller.call_id for line in waiting for caller in line])
        closes_at = session.closes_at if session else now
        told = {look.seat.id: partial(self._outlook.forecast, look, closes_at=closes_at) for look in looks}
        callers = [
            self._caller(seat_id, caller, now, told[seat_id](ahead=caller.position - 1))
            for seat_id, line in lines.items()
            for caller in line
        ]
        return LineOut(
            at=self._moment(now),
            session=self._session(session),
            depth=sum(depth_of(lines[look.seat.id], look.depth) for look in looks),
            longest_wait_s=max((caller.waited_s for caller in callers), default=0.0),
            seats=self._seats(session, looks, told),
            callers=callers,
        )

    async def read_for_stream(self) -> tuple[object, bytes]:
        """What decides whether the line changed (all but the clock), and the document."""
        line = await self.read()
        still = line.model_dump_json(
            exclude={"at": True, "longest_wait_s": True, "callers": {"__all__": MOVING}, "seats": {"__all__": MOVING}}
        )
        return still, line.model_dump_json().encode()

    async def _learn(self, call_ids: list[str]) -> None:
        unknown = [call_id for call_id in call_ids if call_id not in self._known]
        if len(self._known) + len(unknown) > REMEMBERED:
            self._known = {call_id: self._known[call_id] for call_id in call_ids if call_id in self._known}
        read = self._core.calls.get_readable
        calls: list[Call | None] = await asyncio.gather(*(read(call_id) for call_id in unknown))
        for call in calls:
            if call is not None:
                self._known[call.id] = (call.carrier, mask(call.number))

    def _caller(self, seat_id: str, caller: Waiting, now: float, told: Forecast) -> CallerOut:
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
            chance=round(told.chance, 3),
            wait_s=round(told.wait_s, 1),
        )

    def _session(self, session: PostedSession | None) -> SessionBrief | None:
        if session is None:
            return None
        return SessionBrief(id=session.id, state="open", closes_at=self._moment(session.closes_at))

    @staticmethod
    def _seats(
        session: PostedSession | None, looks: list[LineNow], told: Mapping[str, Callable[..., Forecast]]
    ) -> list[SeatBrief]:
        shown = []
        for plan, look in zip(session.seats if session else (), looks, strict=True):
            new = told[look.seat.id](ahead=look.depth)
            shown.append(
                SeatBrief(
                    id=look.seat.id,
                    unit=plan.unit,
                    leader=plan.leader,
                    state=look.seat.state,
                    depth=look.depth,
                    chance=round(new.chance, 3),
                    wait_s=round(new.wait_s, 1),
                    can_serve=new.can_serve,
                )
            )
        return shown

    def _moment(self, seconds: float) -> datetime:
        return datetime.fromtimestamp(seconds, UTC).astimezone(self._zone)
