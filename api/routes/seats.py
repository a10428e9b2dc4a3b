"""Seats (席位): the leader signs in, pauses, resumes, signs out."""

import structlog
from fastapi import APIRouter

from api.auth import Principal, SeatHolder
from api.documents import problems
from api.parts import Behind, Parts
from api.problems import Problem
from api.schemas.sessions import LineAddressOut, ReasonIn, SeatOut
from api.texts import Identifier
from sessions.calendar import StepRefused, UnknownSeat
from sessions.model import Seat

router = APIRouter(prefix="/api/seats", tags=["seats"])
_log = structlog.get_logger("api.seats")
_ACT = problems(
    "unauthenticated",
    "forbidden",
    "seat_not_found",
    "state_conflict",
    "database_unavailable",
    "redis_unavailable",
)


@router.post("/{seat_id}/open", responses=_ACT)
async def open_seat(
    seat_id: Identifier, parts: Behind, who: SeatHolder, _: ReasonIn | None = None
) -> SeatOut:
    """The leader signs in: the seat is free for the head of its line. Opening an open seat changes nothing."""
    seat = await _find(parts, seat_id, who)
    try:
        await parts.opening.sign_in(seat_id)
    except StepRefused as error:
        raise Problem("state_conflict", str(error)) from error
    return await _done(parts, who, "open", seat)


@router.post("/{seat_id}/pause", responses=_ACT)
async def pause_seat(
    seat_id: Identifier, parts: Behind, who: SeatHolder, wanted: ReasonIn | None = None
) -> SeatOut:
    """No further callers; a call that rings or goes on is finished first."""
    seat = await _find(parts, seat_id, who)
    reason = (wanted.reason if wanted else None) or "operator"
    if not await parts.core.seats.pause(seat_id, reason):
        raise Problem("state_conflict", "The seat is closed.")
    return await _done(parts, who, "pause", seat, reason)


@router.post("/{seat_id}/resume", responses=_ACT)
async def resume_seat(
    seat_id: Identifier, parts: Behind, who: SeatHolder, _: ReasonIn | None = None
) -> SeatOut:
    """Ready for the next caller at once: ends a pause and wrap-up. A hold of the whole line goes on."""
    seat = await _find(parts, seat_id, who)
    if not await parts.core.seats.resume(seat_id):
        raise Problem("state_conflict", "The seat is closed.")
    return await _done(parts, who, "resume", seat)


@router.post("/{seat_id}/close", responses=_ACT)
async def close_seat(
    seat_id: Identifier, parts: Behind, who: SeatHolder, wanted: ReasonIn | None = None
) -> SeatOut:
    """The leader signs out: who waits in this seat's line becomes a work order, a call that rings or goes on is finished."""
    seat = await _find(parts, seat_id, who)
    await parts.opening.sign_out(seat_id)
    return await _done(parts, who, "close", seat, (wanted.reason if wanted else None) or "")


async def _find(parts: Parts, seat_id: str, who: Principal) -> Seat:
    """The seat, if it is any business of `who`: a leader has their own unit's only."""
    try:
        seat = await parts.calendar.seat(seat_id)
    except UnknownSeat as error:
        raise Problem("seat_not_found") from error
    if not who.reaches(seat.unit):
        raise Problem("seat_not_found")
    return seat


async def _done(parts: Parts, who: Principal, act: str, seat: Seat, reason: str = "") -> SeatOut:
    _log.info("a seat was changed", act=act, seat_id=seat.id, who=who.name, reason=reason)
    now = await parts.core.seats.state(seat.id)
    line = LineAddressOut(asterisk=seat.line_asterisk or None, twilio=seat.line_twilio or None)
    return SeatOut(id=seat.id, unit=seat.unit, leader=seat.leader, state=now.state, line=line)
