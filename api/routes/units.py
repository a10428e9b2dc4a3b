"""Units and their duty numbers (值班電話), which are rung when an order is assigned by phone."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Depends
from pydantic import Field

from api.auth import Principal, Reader, require
from api.documents import problems
from api.parts import Behind
from api.problems import Problem
from api.schemas.shape import Shape
from api.texts import Reason, Word
from config.numbers import read_number
from config.privacy import mask
from workorders import units

router = APIRouter(prefix="/api/units", tags=["work orders"])
_log = structlog.get_logger("api.units")


class DutyNumberIn(Shape):
    unit: Word
    number: Word | None = Field(description="Telephone number; null takes it away")
    reason: Reason | None = None


class UnitOut(Shape):
    name: str
    duty_number: str | None = Field(description="Masked")


class UnitsOut(Shape):
    items: list[UnitOut]


@router.get("", responses=problems("unauthenticated", "forbidden", "database_unavailable"))
async def list_units(parts: Behind, _: Reader) -> UnitsOut:
    """Every unit that has had an order or a duty number, by name."""
    found = await units.all_units(parts.core.database)
    return UnitsOut(items=[UnitOut(name=one.name, duty_number=mask(one.duty_number or "") or None) for one in found])


@router.put(
    "/duty-number", responses=problems("unauthenticated", "forbidden", "invalid_number", "database_unavailable")
)
async def set_duty_number(
    wanted: DutyNumberIn, parts: Behind, who: Annotated[Principal, Depends(require("units"))]
) -> UnitOut:
    """The number at which somebody of this unit always answers. It is kept encrypted, and shown masked only."""
    number = read_number(wanted.number or "", parts.core.settings)
    if wanted.number and not number:
        raise Problem("invalid_number")
    unit = await units.set_duty_number(parts.core.database, wanted.unit, number, parts.core.clock())
    _log.info("a duty number was set" if number else "a duty number was taken away", unit=unit.name, who=who.name)
    return UnitOut(name=unit.name, duty_number=mask(number) or None)
