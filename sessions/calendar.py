"""The calendar of sessions: plan, open, close, postpone, cancel. The database is the clock for what is due; every step may
be taken by several processes at once and happens once."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from sqlalchemy import case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningUpdate

from config.clock import Clock, now
from config.columns import from_unix
from config.database import Database
from config.text import clean
from sessions.model import Seat, Session, SessionState
from sessions.overlap import lock_times, refuse_overlap
from sessions.plan import Plan, PlanRefused, again, check_times, session_of

_LONGEST_REASON = 200
#: Why a session is cancelled whose time passed without anybody or anything opening it.
NEVER_OPENED = "never opened"
#: States of a session in which a leader can take a seat: also before it opens.
_SEATED = ("planned", "postponed", "open")
#: step -> (from which states, to which state)
_STEPS: dict[str, tuple[tuple[SessionState, ...], SessionState]] = {
    "open": (("planned", "postponed"), "open"),
    "close": (("open",), "closing"),
    "extend": (("open",), "open"),
    "finish": (("closing",), "closed"),
    "postpone": (("planned", "postponed"), "postponed"),
    "cancel": (("planned", "postponed"), "cancelled"),
}
#: It is not held at the time it was planned for: who signed in or out for that time has done so for nothing.
_NOT_THEN = ("postponed", "cancelled")


class UnknownSession(LookupError):
    """There is no session of this id."""


class UnknownSeat(LookupError):
    """There is no seat of this id."""


class StepRefused(ValueError):
    """This step is not possible in the session's present state."""


