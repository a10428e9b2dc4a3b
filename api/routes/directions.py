"""Acts on a session that is held: announce, hold, resume, admission, extend, stop; and the proof that it was fair."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

import structlog
from fastapi import APIRouter
from msgspec import Struct
from pydantic import Field

from api.auth import Reader, SessionPlanner
from api.documents import problems
from api.parts import Behind, Parts
from api.problems import Problem
from api.routes.sessions import refused, show
from api.schemas.sessions import SessionOut
from api.schemas.shape import Shape
from api.texts import Identifier, Reason
from calls.acts import Acts, Author
from calls.directing import Directing
from calls.served_order import fairness_of
from ivr.notices import SAYS, NoticeKey
from sessions.calendar import StepRefused, UnknownSession
from sessions.plan import PlanRefused

router = APIRouter(prefix="/api/sessions", tags=["sessions"])
_log = structlog.get_logger("api.directions")
_ACT = problems(
    "unauthenticated", "forbidden", "session_not_found", "state_conflict", "session_overlaps", "database_unavailable", "redis_unavailable",
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
    act = _Act(parts, session_id, "announce", Author(who.name, wanted.reason))
    told = await act.do(lambda directing: directing.announce(session_id, wanted.notice), notice=wanted.notice)
    return ToldOut(session_id=session_id, told=told)


@router.post("/{session_id}/hold", responses=_ACT)
async def hold_line(session_id: Identifier, wanted: DirectIn, parts: Behind, who: SessionPlanner) -> ToldOut:
    """Nobody is put through until it is resumed; who waits is told."""
    act = _Act(parts, session_id, "hold", Author(who.name, wanted.reason))
    return ToldOut(session_id=session_id, told=await act.do(lambda directing: directing.hold(session_id)))


@router.post("/{session_id}/resume", responses=_ACT)
async def resume_line(session_id: Identifier, wanted: DirectIn, parts: Behind, who: SessionPlanner) -> ToldOut:
    """It goes on; who waits is told."""
    act = _Act(parts, session_id, "resume", Author(who.name, wanted.reason))
    return ToldOut(session_id=session_id, told=await act.do(lambda directing: directing.resume(session_id)))


@router.post("/{session_id}/admission", responses=_ACT)
async def set_admission(
    session_id: Identifier, wanted: AdmissionIn, parts: Behind, who: SessionPlanner
) -> SessionOut:
    """Close the line for who is not in it (a work order or a call back is offered), or open it again."""
    act, admission = _Act(parts, session_id, "admission", Author(who.name, wanted.reason)), "open" if wanted.open else "closed"
    await act.do(lambda directing: directing.admit(session_id, closed=not wanted.open), admission=admission)
    return await show(parts, await parts.calendar.get(session_id))


@router.post("/{session_id}/extend", responses=_ACT)
async def extend_session(session_id: Identifier, wanted: ExtendIn, parts: Behind, who: SessionPlanner) -> SessionOut:
    """It closes later than planned, or earlier; who waits is told which."""
    act, closes_at = _Act(parts, session_id, "extend", Author(who.name, wanted.reason)), parts.local(wanted.closes_at)
    notice = await _do(parts, _directing(parts).says_of(session_id, closes_at))
    told = {"closes_at": wanted.closes_at.isoformat()} | ({"notice": notice} if notice != SAYS["extend"] else {})
    return await show(parts, await act.do(lambda directing: directing.extend(session_id, closes_at, notice), **told))


@router.post("/{session_id}/stop", responses=_ACT)
async def stop_session(session_id: Identifier, wanted: DirectIn, parts: Behind, who: SessionPlanner) -> SessionOut:
    """Emergency stop: everybody who waits, or for whom the leader's phone rings, is told and becomes a work order; a talk ends
    after a sentence to both, and the caller gets an order to be called back."""
    act = _Act(parts, session_id, "stop", Author(who.name, wanted.reason))
    return await show(parts, await act.do(lambda directing: directing.stop(session_id)))


@router.get("/{session_id}/fairness", responses=_ACT)
async def prove_fairness(session_id: Identifier, parts: Behind, _: Reader) -> FairnessOut:
    """The served order against the joining order, from the ledger: each deviation with its reasons."""
    await _do(parts, parts.calendar.get(session_id))
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


async def _do(parts: Parts, act: Awaitable[T]) -> T:
    try:
        return await act
    except UnknownSession as error:
        raise Problem("session_not_found") from error
    except StepRefused as error:
        raise Problem("state_conflict", str(error)) from error
    except PlanRefused as error:
        raise refused(parts, error) from error


class _Act(Struct, frozen=True):
    """One act on a session, by whom and why."""

    parts: Parts
    session_id: str
    act: str
    author: Author

    async def do(self, doing: Callable[[Directing], Awaitable[T]], **data: str) -> T:
        """Into the ledger and the report before it is done (the audit trail has it already, see api.auth); what is refused then is
        a fact as well, so that nobody is told of it later as if it had been done."""
        fact_id = await self._tell(data)
        return await _do(self.parts, self._doing(doing, fact_id))

    async def _doing(self, doing: Callable[[Directing], Awaitable[T]], fact_id: str) -> T:
        try:
            return await doing(_directing(self.parts))
        except (StepRefused, PlanRefused):
            if fact_id:
                await Acts(self.parts.core).refuse_session(self.session_id, self.act, self.author, fact_id)
            raise

    async def _tell(self, data: dict[str, str]) -> str:
        """Into the log, too, for whoever follows the session; the fact's id. On a session that is not held it is no act."""
        session = await _do(self.parts, self.parts.calendar.get(self.session_id))
        if session.state not in ("open", "closing"):
            return ""
        fact_id = await Acts(self.parts.core).note_session(self.session_id, self.act, self.author, **data)
        about = {"session_id": self.session_id, "who": self.author.name, "reason": self.author.reason}
        _log.info("a session was directed", act=self.act, **about, **data)
        return fact_id
