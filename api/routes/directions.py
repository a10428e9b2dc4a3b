"""Acts on a session that is held: announce, hold, resume, admission, extend, stop; and the proof that it was fair."""

from collections.abc import Awaitable
from datetime import datetime
from typing import TypeVar

import structlog
from fastapi import APIRouter
from pydantic import Field

from api.auth import Principal, Reader, SessionPlanner
from api.documents import problems
from api.parts import Behind, Parts
from api.problems import Problem
from api.routes.sessions import show
from api.schemas import SessionOut, Shape
from api.texts import Identifier, Reason
from calls.acts import Acts, Author
from calls.directing import Directing
from calls.served_order import fairness_of
from ivr.notices import NoticeKey
from sessions.calendar import StepRefused, UnknownSession
from sessions.plan import PlanRefused

router = APIRouter(prefix="/api/sessions", tags=["sessions"])
_log = structlog.get_logger("api.directions")
_ACT = problems(
    "unauthenticated", "forbidden", "session_not_found", "state_conflict", "database_unavailable", "redis_unavailable",
)  # fmt: skip
T = TypeVar("T")


class DirectIn(Shape):
    reason: Reason


class AnnounceIn(DirectIn):
    notice: NoticeKey


class AdmissionIn(DirectIn):
    open: bool


class ExtendIn(DirectIn):
    closes_at: datetime


class ToldOut(Shape):
    session_id: str
    told: int


class DeviationOut(Shape):
    call_id: str
    seat_id: str
    joined_at: datetime
    served_at: datetime
    overtook: list[str]
    reasons: list[str]
    unexplained: list[str] = Field(description="Callers who were overtaken without a reason; must be empty")


class FairnessOut(Shape):
    session_id: str
    served: int
    unexplained: int
    deviations: list[DeviationOut]


@router.post("/{session_id}/announce", responses=_ACT)
async def announce_to_waiting(
    session_id: Identifier, wanted: AnnounceIn, parts: Behind, who: SessionPlanner
) -> ToldOut:
    """Everybody who waits hears it now, by the next announcement at the latest; `told` callers were reached at once."""
    await _tell(parts, who, "announce", session_id, wanted.reason, notice=wanted.notice)
    return ToldOut(session_id=session_id, told=await _do(_directing(parts).announce(session_id, wanted.notice)))


@router.post("/{session_id}/hold", responses=_ACT)
async def hold_line(session_id: Identifier, wanted: DirectIn, parts: Behind, who: SessionPlanner) -> ToldOut:
    """Nobody is put through until it is resumed; who waits is told."""
    await _tell(parts, who, "hold", session_id, wanted.reason)
    return ToldOut(session_id=session_id, told=await _do(_directing(parts).hold(session_id)))


@router.post("/{session_id}/resume", responses=_ACT)
async def resume_line(session_id: Identifier, wanted: DirectIn, parts: Behind, who: SessionPlanner) -> ToldOut:
    """It goes on; who waits is told."""
    await _tell(parts, who, "resume", session_id, wanted.reason)
    return ToldOut(session_id=session_id, told=await _do(_directing(parts).resume(session_id)))


@router.post("/{session_id}/admission", responses=_ACT)
async def set_admission(
    session_id: Identifier, wanted: AdmissionIn, parts: Behind, who: SessionPlanner
) -> SessionOut:
    """Close the line for who is not in it (a work order or a call back is offered), or open it again."""
    await _tell(parts, who, "admission", session_id, wanted.reason, admission="open" if wanted.open else "closed")
    await _do(_directing(parts).admit(session_id, closed=not wanted.open))
    return await show(parts, await parts.calendar.get(session_id))


@router.post("/{session_id}/extend", responses=_ACT)
async def extend_session(session_id: Identifier, wanted: ExtendIn, parts: Behind, who: SessionPlanner) -> SessionOut:
    """It closes later than planned; who waits is told."""
    await _tell(parts, who, "extend", session_id, wanted.reason, closes_at=wanted.closes_at.isoformat())
    return await show(parts, await _do(_directing(parts).extend(session_id, parts.local(wanted.closes_at))))


@router.post("/{session_id}/stop", responses=_ACT)
async def stop_session(session_id: Identifier, wanted: DirectIn, parts: Behind, who: SessionPlanner) -> SessionOut:
    """Emergency stop: everybody who waits, or for whom the leader's phone rings, is told and becomes a work order; a talk ends
    after a sentence to both, and the caller gets an order to be called back."""
    await _tell(parts, who, "stop", session_id, wanted.reason)
    return await show(parts, await _do(_directing(parts).stop(session_id)))


@router.get("/{session_id}/fairness", responses=_ACT)
async def prove_fairness(session_id: Identifier, parts: Behind, _: Reader) -> FairnessOut:
    """The served order against the joining order, from the ledger: each deviation with its reasons."""
    await _do(parts.calendar.get(session_id))
    found = await fairness_of(parts.core.database, session_id)
    return FairnessOut(
        session_id=session_id,
        served=found.served,
        unexplained=found.unexplained,
        deviations=[
            DeviationOut(
                call_id=one.call_id,
                seat_id=one.seat_id,
                joined_at=parts.moment(one.joined_at),
                served_at=parts.moment(one.served_at),
                overtook=list(one.overtook),
                reasons=list(one.reasons),
                unexplained=list(one.unexplained),
            )
            for one in found.deviations
        ],
    )


def _directing(parts: Parts) -> Directing:
    core = parts.core
    return Directing(
        core.settings, core.redis, parts.calendar, parts.opening, core.seats, core.line, core.turns, core.clock
    )


async def _do(act: Awaitable[T]) -> T:
    try:
        return await act
    except UnknownSession as error:
        raise Problem("session_not_found") from error
    except StepRefused as error:
        raise Problem("state_conflict", str(error)) from error
    except PlanRefused as error:
        raise Problem("invalid_request", str(error)) from error


async def _tell(parts: Parts, who: Principal, act: str, session_id: str, reason: str, **data: str) -> None:
    """Into the ledger and the report before it is done (the audit trail has it already, see api.auth), and the log, for whoever
    follows the session. What is refused anyway is no act on it."""
    session = await _do(parts.calendar.get(session_id))
    if session.state not in ("open", "closing"):
        return
    await Acts(parts.core).note_session(session_id, act, Author(who.name, reason), **data)
    _log.info("a session was directed", act=act, session_id=session_id, who=who.name, reason=reason, **data)
