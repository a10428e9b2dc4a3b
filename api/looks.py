"""Looks at personal data: what a citizen said, and what came before. Each is in the audit trail with its reason before anything
is shown; where nobody states one, it is the work that the role does on the call or the order."""

from fastapi import Request

from api.accounts.principal import Principal
from api.auth import address_of
from api.gate import Gate
from ivr.call import Call

#: Nobody looks at a call for longer; then it is a look of its own.
SAME_CALL_S = 6 * 3600
#: Whoever works on an order loads its page again and again.
SAME_ORDER_S = 900
#: Kinds of reasons: `why.<kind>` in the catalogue.
LIVE, AFTER = "call_live", "call_over"
_WORK = {
    "operator": "work_desk", "leader": "work_seat", "handler": "work_unit", "supervisor": "work_direct",
    "administrator": "work_direct",
}  # fmt: skip
_BY_PROGRAM = "work_program"


async def look_at_call(request: Request, who: Principal, call_id: str, call: Call | None) -> None:
    """At what was written down about a call, and the earlier orders of its number. Raises DatabaseUnavailable, RedisError."""
    reason = LIVE if call is not None and call.node != "ended" else AFTER
    await _record(request, who, "see_history", f"call_id={call_id}", reason, f"{who.name}:{call_id}", SAME_CALL_S)


async def look_at_order(request: Request, who: Principal, order_id: str) -> None:
    """At what a citizen wants, and where. Raises DatabaseUnavailable, RedisError."""
    reason = _WORK.get(who.role, _BY_PROGRAM)
    await _record(request, who, "see_order", f"order_id={order_id}", reason, f"{who.name}:{order_id}", SAME_ORDER_S)


async def _record(
    request: Request, who: Principal, act: str, on_what: str, reason: str, name: str, again_s: int
) -> None:
    gate: Gate = request.app.state.gate
    if await gate.throttle.was_used("look", name):
        return
    await gate.trail.write(
        who, act, on_what=on_what, reason=reason, result="done", address=address_of(request)
    )
    # Afterwards: a line that could not be written is written with the next look.
    await gate.throttle.first_use("look", name, again_s)
