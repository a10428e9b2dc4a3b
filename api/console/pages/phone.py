"""Browser phones as pages of their own: `/phone`, where anybody calls a demonstration system, and a leader's, without the desk."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.console.visit import PageRoute, Visit, visit
from api.texts import Identifier

router = APIRouter(route_class=PageRoute, include_in_schema=False)
#: Added to the application only where Settings.has_demo_phone.
for_citizens = APIRouter(route_class=PageRoute, include_in_schema=False)


@for_citizens.get("/phone")
async def show_phone(seen: Annotated[Visit, Depends(visit("phone"))]) -> Response:
    """A citizen's phone."""
    return seen.show("phone.html", purpose="citizen", seat_id="")


@router.get("/phone/seat/{seat_id}")
async def show_leaders_phone(seat_id: Identifier, seen: Annotated[Visit, Depends(visit("lead"))]) -> Response:
    """The phone of a seat whose line is a browser. Whose seat it is, is asked when it connects."""
    return seen.show("phone.html", purpose="seat", seat_id=seat_id)


@router.get("/phone/operators")
async def show_operators_phone(seen: Annotated[Visit, Depends(visit("desk"))]) -> Response:
    """The phone that rings for callers who want an operator."""
    return seen.show("phone.html", purpose="operators", seat_id="")
