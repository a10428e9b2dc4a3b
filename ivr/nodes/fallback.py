"""Something of ours broke: sorry, then the operators or a recorded message; never silence, never a circle.

Every step from here leads further out: any node -> operators -> recording -> goodbye.
"""

from msgspec.structs import replace

from ivr.call import Call
from ivr.events import AnyEvent, HungUp, Recorded
from ivr.facts import Facts
from ivr.moves import Step, enter, keeps_place, leave_line, make_order, note, order_and_close, recording_name
from ivr.nodes import goodbye, kept, message, operator, talking
from ivr.verbs import AnyVerb, Prompt


def enter_fallback(call: Call, facts: Facts, reason: str) -> Step:
    """Wherever the call is: further out by one step."""
    if operator.is_answered(call):
        return goodbye.enter_goodbye(call, facts, ""), (note(facts, "fallback", reason=reason),)
    match call.node:
        case "talking":
            return talking.finish(call, facts, facts.now - call.talk_started_at)
        case "message" | "contact" | "fallback":
            return _order_and_goodbye(call, facts, reason)
        case "callback" if keeps_place(call):
            after, commands = _order_and_goodbye(call, facts, reason)
            return after, (*leave_line(call, facts, "failed"), *commands)
        case "kept" | "calling":
            after, commands = kept.end(call, facts)
            return after, (note(facts, "fallback", reason=reason), *commands)
        case "order" | "callback":
            return goodbye.enter_goodbye(call, facts, "order_recorded"), (note(facts, "fallback", reason=reason),)
        case "goodbye" | "ended":
            return call, ()
        case "arriving" | "question" | "closed" | "waiting" | "ringing" | "screening":
            return _operators_or_recording(call, facts, reason)
        case "operator":
            return _record(call, facts, reason)


def _operators_or_recording(call: Call, facts: Facts, reason: str) -> Step:
    if not facts.operators:
        return _record(call, facts, reason)
    after, commands = operator.enter_operator(call, facts, source="fallback", reason=reason)
    return _failed(after), (*commands, note(facts, "fallback", reason=reason))


def _record(call: Call, facts: Facts, reason: str) -> Step:
    left = leave_line(call, facts, "failed")
    after = enter(
        _failed(call), "fallback", facts, source="fallback", reason=reason, recording=recording_name(call, "m")
    )
    return after, (*left, note(facts, "fallback", reason=reason))


def _failed(call: Call) -> Call:
    return call if call.ended_at else replace(call, outcome="fallback")


def _order_and_goodbye(call: Call, facts: Facts, reason: str) -> Step:
    ordered, order = make_order(call, facts, call.source, call.recording, call.contact)
    return goodbye.enter_goodbye(ordered, facts, "error"), (*order, note(facts, "fallback", reason=reason))


def advance(call: Call, event: AnyEvent) -> Step | None:
    match event:
        case Recorded(seconds=seconds):
            return message.recorded(call, event.facts, seconds)
        case HungUp():
            return order_and_close(call, event.facts, call.source, "fallback", call.recording, call.contact)
        case _:
            return None


def present(call: Call, facts: Facts) -> tuple[AnyVerb, ...]:
    if call.tries:
        return (message.record(call, facts, Prompt("message_again")),)
    return (message.record(call, facts, Prompt("fallback_sorry"), *message.how(facts)),)
