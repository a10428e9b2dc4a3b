"""Who may use which handset: citizens on a demonstration system, leaders the one of their seat, who is at a desk one of their own."""

import secrets

from api.accounts.principal import Principal
from api.parts import Parts
from api.phone.desks import Desks
from api.phone.sip import CALLING, RINGING, Stamp
from api.phone.tickets import Ticket
from api.problems import Problem
from sessions.calendar import UnknownSeat
from telephony.asterisk.web_phone import (
    CITIZEN,
    HANDSET_HEADER,
    citizens_handset,
    desk_handsets,
    handset_of,
    handsets,
)

#: Citizens' browsers call from these numbers: nobody can pose as somebody else by choosing one.
_DEMONSTRATION = "1990000"
_DIGITS = 4
#: Sessions in which a leader's phone may be connected: also before the opening, and while the last talk goes on.
_SEATED = ("planned", "postponed", "open", "closing")


async def citizens_ticket(parts: Parts, number: str) -> Ticket:
    """`number`: the one this browser called from before; another is given when it is none of ours. Raises not_found."""
    if not parts.core.settings.has_demo_phone:
        raise Problem("not_found", "This is no demonstration system.")
    known = number.startswith(_DEMONSTRATION) and number[len(_DEMONSTRATION) :].isdecimal() and number.isascii()
    if not known or len(number) != len(_DEMONSTRATION) + _DIGITS:
        number = f"{_DEMONSTRATION}{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"
    return Ticket(CITIZEN, number=number)


async def leaders_ticket(parts: Parts, who: Principal, seat_id: str) -> Ticket:
    """The handset of one's own seat. Raises seat_not_found, state_conflict."""
    handset = await _handset_of_seat(parts, who, seat_id)
    if not handset:
        raise Problem(
            "state_conflict",
            "The line of this seat is no browser phone: it must be sip:web-1@browser, sip:web-2@browser, ...",
        )
    return Ticket(handset, account_id=who.account_id, seat_id=seat_id)


async def desk_ticket(parts: Parts, who: Principal) -> Ticket:
    """A handset of one's own: it rings for who listens to a talk, and for callers who want an operator. Raises not_found,
    no_phone_free."""
    if not parts.core.settings.has_desk_phones:
        raise Problem("not_found", "There are no browser phones at the desks: DESK_PHONES is 0.")
    handset = await _desks(parts).take(who.account_id)
    if not handset:
        raise Problem("no_phone_free", "More people are at the desks than DESK_PHONES says.")
    return Ticket(handset, account_id=who.account_id)


async def still_holds(parts: Parts, who: Principal, ticket: Ticket) -> bool:
    """What the ticket was given for is still so."""
    if ticket.seat_id:
        try:
            return await _handset_of_seat(parts, who, ticket.seat_id) == ticket.handset
        except Problem:
            return False
    if ticket.account_id:
        return who.may("desk") and await _desks(parts).keep(ticket.account_id, ticket.handset)
    return parts.core.settings.has_demo_phone


def stamp_of(parts: Parts, ticket: Ticket) -> Stamp | None:
    """What our server writes into this connection's requests; None when there is no such handset any more."""
    settings = parts.core.settings
    if ticket.handset == CITIZEN:
        return Stamp(HANDSET_HEADER, citizens_handset(settings).passcode, CALLING, ticket.number)
    known = (*handsets(settings), *desk_handsets(settings))
    found = next((handset for handset in known if handset.name == ticket.handset), None)
    return Stamp(HANDSET_HEADER, found.passcode, RINGING) if found else None


def _desks(parts: Parts) -> Desks:
    return Desks(parts.core.redis, parts.core.settings, parts.core.clock)


async def _handset_of_seat(parts: Parts, who: Principal, seat_id: str) -> str:
    """Empty = the seat is rung elsewhere. Raises seat_not_found for other people's seats, too."""
    try:
        seat = await parts.calendar.seat(seat_id)
    except UnknownSeat:
        raise Problem("seat_not_found") from None
    session = await parts.calendar.get(seat.session_id)
    if not who.may("lead") or not who.reaches(seat.unit) or session.state not in _SEATED:
        raise Problem("seat_not_found")
    handset = handset_of(seat.line_asterisk, parts.core.settings)
    return handset.name if handset else ""
