"""Operators' acts on one caller who waits: move, next, urgent, to another seat. Each is in the ledger with who, when and why,
before it is done."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter
from pydantic import Field

from api.auth import LineOperator, Principal
from api.documents import problems
from api.parts import Behind, Parts
from api.problems import Problem
from api.routes.line import find_call
from api.schemas.line import ActOut, MoveIn
from api.schemas.shape import Shape
from api.texts import Identifier, Reason
from calls.acts import Acts, Author, NotWaiting, SeatRefused
from calls.store import UnknownCall
from queueing.moves import IsOffered, NotInLine

router = APIRouter(prefix="/api/line", tags=["line"])
_ACT = problems(
    "unauthenticated", "forbidden", "call_not_found", "caller_not_waiting", "seat_not_found", "redis_unavailable",
    "database_unavailable",
)  # fmt: skip


class BecauseIn(Shape):
    reason: Reason = Field(description="Kept in the ledger; a deviation from the joining order needs one")


class SeatChangeIn(BecauseIn):
    seat_id: Identifier


@router.post("/{call_id}/move", responses=_ACT)
async def move_caller(call_id: Identifier, wanted: MoveIn, parts: Behind, who: LineOperator) -> ActOut:
    """Put a caller who waits at another position. Kept in the ledger with the reason."""
    author = Author(who.name, wanted.reason)
    return await _act(parts, call_id, lambda acts: acts.move(call_id, wanted.position, author))


@router.post("/{call_id}/next", responses=_ACT)
async def offer_caller_next(call_id: Identifier, wanted: BecauseIn, parts: Behind, who: LineOperator) -> ActOut:
    """Put this caller at the head: next to be offered, after the one who is being offered now."""
    return await _act(parts, call_id, lambda acts: acts.offer_next(call_id, _author(who, wanted)))


@router.post("/{call_id}/urgent", responses=_ACT)
async def mark_caller_urgent(call_id: Identifier, wanted: BecauseIn, parts: Behind, who: LineOperator) -> ActOut:
    """It cannot wait: to the head of the line."""
    return await _act(parts, call_id, lambda acts: acts.mark_urgent(call_id, _author(who, wanted)))


@router.post("/{call_id}/seat", responses=_ACT)
async def put_caller_to_seat(call_id: Identifier, wanted: SeatChangeIn, parts: Behind, who: LineOperator) -> ActOut:
    """Into the line of another seat of the session, with the joining time kept."""
    return await _act(parts, call_id, lambda acts: acts.put_to_seat(call_id, wanted.seat_id, _author(who, wanted)))


def _author(who: Principal, wanted: BecauseIn) -> Author:
    return Author(who.name, wanted.reason)


async def _act(parts: Parts, call_id: str, act: Callable[[Acts], Awaitable[object]]) -> ActOut:
    try:
        await act(Acts(parts.core))
    except UnknownCall as error:
        raise Problem("call_not_found") from error
    except SeatRefused as error:
        raise Problem("seat_not_found", "Nobody can wait for this seat: it is none of the session, or nobody is there.") from error
    except (NotInLine, IsOffered, NotWaiting) as error:
        raise Problem(
            "caller_not_waiting", "Only a caller who waits, and is not being put through, can be moved."
        ) from error
    call = await find_call(parts, call_id)
    position = await parts.core.line.position(call.seat_id, call_id)
    return ActOut(call_id=call_id, seat_id=call.seat_id, position=position, node=call.node)
