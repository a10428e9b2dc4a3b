"""The place is given up for a promise: we call back."""

from ivr.call import Call
from ivr.events import AnyEvent
from ivr.facts import Facts
from ivr.moves import Step, enter, make_order
from ivr.spoken import digits
from ivr.verbs import AnyVerb, HangUp, Prompt

#: So many of the number's last digits are read back: enough to notice a wrong one, too few for who listens in.
TAIL = 4


def enter_callback(call: Call, facts: Facts) -> Step:
    ordered, order = make_order(call, facts, "callback", contact=call.contact)
    return enter(ordered, "callback", facts, reason=""), order


def advance(call: Call, event: AnyEvent) -> Step | None:
    return None


def present(call: Call, facts: Facts) -> tuple[AnyVerb, ...]:
    number = call.contact or call.number
    if not number:
        return (HangUp(prompts=(Prompt("callback_no_number"), Prompt("goodbye"))),)
    return (HangUp(prompts=(Prompt("callback_promise"), *digits(number[-TAIL:]), Prompt("goodbye"))),)
