"""The audit trail `/audit`, for who may read it. Reading it is a line of it, too."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from api.accounts.audit import PAGE
from api.auth import address_of
from api.console.visit import PageRoute, Visit, visit
from api.gate import Gate

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Reading = Annotated[Visit, Depends(visit("audit"))]


@router.get("/audit")
async def audit_page(
    seen: Reading,
    before: Annotated[int, Query(ge=0, le=2**62)] = 0,
    who: Annotated[str, Query(max_length=60)] = "",
    act: Annotated[str, Query(max_length=60)] = "",
) -> Response:
    """The newest lines first, by person or act."""
    gate: Gate = seen.request.app.state.gate
    await gate.trail.write(seen.who, "read_audit", result="done", address=address_of(seen.request))
    lines = await gate.trail.read(before=before, who=who, act=act)
    acts = sorted(seen.words.values_of("audit_act"), key=lambda name: seen.words.word("audit_act", name))
    return seen.show("audit.html", lines=lines, by_who=who, by_act=act, acts=acts, more=len(lines) == PAGE)