class Calendar:
    """The sessions of one database."""

    def __init__(self, database: Database, clock: Clock = now) -> None:
        self._database = database
        self._clock = clock

    async def plan(self, plan: Plan) -> Session:
        """Put a session into the calendar. Raises PlanRefused (SessionOverlaps among them), LineRefused."""
        planned = session_of(plan, self._clock())
        self._check_to_come(plan.closes_at)
        async with self._database.begin() as session:
            await refuse_overlap(session, plan.opens_at, plan.closes_at, from_unix(self._clock()))
            session.add(planned)
        return await self.get(planned.id)

    async def get(self, session_id: str) -> Session:
        """Raises UnknownSession."""
        async with self._database.read() as session:
            return await _get(session, session_id)

    async def find(self, *states: SessionState, newest_first: bool = False, limit: int = 100) -> list[Session]:
        """Sessions in any of `states` (none = all), by opening time."""
        order = Session.opens_at.desc() if newest_first else Session.opens_at.asc()
        query = select(Session).order_by(order, Session.id).limit(limit)
        async with self._database.read() as session:
            return list(await session.scalars(query.where(Session.state.in_(states)) if states else query))

    async def on_board(self) -> list[Session]:
        """What callers are told of: the sessions that are open, and the next one whose time is not over."""
        coming = Session.state.in_(_STEPS["open"][0]) & (Session.closes_at > from_unix(self._clock()))
        query = select(Session).order_by(Session.opens_at, Session.id)
        async with self._database.read() as session:
            held = list(await session.scalars(query.where(Session.state == "open")))
            return held + list(await session.scalars(query.where(coming).limit(1)))

    async def seat(self, seat_id: str) -> Seat:
        """A seat of any session. Raises UnknownSeat."""
        async with self._database.read() as session:
            return await _seat(session, seat_id)

    async def sign_in(self, seat_id: str) -> Seat:
        """The leader takes the seat; the first time counts for attendance. Raises UnknownSeat, StepRefused."""
        async with self._database.begin() as session:
            seat = await _seat(session, seat_id)
            held = await _get(session, seat.session_id)
            if held.state not in _SEATED:
                raise StepRefused(f"the session is {held.state}: nobody can take a seat in it")
            seat.signed_in_at = seat.signed_in_at or from_unix(self._clock())
            seat.signed_out_at = None
            return seat

    async def sign_out(self, seat_id: str) -> Seat:
        """The leader leaves the seat. Raises UnknownSeat."""
        async with self._database.begin() as session:
            seat = await _seat(session, seat_id)
            seat.signed_out_at = seat.signed_out_at or from_unix(self._clock())
            return seat

    async def closing_since(self, seconds: float) -> list[Session]:
        """Sessions that are closing, or were closed less than `seconds` ago."""
        recently = from_unix(self._clock() - seconds)
        query = select(Session).where(or_(Session.state == "closing", Session.closed_at > recently))
        async with self._database.read() as session:
            return list(await session.scalars(query.order_by(Session.opens_at)))

    async def held_at(self, moment: float) -> str:
        """Id of the session that was open at `moment` (Unix seconds), or empty."""
        at = from_unix(moment)
        over = or_(Session.state.in_(("open", "closing")), Session.closed_at >= at)
        query = select(Session.id).where(Session.opened_at <= at, over).order_by(Session.opened_at.desc()).limit(1)
        async with self._database.read() as session:
            return await session.scalar(query) or ""

    async def open(self, session_id: str) -> Session:
        """Open it now. Opening an open session changes nothing. Raises UnknownSession, StepRefused, and SessionOverlaps while
        another one is open, or to come before this one was planned to open."""
        at = from_unix(self._clock())

        async def has_room(session: AsyncSession, wanted: Session) -> None:
            await session.execute(_over(at))
            await refuse_overlap(session, at, max(at, wanted.opens_at), at, but=session_id)

        return await self._step("open", session_id, has_room, opened_at=at)

    async def close(self, session_id: str) -> Session:
        """Begin to close: nobody new is admitted, talks go on (A12). Closing twice changes nothing."""
        return await self._step("close", session_id)

    async def finish(self, session_id: str) -> Session:
        """The last caller has left: it is over."""
        return await self._step("finish", session_id, closed_at=from_unix(self._clock()))

    async def postpone(self, session_id: str, opens_at: datetime, closes_at: datetime, reason: str) -> Session:
        """Move it; it opens by itself at the new time, the first date is kept (R1.3). Raises PlanRefused as well."""
        check_times(opens_at, closes_at)
        self._check_to_come(closes_at)

        async def has_room(session: AsyncSession, _: Session) -> None:
            await refuse_overlap(session, opens_at, closes_at, from_unix(self._clock()), but=session_id)

        return await self._step(
            "postpone",
            session_id,
            has_room,
            always=True,
            opens_at=opens_at,
            closes_at=closes_at,
            reason=clean(reason, _LONGEST_REASON),
        )

    async def hold_later(self, session_id: str, opens_at: datetime, closes_at: datetime, reason: str) -> Session:
        """Postpone a session that is open: it begins to close, and one with the same theme, seats and first date (R1.3) is held at
        the new time. That one; its calls are not those of today. Raises UnknownSession, StepRefused, PlanRefused."""
        check_times(opens_at, closes_at)
        self._check_to_come(closes_at)
        why = clean(reason, _LONGEST_REASON)
        async with self._database.begin() as session:
            ends = update(Session).where(Session.id == session_id, Session.state.in_(_STEPS["close"][0]))
            changed = await session.scalar(ends.values(state="closing", reason=why).returning(Session.id))
            held = await _get(session, session_id, fresh=True)
            if changed is None:
                raise StepRefused(f"a session that is {held.state} cannot postpone")
            await refuse_overlap(session, opens_at, closes_at, from_unix(self._clock()), but=session_id)
            later = again(held, opens_at, closes_at, self._clock())
            later.reason = why
            session.add(later)
        return await self.get(later.id)

    async def extend(self, session_id: str, closes_at: datetime) -> Session:
        """It closes at another time than planned. Raises UnknownSession, StepRefused, PlanRefused."""
        held = await self.get(session_id)
        check_times(held.opens_at, closes_at)
        if closes_at.timestamp() <= self._clock():
            raise PlanRefused("a session is extended to a time that is still to come")

        async def has_room(session: AsyncSession, held: Session) -> None:
            if closes_at > held.closes_at:
                await refuse_overlap(session, held.closes_at, closes_at, from_unix(self._clock()), but=session_id)

        return await self._step("extend", session_id, has_room, always=True, closes_at=closes_at)

    async def cancel(self, session_id: str, reason: str) -> Session:
        """It does not take place."""
        return await self._step("cancel", session_id, reason=clean(reason, _LONGEST_REASON))

    async def open_due(self) -> list[str]:
        """Open the session whose time has come and is not over, the first of several; not before the one that is open is closed.
        Its id, given to one process only, or nothing."""
        at = from_unix(self._clock())
        due = Session.state.in_(_STEPS["open"][0]) & (Session.opens_at <= at) & (Session.closes_at > at)
        first = select(Session.id).where(due).order_by(Session.opens_at, Session.id).limit(1)
        async with self._database.read() as session:
            if await session.scalar(first) is None:
                return []
        async with self._database.begin() as session:
            await lock_times(session)
            if await session.scalar(select(Session.id).where(Session.state == "open").limit(1)) is not None:
                return []
            opens = update(Session).where(Session.id == first.scalar_subquery()).values(state="open", opened_at=at)
            return list(await session.scalars(opens.returning(Session.id)))

    async def close_due(self) -> list[str]:
        """Begin to close every open session whose time is up; their ids, each given to one process only."""
        return await self._change_due(_over(from_unix(self._clock())))

    async def retire_due(self) -> list[str]:
        """Cancel every session whose time is over and that was never opened, with that as its reason (R1.3: a session that does
        not take place has one); their ids, each given to one process only."""
        at = from_unix(self._clock())
        before = case((Session.reason == "", ""), else_="; " + Session.reason)
        due = update(Session).where(Session.state.in_(_STEPS["cancel"][0]), Session.closes_at <= at)
        why = func.substr(NEVER_OPENED + before, 1, _LONGEST_REASON)
        return await self._change_due(due.values(state="cancelled", reason=why).returning(Session.id))

    def _check_to_come(self, closes_at: datetime) -> None:
        if closes_at.timestamp() <= self._clock():
            raise PlanRefused("a session closes at a time that is still to come: this one would be over already")

    async def _change_due(self, statement: ReturningUpdate[str]) -> list[str]:
        async with self._database.begin() as session:
            return list(await session.scalars(statement))

    async def _step(
        self,
        step: str,
        session_id: str,
        look: Callable[[AsyncSession, Session], Awaitable[None]] | None = None,
        *,
        always: bool = False,
        **values: object,
    ) -> Session:
        """`look`: at other sessions, before and in the same transaction; what it raises refuses the step."""
        sources, target = _STEPS[step]
        async with self._database.begin() as session:
            if look is not None:
                await lock_times(session)
                before = await _get(session, session_id)
                if before.state in sources:
                    await look(session, before)
            changed = await session.scalar(
                update(Session)
                .where(Session.id == session_id, Session.state.in_(sources))
                .values(state=target, **values)
                .returning(Session.id)
            )
            if changed and target in _NOT_THEN:
                absent = update(Seat).where(Seat.session_id == session_id)
                await session.execute(absent.values(signed_in_at=None, signed_out_at=None))
            found = await _get(session, session_id, fresh=True)
            if changed is None and (found.state != target or always):
                raise StepRefused(f"a session that is {found.state} cannot {step}")
            return found


def _over(at: datetime) -> ReturningUpdate[str]:
    over = update(Session).where(Session.state == "open", Session.closes_at <= at)
    return over.values(state="closing").returning(Session.id)


async def _get(session: AsyncSession, session_id: str, *, fresh: bool = False) -> Session:
    found = await session.get(Session, session_id, populate_existing=fresh)
    if found is None:
        raise UnknownSession(f"no session {clean(session_id, 40)}")
    return found


async def _seat(session: AsyncSession, seat_id: str) -> Seat:
    found = await session.get(Seat, seat_id)
    if found is None:
        raise UnknownSeat(f"no seat {clean(seat_id, 40)}")
    return found
