"""The leader's line rings for this caller."""

from ivr.call import Call
from ivr.commands import FreeSeat, WakeAt
from ivr.events import Answered, AnyEvent, HungUp, Missed, Offered, TalkEnded
from ivr.facts import Facts
from ivr.moves import Step, enter, leave_line, note, order_and_close, recording_name
from ivr.nodes import talking, waiting
from ivr.verbs import AnyVerb, Connect, Prompt


def is_newer(call: Call, offer: Offered) -> bool:
    """False for an offer that was seen before: its token has been used or given back."""
    return offer.seat_id != call.seat_id or offer.token > call.token


def enter_ringing(call: Call, offer: Offered) -> Step:
    """Ring the seat that claimed this caller."""
    facts = offer.facts
    after = enter(
        call,
        "ringing",
        facts,
        seat_id=offer.seat_id,
        token=offer.token,
        leader_line=offer.line,
        recording=recording_name(call, "t") if facts.limits.record_talks else "",
        reason="",
    )
    waited = max(0, int(facts.now - call.joined_at))
    return after, (note(facts, "offered", seat_id=offer.seat_id, waited_s=waited), WakeAt(at=0))


def advance(call: Call, event: AnyEvent) -> Step | None:
    match event:
        case Answered():
            return talking.enter_talking(call, event.facts)
        case Missed(reason=reason):
            return waiting.return_to_head(call, event.facts, reason)
        case TalkEnded(seconds=seconds) if seconds > 0:
            return talking.enter_and_finish(call, event.facts, seconds)  # we were told of the end only
        case TalkEnded():
            return waiting.return_to_head(call, event.facts, "gone")
        case Offered() if is_newer(call, event):
            after, commands = enter_ringing(call, event)
            old = FreeSeat(seat_id=call.seat_id, token=call.token, talked=False, at=event.facts.now)
            return after, (old, *commands)
        case HungUp():
            left = leave_line(call, event.facts, "abandoned")
            after, commands = order_and_close(call, event.facts, "abandoned", "abandoned")
            return after, (*left, *commands)
        case _:
            return None


def present(call: Call, facts: Facts) -> tuple[AnyVerb, ...]:
    confirm = must_confirm(call.leader_line)
    return (
        Connect(
            prompts=(Prompt("connecting_recorded" if call.recording else "connecting"),),
            seat_id=call.seat_id,
            token=call.token,
            line=call.leader_line,
            ring_s=facts.limits.ring_s,
            whisper=(*_whisper(call, facts), *((Prompt("whisper_confirm"),) if confirm else ())),
            confirm=confirm,
            recording=call.recording,
        ),
    )


def must_confirm(line: str) -> bool:
    """A number may end at a voicemail; a SIP phone in the hall does not."""
    return not line.lower().startswith(("sip:", "sips:"))


def _whisper(call: Call, facts: Facts) -> tuple[Prompt, ...]:
    minutes = int((call.told_at - call.joined_at) // 60)
    waited = Prompt("whisper_waited", {"minutes": minutes}) if minutes >= 1 else Prompt("whisper_new")
    behind = facts.depth - 1 if facts.position else facts.depth
    return (waited, Prompt("whisper_behind", {"count": behind})) if behind > 0 else (waited,)
