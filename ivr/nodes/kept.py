"""Nobody is on the phone; the place in the line is kept until a seat is ready, then we call back."""

from ivr.call import Call
from ivr.commands import JoinLine, WakeAt
from ivr.events import AnyEvent, Arrived, HungUp, Offered, Released, Woken
from ivr.facts import Facts
from ivr.moves import Step, enter, leave_line, make_order, note
from ivr.nodes import calling, ringing, waiting
from ivr.verbs import AnyVerb


def advance(call: Call, event: AnyEvent) -> Step | None:
    match event:
        case Offered(seat_id=call.seat_id) if ringing.can_ring(call, event):
            return calling.enter_calling(call, event)
        case Arrived(leg=leg) if leg:  # without: told late of the leg they came by
            return _back_on_the_phone(call, event.facts, leg)
        case Released(to="seat"):
            return waiting.change_seat(call, event)
        case Released(to="other_call"):
            return give_way(call, event)
        case Released(reason=reason):
            after, commands = end(call, event.facts)
            return after, (note(event.facts, "released", to=event.to, reason=reason), *commands)
        case HungUp() | Woken(moved=False):
            return call, ()  # told twice, or by a carrier that looked for the leg
        case _:
            return None


def _back_on_the_phone(call: Call, facts: Facts, leg: str) -> Step:
    """Our call back was answered after we had given it up: they wait on this phone now, in their place."""
    waiting_now = enter(call, "waiting", facts, leg=leg, reason="place_kept", told_at=0.0)
    join = JoinLine(seat_id=call.seat_id, joined_at=call.joined_at)
    return waiting_now, (join, WakeAt(at=facts.now + facts.limits.ask_timeout_s))


def end(call: Call, facts: Facts) -> Step:
    """The place is given up: nobody is on the phone, so the order says to call back."""
    left = leave_line(call, facts, "callback")
    ordered, made = make_order(call, facts, "callback")
    return enter(ordered, "ended", facts), (*left, *made)


def give_way(call: Call, released: Released) -> Step:
    """The same number waits with another call, which has the place and what was promised."""
    left = leave_line(call, released.facts, "replaced", released.call_id)
    return enter(call, "ended", released.facts), left


def present(call: Call, facts: Facts) -> tuple[AnyVerb, ...]:
    return ()
