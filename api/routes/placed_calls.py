"""Calls about an order: have a unit assigned to it by phone (電話交辦), have the petitioner called (電話回訪), and what came of it."""

from datetime import datetime
from typing import Annotated, Literal

import structlog
from fastapi import APIRouter, Depends
from pydantic import Field

from api.auth import OrderReader, Principal, require
from api.documents import problems
from api.parts import Behind, Parts
from api.problems import Problem
from api.routes.orders import find_order
from api.schemas.sessions import ReasonIn
from api.schemas.shape import Shape
from api.texts import Identifier, Reason, Word
from calls import placing
from calls.placed_register import of_order
from ivr.placed import Purpose
from workorders.model import PlacedCall
from workorders.progress import UnknownOrder

router = APIRouter(prefix="/api/work-orders", tags=["work orders"])
_log = structlog.get_logger("api.placed_calls")
_SEEN = problems("unauthenticated", "forbidden", "order_not_found", "database_unavailable")
_ACT = _SEEN | problems("order_not_found", "state_conflict", "no_carrier")
Caller = Annotated[Principal, Depends(require("placed_calls"))]

Result = Literal[
    "", "confirmed", "satisfied", "unsatisfied", "refused", "operator", "unreached", "no_number", "withdrawn",
    "obsolete",
]


class UrgentCallIn(Shape):
    unit: Word | None = Field(None, description="To whom it is assigned; empty = the unit that the order names")
    reason: Reason | None = Field(None, description="Who gave the instruction, and why; kept in the order's history")


class PlacedCallOut(Shape):
    id: str
    purpose: Purpose
    unit: str
    state: Literal["waiting", "ringing", "talking", "done"]
    tries: int
    due_at: datetime | None = Field(description="When the phone is to ring next; null unless it waits")
    result: Result = Field(
        description="Empty while it goes on. `unreached`, `no_number`, `operator` and `refused` leave the order to a person"
    )
    missed: str = Field(description="Why the last try came to nothing: no_answer, busy, voicemail, unconfirmed ...")
    asked_at: datetime
    asked_by: str
    ended_at: datetime | None


class PlacedCallsOut(Shape):
    items: list[PlacedCallOut]


@router.get("/{order_id}/calls", responses=_SEEN)
async def list_placed_calls(order_id: Identifier, parts: Behind, who: OrderReader) -> PlacedCallsOut:
    """The calls that we placed about this order, the newest first. No numbers."""
    await find_order(parts, order_id, who)
    return PlacedCallsOut(items=[show(parts, row) for row in await of_order(parts.core.database, order_id)])


@router.post("/{order_id}/calls/urgent", responses=_ACT)
async def assign_by_phone(
    order_id: Identifier, parts: Behind, who: Caller, wanted: UrgentCallIn | None = None
) -> PlacedCallOut:
    """The unit's duty number is rung until somebody confirms that they have it; then the order is dispatched and signed."""
    asked = wanted or UrgentCallIn()
    return await begin(parts, who, order_id, "urgent", unit=asked.unit or "", reason=asked.reason or "")


@router.post("/{order_id}/calls/follow-up", responses=_ACT)
async def follow_up_by_phone(
    order_id: Identifier, parts: Behind, who: Caller, wanted: ReasonIn | None = None
) -> PlacedCallOut:
    """The petitioner is called within the calling hours and asked about the reply: satisfied closes the order, not satisfied
    sends it back and asks for supervision on site."""
    return await begin(parts, who, order_id, "follow_up", reason=(wanted.reason if wanted else "") or "")


@router.post("/{order_id}/calls/{placed_id}/withdraw", responses=_ACT)
async def withdraw_placed_call(
    order_id: Identifier, placed_id: Identifier, parts: Behind, who: Caller, _: ReasonIn | None = None
) -> PlacedCallOut:
    """A person takes over: nobody is rung any more, and the order does not wait for somebody to take over."""
    await find_order(parts, order_id, who)
    try:
        row = await placing.withdraw(parts.core.database, order_id, placed_id, parts.core.clock(), actor=who.name)
    except placing.AskRefused as error:
        raise Problem("state_conflict", str(error)) from error
    return show(parts, row)


async def begin(
    parts: Parts, who: Principal, order_id: str, purpose: Purpose, *, unit: str = "", reason: str = ""
) -> PlacedCallOut:
    """Ask for it. Raises order_not_found, state_conflict, no_carrier."""
    if not parts.core.settings.places_calls_by:
        raise Problem("no_carrier")
    await find_order(parts, order_id, who)
    try:
        row = await placing.ask(
            parts.core.database, order_id, purpose, parts.core.clock(), actor=who.name, unit=unit, reason=reason
        )
    except UnknownOrder as error:
        raise Problem("order_not_found") from error
    except placing.AskRefused as error:
        raise Problem("state_conflict", str(error)) from error
    _log.info("a call about an order", act=purpose, order_id=order_id, who=who.name)
    return show(parts, row)


def show(parts: Parts, row: PlacedCall) -> PlacedCallOut:
    """As it leaves the API."""
    return PlacedCallOut(
        id=row.id, purpose=row.purpose, unit=row.unit, state=row.state, tries=row.tries,
        due_at=parts.local(row.due_at) if row.state == "waiting" else None, result=row.result,
        missed=row.missed, asked_at=parts.local(row.asked_at), asked_by=row.asked_by,
        ended_at=parts.local(row.ended_at) if row.ended_at else None,
    )  # fmt: skip
