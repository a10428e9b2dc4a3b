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
        case TimedOut() if _still_types(call, event.facts):
            return again(call, event.facts, reason="typing"), ()  # a carrier counts from its last word
        case Keyed(key="#") | TimedOut():
            return _typed(call, event.facts, event.facts.dialable)
        case Keyed(key="*"):
            return call, ()
        case Keyed(key=key):
            return _add(call, event.facts, key)
        case HungUp():
            outcome: Outcome = "callback" if call.source == "callback" else "work_order"
            return order_and_close(call, event.facts, call.source, outcome, call.recording, event.facts.dialable)
        case _:
            return None


def _still_types(call: Call, facts: Facts) -> bool:
    lately = facts.now - call.told_at < facts.limits.ask_timeout_s - 0.5
    return bool(call.typed) and call.reason != "again" and lately


def _add(call: Call, facts: Facts, key: str) -> Step:
    """The first key after the question was asked again begins a new number; until then, the one before is not forgotten."""
    before = "" if call.reason == "again" else call.typed
    typed = replace(call, typed=before + key, reason="" if call.reason == "again" else call.reason, told_at=facts.now)
    return _typed(typed, facts, "") if len(typed.typed) > facts.limits.most_contact_keys else (typed, ())


def _typed(call: Call, facts: Facts, number: str) -> Step:
    """`number`: E.164 of what was keyed in. Where there is none, it is asked for once more; then a person is to make something
    of what was keyed in."""
    if call.typed and not number and (asked := try_again(call, facts, reason="again")):
        return asked, ()
    return _go_on(replace(call, contact=number), facts)


def _go_on(call: Call, facts: Facts) -> Step:
    if call.source == "callback":
        keeps = bool(call.joined_at and call.contact and facts.session and call.outcome is None)
        return (callback.promise_place if keeps else callback.enter_callback)(call, facts)
    return order.enter_order(call, facts)


def present(call: Call, facts: Facts) -> tuple[AnyVerb, ...]:
    prompts = () if call.reason == "typing" else (Prompt("contact_again" if call.tries else "contact_ask"),)
    return (Ask(prompts=prompts, keys="0123456789*#", timeout_s=facts.limits.ask_timeout_s),)
