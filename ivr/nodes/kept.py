"""Nobody is on the phone; the place in the line is kept until a seat is ready, then we call back."""

from ivr.call import Call
from ivr.events import AnyEvent, HungUp, Offered, Released, Woken
from ivr.facts import Facts
from ivr.moves import Step, enter, leave_line, make_order, note
from ivr.nodes import calling, ringing, waiting
from ivr.verbs import AnyVerb


def advance(call: Call, event: AnyEvent) -> Step | None:
    match event:
        case Offered(seat_id=call.seat_id) if ringing.is_newer(call, event):
            return calling.enter_calling(call, event)
        case Released(to="seat"):
            return waiting.change_seat(call, event)
        case Released(to="other_call"):
            return end(call, event.facts, order=False)
        case Released(reason=reason):
            after, commands = end(call, event.facts, order=True)
            return after, (note(event.facts, "released", to=event.to, reason=reason), *commands)
        case HungUp() | Woken():
            return call, ()  # told twice, or by a carrier that looked for the leg
        case _:
            return None


def end(call: Call, facts: Facts, *, order: bool) -> Step:
    """The place is given up: nobody is on the phone, so the order says to call back."""
    left = leave_line(call, facts, "callback" if order else "replaced")
    ordered, made = make_order(call, facts, "callback", contact=call.contact) if order else (call, ())
    return enter(ordered, "ended", facts), (*left, *made)


def present(call: Call, facts: Facts) -> tuple[AnyVerb, ...]:
    return ()
