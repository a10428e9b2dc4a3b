"""What an event means where a node has nothing particular to say to it."""

from typing import assert_never

from msgspec.structs import replace

from ivr.call import Call
from ivr.commands import AnyCommand, FreeSeat, LeaveLine
from ivr.events import (
    Answered,
    AnyEvent,
    Arrived,
    HungUp,
    Keyed,
    Missed,
    Offered,
    OrderMade,
    Recorded,
    Released,
    TalkEnded,
    TimedOut,
    Woken,
)
from ivr.facts import Facts
from ivr.moves import Step, close, keeps_place, note
from ivr.nodes import contact, fallback, kept, message, operator, ringing

#: Only from here can a caller be taken elsewhere; whoever speaks, records or is being told their number goes on.
RELEASABLE = ("arriving", "question", "closed", "waiting", "ringing", "callback", "screening")


#: Here the call has a claim of its own, which another seat's offer does not touch.
CLAIMED = ("ringing", "talking", "calling", "screening")


def advance(call: Call, event: AnyEvent) -> Step:
    match event:
        case HungUp():
            return _hang_up(_of_session(call, event.facts), event)
        case Released():
            return _release(call, event)
        case Offered(seat_id=seat_id, line="") if seat_id == call.seat_id and _stands(call) and ringing.is_newer(call, event):
            return _out_of_reach(call, event)
        case Offered():
            return _give_back(call, event)
        case Woken(moved=True):
            return (replace(call, told_position=0, overtaken=False) if call.told_position else call), ()
        case OrderMade(number=number):
            return (call if call.node == "ended" or call.order_number else replace(call, order_number=number)), ()
        case Arrived() | Keyed() | TimedOut() | Recorded() | Answered() | Missed() | TalkEnded() | Woken():
            return call, ()
        case _:
            assert_never(event)


def _of_session(call: Call, facts: Facts) -> Call:
    """A call that we lose before its first question belongs to the session it was meant for, and so does its order."""
    held = facts.session
    if call.node != "arriving" or call.session_id or held is None or call.started_at < held.opens_at:
        return call
    return replace(call, session_id=held.id, closes_at=held.closes_at)


def _hang_up(call: Call, event: HungUp) -> Step:
    return (call, ()) if call.node == "ended" else close(call, event.facts, "abandoned")


def _give_back(call: Call, offer: Offered) -> Step:
    """A seat claimed a caller who does not wait for it: it must not stay without anybody, and nobody behind in its line without
    the leader. Who has just left is out of that line a moment later anyway; a call whose record was damaged is not."""
    if not ringing.is_newer(call, offer):
        return call, ()
    after = replace(call)
    if call.node not in CLAIMED:
        after = replace(call, claimed_seat=offer.seat_id, token=offer.token)
    out: tuple[AnyCommand, ...] = (LeaveLine(seat_id=offer.seat_id, reason="stray"),)
    if not call.joined_at:  # nobody knew that it stood there
        out = (*out, note(offer.facts, "left_line", seat_id=offer.seat_id, reason="stray"))
    # In this order: the seat that is free again finds the next one at the head.
    return after, (*out, _free(offer.seat_id, offer.token, offer.facts))


def _stands(call: Call) -> bool:
    return call.node in ("waiting", "ringing", "kept", "calling", "screening") or keeps_place(call)


def _out_of_reach(call: Call, offer: Offered) -> Step:
    """The seat has no line by which this caller's carrier could ring it. Nobody behind waits for that, and the leader has missed
    nothing: the caller is told, and it is an order."""
    facts = offer.facts
    claimed = ringing.at_seat(call, offer)
    given_back: tuple[AnyCommand, ...] = (_free(offer.seat_id, call.token if call.node in CLAIMED else offer.token, facts),)
    told = note(facts, "released", to="work_order", reason="no_line")
    if call.node in ("kept", "calling"):
        after, commands = kept.end(claimed, facts)
    else:
        after, commands = message.enter_message(claimed, facts, source="released", reason="no_line")
    return after, (told, *commands, *given_back)


def _free(seat_id: str, token: int, facts: Facts) -> FreeSeat:
    return FreeSeat(seat_id=seat_id, token=token, talked=False, at=facts.now)


def _release(call: Call, event: Released) -> Step:
    facts = event.facts
    if event.to == "fallback":
        return fallback.enter_fallback(_of_session(call, facts), facts, event.reason)
    if call.node not in RELEASABLE or (call.node == "callback" and not keeps_place(call)):
        return call, ()
    meant = _of_session(call, facts)
    after, commands = _let_go(meant, event)
    if after is meant:
        return call, ()
    return after, (note(facts, "released", to=event.to, reason=event.reason), *commands)


def _let_go(call: Call, event: Released) -> Step:
    match event.to:
        case "work_order":
            return message.enter_message(call, event.facts, source="released", reason=event.reason)
        case "operator":
            return operator.enter_operator(call, event.facts, source="released", reason=event.reason)
        case "callback":
            return contact.reach(call, event.facts, source="callback")
        case "fallback":
            return fallback.enter_fallback(call, event.facts, event.reason)
        case "seat" | "other_call":
            return call, ()  # only for who stands in the line
        case _:
            assert_never(event.to)
