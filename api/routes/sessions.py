"""Sessions (場次): plan, look, open, close, postpone, cancel."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog
from fastapi import APIRouter

from api.auth import Principal, Reader, SessionPlanner
from api.documents import problems
from api.parts import Behind, Parts
from api.problems import Problem
from api.schemas.sessions import LineAddressOut, PostponeIn, ReasonIn, SeatOut, SessionIn, SessionOut, SessionsOut
from api.texts import Identifier
from calls.acts import Acts, Author
from queueing.seats import SeatNow
from sessions.calendar import StepRefused, UnknownSession
from sessions.lines import LineRefused
from sessions.model import Session
from sessions.overlap import SessionOverlaps
from sessions.plan import Plan, PlannedSeat, PlanRefused

#: Sessions of the list; two a month make eight years.
LIST_MAX = 200
#: A session that is postponed without a new time is held at the same time this much later.
POSTPONED_BY = timedelta(days=7)

router = APIRouter(prefix="/api/sessions", tags=["sessions"])
_log = structlog.get_logger("api.sessions")
_ACT = problems(
    "unauthenticated",
    "forbidden",
    "session_not_found",
    "state_conflict",
    "session_overlaps",
    "database_unavailable",
    "redis_unavailable",
)


@router.post(
    "",
    status_code=201,
    responses=problems("unauthenticated", "forbidden", "invalid_line", "session_overlaps", "database_unavailable"),
)
async def create_session(wanted: SessionIn, parts: Behind, who: SessionPlanner) -> SessionOut:
    """Plan a session. One whose time has come opens at once; the others open by themselves. No two are held at one time: the
    problem `session_overlaps` says which other one is, and when."""
    plan = Plan(
        opens_at=parts.local(wanted.opens_at),
        closes_at=parts.local(wanted.closes_at),
        theme=wanted.theme,
        seats=tuple(
            PlannedSeat(
                unit=seat.unit, leader=seat.leader,
                line_asterisk=seat.line.asterisk or "", line_twilio=seat.line.twilio or "",
            )
            for seat in wanted.seats
        ),
    )  # fmt: skip
    try:
        session = await parts.calendar.plan(plan)
    except LineRefused as error:
        raise Problem("invalid_line", str(error)) from error
    except PlanRefused as error:
        raise refused(parts, error) from error
    now = parts.core.clock()
    if session.opens_at.timestamp() <= now < session.closes_at.timestamp():
        session = await _step(parts, session.id, parts.opening.open)
    return await _done(parts, who, "create", session)


@router.get("", responses=problems("unauthenticated", "forbidden", "database_unavailable"))
async def list_sessions(parts: Behind, _: Reader) -> SessionsOut:
    """All sessions, the newest first."""
    found = await parts.calendar.find(newest_first=True, limit=LIST_MAX)
    return SessionsOut(items=[await show(parts, session) for session in found])


@router.get("/{session_id}", responses=_ACT)
async def show_session(session_id: Identifier, parts: Behind, _: Reader) -> SessionOut:
    """One session with its seats as they are now."""
    return await show(parts, await _step(parts, session_id, parts.calendar.get))


@router.post("/{session_id}/open", responses=_ACT)
async def open_session(session_id: Identifier, parts: Behind, who: SessionPlanner) -> SessionOut:
    """Open it now, whatever the time. Opening an open session changes nothing."""
    return await _done(parts, who, "open", await _step(parts, session_id, parts.opening.open))


@router.post("/{session_id}/close", responses=_ACT)
async def close_session_now(
    session_id: Identifier, parts: Behind, who: SessionPlanner, wanted: ReasonIn | None = None
) -> SessionOut:
    """Close it now: nobody new is admitted, who waits becomes a work order, the call the leader is on is never cut."""
    session = await _step(parts, session_id, parts.opening.close)
    return await _done(parts, who, "close", session, wanted.reason if wanted else None)


@router.post("/{session_id}/postpone", responses=_ACT)
async def postpone_session(
    session_id: Identifier, parts: Behind, who: SessionPlanner, wanted: PostponeIn | None = None
) -> SessionOut:
    """Hold it later: at the new time, else a week later at the same hour. The first date is kept. One that is open ends now, as
    at closing time; the answer is the session that is held instead, with the same seats."""
    session = await _step(parts, session_id, parts.calendar.get)
    opens_at, closes_at, reason = _new_times(parts, session, wanted or PostponeIn())

    async def postpone(_: str) -> Session:
        if session.state == "open":
            return await _postpone_open(parts, who, session, (opens_at, closes_at), reason)
        return await _vacated(parts, await parts.calendar.postpone(session_id, opens_at, closes_at, reason))

    return await _done(parts, who, "postpone", await _step(parts, session_id, postpone), reason)


@router.post("/{session_id}/cancel", responses=_ACT)
async def cancel_session(
    session_id: Identifier, parts: Behind, who: SessionPlanner, wanted: ReasonIn | None = None
) -> SessionOut:
    """It does not take place."""
    reason = (wanted.reason if wanted else None) or "cancelled"

    async def cancel(_: str) -> Session:
        return await _vacated(parts, await parts.calendar.cancel(session_id, reason))

    return await _done(parts, who, "cancel", await _step(parts, session_id, cancel), reason)


async def show(parts: Parts, session: Session) -> SessionOut:
    """A session with the present states of its seats; without Redis they count as closed."""
    seats = await parts.core.seats.all([seat.id for seat in session.seats])
    states: dict[str, SeatNow] = {seat.id: seat for seat in seats}
    return SessionOut(
        id=session.id,
        state=session.state,
        opens_at=parts.local(session.opens_at),
        closes_at=parts.local(session.closes_at),
        theme=session.theme,
        seats=[
            SeatOut(
                id=seat.id, unit=seat.unit, leader=seat.leader, state=states[seat.id].state,
                line=LineAddressOut(asterisk=seat.line_asterisk or None, twilio=seat.line_twilio or None),
            )
            for seat in session.seats
        ],
    )  # fmt: skip


async def _postpone_open(
    parts: Parts, who: Principal, session: Session, times: tuple[datetime, datetime], reason: str
) -> Session:
    """In the ledger before it is done, as every act on a session that is held."""
    acts, author = Acts(parts.core), Author(who.name, reason)
    fact_id = await acts.note_session(session.id, "postpone", author, opens_at=times[0].isoformat())
    try:
        return await parts.opening.postpone(session.id, *times, reason)
    except (StepRefused, PlanRefused):
        await acts.refuse_session(session.id, "postpone", author, fact_id)
        raise


async def _vacated(parts: Parts, session: Session) -> Session:
    """Leaders who had signed in already do so again on the new day: the calendar has forgotten it, and so have the seats."""
    for seat in session.seats:
        await parts.core.seats.close(seat.id)
    return session


def refused(parts: Parts, error: PlanRefused) -> Problem:
    """What a plan is refused with; times as people of this place read them."""
    if not isinstance(error, SessionOverlaps):
        return Problem("invalid_request", str(error))
    opens_at, closes_at = parts.local(error.opens_at), parts.local(error.closes_at)
    other = {"session_id": error.session_id, "state": error.state}
    return Problem(
        "session_overlaps", error.told(opens_at, closes_at), {**other, "opens_at": opens_at, "closes_at": closes_at}
    )


async def _step(parts: Parts, session_id: str, step: Callable[[str], Awaitable[Session]]) -> Session:
    try:
        return await step(session_id)
    except UnknownSession as error:
        raise Problem("session_not_found") from error
    except StepRefused as error:
        raise Problem("state_conflict", str(error)) from error
    except PlanRefused as error:
        raise refused(parts, error) from error


async def _done(
    parts: Parts, who: Principal, act: str, session: Session, reason: str | None = None
) -> SessionOut:
    """Put the change on the board, so that calls know it, and tell."""
    await parts.opening.post_board()
    _log.info("a session was changed", act=act, session_id=session.id, who=who.name, reason=reason or "")
    return await show(parts, session)


def _new_times(parts: Parts, session: Session, wanted: PostponeIn) -> tuple[datetime, datetime, str]:
    opens_at = parts.local(wanted.opens_at) if wanted.opens_at else session.opens_at + POSTPONED_BY
    length = session.closes_at - session.opens_at
    return opens_at, parts.local(wanted.closes_at) if wanted.closes_at else opens_at + length, wanted.reason
