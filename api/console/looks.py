"""What came before: earlier orders of the number that calls. A look at personal data, in the audit trail once a person and call."""

from msgspec import Struct

from api.auth import address_of
from api.console.visit import Visit
from api.gate import Gate
from api.problems import Problem
from ivr.call import Call
from workorders import register
from workorders.model import WorkOrder

#: Nobody looks at a call for longer; then it is a look of its own.
SAME_LOOK_S = 6 * 3600
SHOWN = 8
#: The reason in the audit trail: nobody comes here but from a desk.
WHY = "接听这通来电"


class Before(Struct, frozen=True):
    """Earlier orders that may be shown; `hidden` more are other units'."""

    orders: tuple[WorkOrder, ...]
    hidden: int


async def find_call(seen: Visit, call_id: str) -> Call:
    """The call. Raises call_not_found."""
    call = await seen.parts.core.calls.get(call_id)
    if call is None:
        raise Problem("call_not_found")
    return call


async def what_came_before(seen: Visit, call: Call) -> Before:
    """Earlier orders of this call's number. Who is bound to a unit sees that unit's."""
    await _record(seen, call)
    found = await register.of_number(seen.parts.core.database, call.number, SHOWN * 3)
    earlier = [order for order in found if order.call_id != call.id]
    mine = [order for order in earlier if seen.who.reaches(order.unit)]
    return Before(tuple(mine[:SHOWN]), len(earlier) - len(mine))


async def _record(seen: Visit, call: Call) -> None:
    gate: Gate = seen.request.app.state.gate
    name = f"{seen.who.name}:{call.id}"
    if await gate.throttle.was_used("look", name):
        return
    await gate.trail.write(
        seen.who, "see_history", on_what=f"call_id={call.id}", reason=WHY, result="done",
        address=address_of(seen.request),
    )  # fmt: skip
    # Afterwards: a line that could not be written is written with the next look.
    await gate.throttle.first_use("look", name, SAME_LOOK_S)
