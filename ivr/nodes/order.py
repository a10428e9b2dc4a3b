"""The work order's number is awaited, then spoken twice."""

from msgspec.structs import replace

from ivr.call import Call
from ivr.events import AnyEvent, Keyed, OrderMade, TimedOut
from ivr.facts import Facts
from ivr.moves import Step, again, can_be_phoned, enter, make_order
from ivr.nodes import goodbye
from ivr.spoken import digits
from ivr.verbs import AnyVerb, Ask, Await, Prompt

#: The number is spoken twice each time; who needs it more often than this can have it read by the operators.
REPEATS = 3


def enter_order(call: Call, facts: Facts) -> Step:
    ordered, order = make_order(call, facts, call.source, call.recording, call.contact)
    return enter(ordered, "order", facts, reason=""), order


def advance(call: Call, event: AnyEvent) -> Step | None:
    match event:
        case OrderMade(number=number) if not call.order_number:
            return again(call, event.facts, order_number=number), ()
        case Keyed(key="1") if call.order_number and call.tries < REPEATS:
            return again(call, event.facts, tries=call.tries + 1), ()
        case TimedOut():
            reason = "order_told" if call.order_number else "order_recorded"
            return goodbye.enter_goodbye(replace(call), event.facts, reason), ()
        case _:
            return None


def present(call: Call, facts: Facts) -> tuple[AnyVerb, ...]:
    if not call.order_number:
        return (Await(prompts=(Prompt("order_wait"),), timeout_s=facts.limits.order_timeout_s),)
    number = digits(call.order_number)
    promise = () if call.tries else (Prompt("order_promise" if can_be_phoned(call) else "order_no_number"),)
    prompts = (Prompt("order_number"), *number, Prompt("order_number_again"), *number, *promise, Prompt("order_repeat"))
    return (Ask(prompts=prompts, keys="1", timeout_s=facts.limits.ask_timeout_s),)
