"""The caller records the matter. Who hangs up in the middle has a work order all the same (R4.2c, R5.3e)."""

from ivr.call import Call, OrderSource
from ivr.events import AnyEvent, HungUp, Recorded
from ivr.facts import Facts
from ivr.moves import Step, enter, leave_line, note, order_and_close, recording_name, try_again
from ivr.nodes import contact
from ivr.verbs import AnyVerb, Prompt, Record

#: The fact that a recording holds silence only: nothing of it is kept.
NO_WORDS = "no_words"
#: Seconds that no word is shorter than. Carriers measure what is left of silence not to the last millisecond.
SHORTEST_WORD_S = 0.25

#: Reasons with words of their own; any other is spoken of as a release.
APOLOGIES = (
    "declined",
    "silence",
    "unheard",
    "session_closed",
    "session_stopped",
    "session_postponed",
    "leader_left",
    "seat_closed",
    "no_operator",
    "operators_busy",
    "closed",
)


def enter_message(call: Call, facts: Facts, *, source: OrderSource, reason: str) -> Step:
    """Record the matter; out of the line first, where there is one."""
    left = leave_line(call, facts, "released" if source == "released" else "declined")
    after = enter(
        call,
        "message",
        facts,
        source=source,
        reason=reason,
        recording=recording_name(call, "m"),
        outcome=call.outcome or "work_order",
    )
    return after, (*left, note(facts, "message", source=source, reason=reason))


def advance(call: Call, event: AnyEvent) -> Step | None:
    match event:
        case Recorded(seconds=seconds):
            return recorded(call, event.facts, seconds)
        case HungUp():
            return order_and_close(call, event.facts, call.source, "work_order", call.recording, call.contact)
        case _:
            return None


def recorded(call: Call, facts: Facts, seconds: float) -> Step:
    """A recording without words is asked for once more; then the order is made without one."""
    silent = () if seconds >= SHORTEST_WORD_S else (note(facts, NO_WORDS, recording=call.recording),)
    if seconds < facts.limits.least_message_s:
        again = try_again(call, facts, recording=recording_name(call, "m"))
        if again:
            return again, silent
    after, commands = contact.reach(call, facts, source=call.source, recording="" if silent else call.recording)
    return after, (*silent, *commands)


def present(call: Call, facts: Facts) -> tuple[AnyVerb, ...]:
    if call.tries:
        return (record(call, facts, Prompt("message_again")),)
    reason = call.reason if call.reason in APOLOGIES else "released"
    return (record(call, facts, Prompt(f"message_{reason}"), *how(facts)),)


def how(facts: Facts) -> tuple[Prompt, ...]:
    """What to say, how long, and how to end."""
    minutes = max(1, int(facts.limits.message_max_s // 60))
    return (Prompt("message_what"), Prompt("message_how", {"minutes": minutes}))


def record(call: Call, facts: Facts, *prompts: Prompt) -> Record:
    """The recording of this call, after these words."""
    limits = facts.limits
    return Record(
        prompts=prompts,
        name=call.recording,
        max_s=limits.message_max_s,
        silence_s=limits.message_silence_s,
        finish_key="#",
    )
