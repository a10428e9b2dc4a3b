"""Where can we reach you? Asked only of callers whose number is withheld."""

from msgspec.structs import replace

from ivr.call import Call, OrderSource, Outcome
from ivr.commands import AnyCommand
from ivr.events import AnyEvent, HungUp, Keyed, TimedOut
from ivr.facts import Facts
from ivr.moves import Step, again, enter, just_entered, leave_line, note, order_and_close, try_again
from ivr.nodes import callback, order
from ivr.verbs import AnyVerb, Ask, Prompt


def reach(call: Call, facts: Facts, *, source: OrderSource, recording: str = "") -> Step:
    """On to the order or the callback; by way of this question when the caller cannot be reached."""
    left: tuple[AnyCommand, ...] = leave_line(call, facts, "callback")
    known = replace(call, source=source, recording=recording)
    if source == "callback":
        known = replace(known, outcome=call.outcome or "callback")
        left = (*left, note(facts, "callback"))
    if call.number or call.contact:
        after, commands = _go_on(known, facts)
        return after, (*left, *commands)
    return enter(known, "contact", facts, typed="", reason=""), left


def keep_place(call: Call, facts: Facts) -> Step:
    """The caller may hang up and keeps the place; where nobody can be called back, it is an order. Who withholds the number
    is first asked for one, outside the line: nobody is offered a leader while typing."""
    if facts.session is None or not facts.calls_back:
        return reach(call, facts, source="callback")
    if call.number or call.contact:
        return callback.promise_place(call, facts)
    left = leave_line(call, facts, "callback")
    return enter(replace(call, source="callback"), "contact", facts, typed="", reason="", seat_id=call.seat_id), left


def advance(call: Call, event: AnyEvent) -> Step | None:
    match event:
        case Keyed(key="#") if not call.typed and just_entered(call, event.facts):
            return call, ()  # the key that ended the recording
        case TimedOut() if call.typed and event.facts.now - call.told_at < event.facts.limits.ask_timeout_s - 0.5:
            return again(call, event.facts, reason="typing"), ()  # still typing: a carrier counts from its last word
        case Keyed(key="#") | TimedOut():
            return _typed(call, event.facts)
        case Keyed(key="*"):
            return call, ()
        case Keyed(key=key):
            typed = replace(call, typed=call.typed + key, told_at=event.facts.now)
            if len(typed.typed) >= event.facts.limits.most_contact_keys:
                return _typed(typed, event.facts)
            return typed, ()
        case HungUp():
            contact = _usable(call, event.facts)
            outcome: Outcome = "callback" if call.source == "callback" else "work_order"
            return order_and_close(call, event.facts, call.source, outcome, call.recording, contact)
        case _:
            return None


def _typed(call: Call, facts: Facts) -> Step:
    if call.typed and not _usable(call, facts):
        asked = try_again(call, facts, typed="", reason="")
        if asked:
            return asked, ()
    return _go_on(replace(call, contact=_usable(call, facts)), facts)


def _usable(call: Call, facts: Facts) -> str:
    return call.typed if len(call.typed) >= facts.limits.least_contact_keys else ""


def _go_on(call: Call, facts: Facts) -> Step:
    if call.source == "callback":
        keeps = bool(call.joined_at and call.contact and facts.session and call.outcome is None)
        return (callback.promise_place if keeps else callback.enter_callback)(call, facts)
    return order.enter_order(call, facts)


def present(call: Call, facts: Facts) -> tuple[AnyVerb, ...]:
    prompts = () if call.reason == "typing" else (Prompt("contact_again" if call.tries else "contact_ask"),)
    return (Ask(prompts=prompts, keys="0123456789*#", timeout_s=facts.limits.ask_timeout_s),)
