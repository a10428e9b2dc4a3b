"""A full number leaves only with the scope `numbers` and a stated reason; the look is recorded before it is shown."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import unquote

from fastapi import Depends, Header, Query, Request
from pydantic_core import PydanticCustomError

from api.auth import OrderReader, Principal, address_of
from api.gate import Gate
from api.problems import Problem
from api.texts import refuse_control

REASON_MAX = 200


@dataclass(frozen=True, slots=True)
class Look:
    """Who looks, and the reason when the full number is asked for."""

    who: Principal
    reason: str


async def read_look(
    request: Request,
    who: OrderReader,
    reason: Annotated[
        str, Query(max_length=REASON_MAX, description="Ask for the full number, and say why")
    ] = "",
    x_access_reason: Annotated[
        str, Header(max_length=3 * REASON_MAX, description="The same as a header, percent-encoded UTF-8")
    ] = "",
) -> Look:
    """A look with a reason needs the scope `numbers`; one without shows masked numbers."""
    try:
        stated = refuse_control(reason or unquote(x_access_reason)).strip()[:REASON_MAX]
    except PydanticCustomError as error:
        raise Problem("control_character") from error
    if stated and "numbers" not in who.scopes:
        raise Problem("forbidden", "This needs the scope `numbers`.")
    if stated:
        gate: Gate = request.app.state.gate
        on_what = " ".join(f"{name}={value}" for name, value in request.path_params.items())
        await gate.trail.write(
            who, "see_number", on_what=on_what, reason=stated, result="done", address=address_of(request)
        )
    return Look(who, stated)


Looking = Annotated[Look, Depends(read_look)]
