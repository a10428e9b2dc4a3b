"""Answered, nothing decided yet: is a session open?"""

from ivr.call import Call
from ivr.events import AnyEvent, Arrived, TimedOut
from ivr.facts import Facts
from ivr.moves import Step
from ivr.nodes import closed, question
from ivr.verbs import AnyVerb, Await


def advance(call: Call, event: AnyEvent) -> Step | None:
    match event:
        case Arrived() | TimedOut():
            if event.facts.session is None:
                return closed.enter_closed(call, event.facts)
            return question.enter_question(call, event.facts)
        case _:
            return None


def present(call: Call, facts: Facts) -> tuple[AnyVerb, ...]:
    return (Await(timeout_s=facts.limits.order_timeout_s),)
