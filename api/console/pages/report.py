"""The report of a session `/report/{id}`, made to be printed: every call and what became of it, the leaders' attendance."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.console.visit import PageRoute, Visit, visit
from api.problems import Problem
from api.routes.calls import show_ledger
from api.texts import Identifier
from sessions.calendar import UnknownSession
from workorders import register

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Reading = Annotated[Visit, Depends(visit("read"))]
LISTED = 200


@router.get("/report/{session_id}")
async def report_page(session_id: Identifier, seen: Reading) -> Response:
    """Outcomes with their parts of the whole; numerator and denominator are both shown."""
    parts = seen.parts
    try:
        session = await parts.calendar.get(session_id)
    except UnknownSession as error:
        raise Problem("session_not_found") from error
    ledger = await show_ledger(parts, seen.who, session_id)
    wanted = register.Wanted(session_id=session_id, unit="")
    orders = (await register.find(parts.core.database, wanted, limit=LISTED)).items
    return seen.show("report.html", session=session, ledger=ledger, orders=orders, now=parts.core.clock())
