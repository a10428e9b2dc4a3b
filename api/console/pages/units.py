"""Units `/units` and their duty numbers (值班电话), which are rung when an order is assigned by phone."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form
from starlette.responses import Response

from api.console.visit import PageRoute, Visit, visit
from api.texts import Word
from config.numbers import read_number
from workorders import units

router = APIRouter(route_class=PageRoute, prefix="/units", include_in_schema=False)
Keeping = Annotated[Visit, Depends(visit("units"))]


@router.get("")
async def units_page(seen: Keeping) -> Response:
    """Every unit that has had an order, a duty number or a seat in a session, and the form for another."""
    return await _list(seen)


@router.post("")
async def set_duty_number(
    seen: Keeping, unit: Annotated[Word, Form()], number: Annotated[str, Form(max_length=40)] = ""
) -> Response:
    """The number at which somebody of this unit always answers; none takes it away."""
    core = seen.parts.core
    wanted = read_number(number, core.settings)
    if number and not wanted:
        return await _list(seen, refused=unit)
    await units.set_duty_number(core.database, unit, wanted, core.clock())
    return seen.go("/units", "duty_number_set" if wanted else "duty_number_removed")


async def _list(seen: Visit, *, refused: str = "") -> Response:
    known = {one.name: one.duty_number or "" for one in await units.all_units(seen.parts.core.database)}
    sessions = await seen.parts.calendar.find(newest_first=True)
    seated = {seat.unit: "" for session in sessions for seat in session.seats}
    numbers = dict(sorted({**seated, **known}.items()))
    return seen.show("units.html", 422 if refused else 200, numbers=numbers, refused=refused)
