"""Last words, then we hang up."""

from ivr.call import Call
from ivr.events import AnyEvent
from ivr.facts import Facts
from ivr.moves import Step, enter
from ivr.verbs import AnyVerb, HangUp, Prompt

#: Reasons with words of their own before the goodbye.
REASONS = ("talked", "order_recorded", "error", "other_call", "session_stopped", "stopped_no_number")


def enter_goodbye(call: Call, facts: Facts, reason: str) -> Call:
    return enter(call, "goodbye", facts, reason=reason)


def advance(call: Call, event: AnyEvent) -> Step | None:
    return None


def present(call: Call, facts: Facts) -> tuple[AnyVerb, ...]:
    last = (Prompt(f"goodbye_{call.reason}"),) if call.reason in REASONS else ()
    return (HangUp(prompts=(*last, Prompt("goodbye"))),)
