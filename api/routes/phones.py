"""Tickets for browser phones. Each opens the websocket `/ws` once, within seconds."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from api.accounts.throttle import TooManyTries
from api.auth import Principal, address_of, admit
from api.documents import problems
from api.gate import Gate
from api.parts import Behind
from api.phone.permission import citizens_ticket, desk_ticket, leaders_ticket
from api.phone.schemas import PhoneTicketIn, PhoneTicketOut
from api.phone.tickets import VALID_S, Ticket, Tickets
from api.problems import Problem
from config.settings import Settings
from telephony.asterisk.web_phone import line_of

router = APIRouter(prefix="/api/phone", tags=["phone"])
#: Tickets for one address in a minute: a hall of leaders behind one router, all of whose connections come back at once.
TICKETS_A_MINUTE = 120
_ACT = problems(
    "invalid_request", "unauthenticated", "forbidden", "csrf_failed", "not_found", "seat_not_found", "state_conflict",
    "no_phone_free", "too_many_tries", "database_unavailable", "redis_unavailable",
)  # fmt: skip
#: Where a browser phone belongs; Asterisk looks at the user part only.
_REALM = "hotline.invalid"


@router.post("/tickets", responses=_ACT)
async def issue_phone_ticket(
    wanted: PhoneTicketIn, parts: Behind, request: Request, who: Annotated[Principal, Depends(admit("phone"))]
) -> PhoneTicketOut:
    """For a citizen, the leader of a seat, or an operator; the two latter must be signed in, with a cookie, and are in the audit
    trail."""
    gate: Gate = request.app.state.gate
    try:
        await gate.throttle.count("phone", address_of(request), TICKETS_A_MINUTE, 60)
    except TooManyTries as many:
        raise Problem("too_many_tries", extra={"retry_after_s": many.seconds}) from many
    if who.account_id:  # the trail can not be emptied, so that nobody in particular must not be able to fill it
        on_what = f"purpose={wanted.purpose} {f'seat_id={wanted.seat_id}' if wanted.seat_id else ''}"
        await gate.trail.write(who, "issue_phone_ticket", on_what=on_what, address=address_of(request))
    ticket = await _ticket_for(wanted, parts, who)
    value = await Tickets(parts.core.redis, parts.core.settings).issue(ticket)
    settings: Settings = parts.core.settings
    return PhoneTicketOut(
        ticket=value,
        valid_s=VALID_S,
        uri=f"sip:{ticket.number or ticket.handset}@{_REALM}",
        number=ticket.number,
        line="" if ticket.number else line_of(ticket.handset),
        registers=not ticket.number,
        service=f"sip:{settings.service_number}@{_REALM}",
    )


async def _ticket_for(wanted: PhoneTicketIn, parts: Behind, who: Principal) -> Ticket:
    if wanted.purpose == "citizen":
        return await citizens_ticket(parts, wanted.number)
    if not who.account_id:
        raise Problem("unauthenticated", "Sign in.")
    if wanted.purpose == "seat":
        return await leaders_ticket(parts, who, wanted.seat_id)
    if not who.may("desk"):
        raise Problem("forbidden", "This needs the scope `desk`.")
    return await desk_ticket(parts, who)
