"""A promise: we call back. With the place in the line kept, or as a work order."""

from msgspec.structs import replace

from ivr.call import Call
from ivr.commands import CloseCall, FreeSeat, JoinLine, KeepNumber, WakeAt
from ivr.events import AnyEvent, HungUp, Offered, Released
from ivr.facts import Facts
from ivr.moves import Step, enter, keeps_place, make_order, note
from ivr.nodes import ringing, waiting
from ivr.spoken import digits
from ivr.verbs import AnyVerb, HangUp, Prompt

#: So many of the number's last digits are read back: enough to notice a wrong one, too few for who listens in.
TAIL = 4


def enter_callback(call: Call, facts: Facts) -> Step:
    """Out of the line: a work order to call back."""
    known = replace(call, outcome=call.outcome or "callback")
    ordered, order = make_order(known, facts, "callback", contact=call.contact)
    return enter(ordered, "callback", facts, reason=""), order


def promise_place(call: Call, facts: Facts) -> Step:
    """The place is kept, with the first joining time; the call's outcome is a callback from now on."""
    after = enter(call, "callback", facts, reason="kept", outcome=call.outcome or "callback", source="callback")
    return after, (
        note(facts, "callback", seat_id=call.seat_id, joined_at=call.joined_at),
        JoinLine(seat_id=call.seat_id, joined_at=call.joined_at, mark="callback"),
        KeepNumber(at=facts.now),
        WakeAt(at=0),
    )


def advance(call: Call, event: AnyEvent) -> Step | None:
    if not keeps_place(call):
        return None
    match event:
        case Offered(seat_id=call.seat_id) if ringing.can_ring(call, event):
            after, commands = ringing.enter_ringing(call, event)  # still on the phone, and next already
            return after, (*commands, JoinLine(seat_id=call.seat_id, joined_at=call.joined_at))
        case HungUp():
            return keep(call, event.facts)
        case Released(to="seat"):
            return waiting.change_seat(call, event)
        case Released(to="other_call"):
            return waiting.give_way(call, event)
        case _:
            return None


def keep(call: Call, facts: Facts) -> Step:
    """Whoever was promised to be called back has hung up."""
    kept = enter(call, "kept", facts, ended_at=call.ended_at or facts.now, leg="")
    if call.ended_at:
        return kept, ()
    return kept, (CloseCall(outcome="callback", at=facts.now),)


def is_promised(call: Call) -> bool:
    """True for a caller in the line who was told that we call back in their turn, and has not hung up since."""
    return call.outcome == "callback" and not call.ended_at


def keep_after_all(call: Call, facts: Facts) -> Step:
    """The same of who was offered to the leader before they hung up: the promise holds, and a seat that rings is free for the
    call back."""
    free = FreeSeat(seat_id=call.seat_id, token=call.token, talked=False, at=facts.now)
    join = JoinLine(seat_id=call.seat_id, joined_at=call.joined_at, mark="callback")
    kept, closing = keep(call, facts)
    return kept, (*((free,) if call.node == "ringing" else ()), join, WakeAt(at=0), *closing)


def present(call: Call, facts: Facts) -> tuple[AnyVerb, ...]:
    number = call.contact or call.number
    if not number:
        return (HangUp(prompts=(Prompt("callback_no_number"), Prompt("goodbye"))),)
    promise = Prompt("callback_kept" if call.reason == "kept" else "callback_promise")
    return (HangUp(prompts=(promise, *digits(number[-TAIL:]), Prompt("goodbye"))),)
