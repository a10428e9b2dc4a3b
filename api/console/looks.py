"""What came before: earlier orders of the number that calls. A look at personal data, in the audit trail once a person and call."""

from msgspec import Struct

from api.console.visit import Visit
from api.looks import look_at_call
from api.problems import Problem
from ivr.call import Call
from workorders import register
from workorders.model import WorkOrder

SHOWN = 8


class Before(Struct, frozen=True):
    """Earlier orders that may be shown; `hidden` more are other units'."""

    orders: tuple[WorkOrder, ...]
    hidden: int


async def find_call(seen: Visit, call_id: str) -> Call:
    """The call. Raises call_not_found."""
    call = await seen.parts.core.calls.get_readable(call_id)
    if call is None:
        raise Problem("call_not_found")
    return call


async def what_came_before(seen: Visit, call: Call) -> Before:
    """Earlier orders of this call's number. Who is bound to a unit sees that unit's."""
    await look_at_call(seen.request, seen.who, call.id, call)
    found = await register.of_number(seen.parts.core.database, call.number, SHOWN * 3)
    earlier = [order for order in found if order.call_id != call.id]
    mine = [order for order in earlier if seen.who.reaches(order.unit)]
    return Before(tuple(mine[:SHOWN]), len(earlier) - len(mine))

