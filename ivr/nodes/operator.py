"""Put through to the ordinary operators."""

from msgspec.structs import replace

from ivr.call import Call, OrderSource
from ivr.events import Answered, AnyEvent, HungUp, Missed, TalkEnded
from ivr.facts import Facts
from ivr.moves import Step, close, enter, leave_line, note, order_and_close
from ivr.nodes import goodbye, message
from ivr.verbs import AnyVerb, Prompt, Say, Transfer


def enter_operator(call: Call, facts: Facts, *, source: OrderSource, reason: str) -> Step:
    """Ring the operators, or record the matter where there are none."""
    if not facts.operators:
        return message.enter_message(
            call, facts, source=source, reason="unheard" if reason == "silence" else "no_operator"
        )
    left = leave_line(call, facts, "failed" if source == "fallback" else "released")
    after = enter(call, "operator", facts, source=source, reason=reason, talk_started_at=0.0)
    return after, (*left, note(facts, "operator", reason=reason))


def advance(call: Call, event: AnyEvent) -> Step | None:
    if is_answered(call):
        return _while_talking(call, event)
    match event:
        case Answered():
            return _answered(call, event.facts), (note(event.facts, "transferred"),)
        case TalkEnded(seconds=seconds) if seconds > 0:
            return _ended(_answered(call, event.facts), event.facts, seconds)
        case Missed() | TalkEnded():
            return message.enter_message(call, event.facts, source=call.source, reason="operators_busy")
        case HungUp():
            source: OrderSource = "fallback" if call.source == "fallback" else "abandoned"
            return order_and_close(call, event.facts, source, "abandoned")
        case _:
            return None


def is_answered(call: Call) -> bool:
    """True while an operator and the caller hear each other."""
    return call.node == "operator" and call.talk_started_at > 0


def _while_talking(call: Call, event: AnyEvent) -> Step | None:
    match event:
        case TalkEnded(seconds=seconds):
            return _ended(call, event.facts, seconds)
        case HungUp():
            seconds = round(event.facts.now - call.talk_started_at, 1)
            after, closing = close(call, event.facts, "transferred")
            return after, (note(event.facts, "operator_talked", seconds=seconds), *closing)
        case _:
            return None


def _answered(call: Call, facts: Facts) -> Call:
    return replace(call, talk_started_at=facts.now, outcome=call.outcome or "transferred")


def _ended(call: Call, facts: Facts, seconds: float) -> Step:
    talked = note(facts, "operator_talked", seconds=round(max(0.0, seconds), 1))
    return goodbye.enter_goodbye(call, facts, ""), (talked,)


def present(call: Call, facts: Facts) -> tuple[AnyVerb, ...]:
    prompt = Prompt("operator_error" if call.source == "fallback" else "operator_connecting")
    return (Say(prompts=(prompt,)), Transfer(ring_s=facts.limits.operator_ring_s))
