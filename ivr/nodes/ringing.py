"""The leader's line rings for this caller."""

from msgspec.structs import replace

from ivr.call import Call
from ivr.commands import FreeSeat, Note, WakeAt
from ivr.events import Answered, AnyEvent, HungUp, Missed, Offered, Released, TalkEnded
from ivr.facts import Facts
from ivr.moves import Step, enter, note, recording_name
from ivr.nodes import talking, waiting
from ivr.spoken import counted
from ivr.verbs import AnyVerb, Connect, Prompt


def is_newer(call: Call, offer: Offered) -> bool:
    """False for an offer that was seen before: its token has been used or given back."""
    return offer.seat_id != (call.claimed_seat or call.seat_id) or offer.token > call.token


def can_ring(call: Call, offer: Offered) -> bool:
    """A new offer, of a leader who can be reached from this caller's carrier."""
    return bool(offer.line) and is_newer(call, offer)


def enter_ringing(call: Call, offer: Offered) -> Step:
    """Ring the seat that claimed this caller."""
    after = ring(at_seat(call, offer), offer.facts)
    return after, (note_offer(call, offer), WakeAt(at=0))


def at_seat(call: Call, offer: Offered) -> Call:
    """The call with the claim by which it was offered, and the lines of the leader."""
    first, *more = offer.line.split(",")
    claimed = {"seat_id": offer.seat_id, "claimed_seat": offer.seat_id, "token": offer.token}
    return replace(call, **claimed, leader_line=first, more_lines=tuple(more))


def note_offer(call: Call, offer: Offered) -> Note:
    waited = max(0, int(offer.facts.now - call.joined_at))
    return note(offer.facts, "offered", seat_id=offer.seat_id, waited_s=waited)


def ring(call: Call, facts: Facts) -> Call:
    """The first or the next of the leader's lines rings."""
    recording = recording_name(call, "t") if facts.limits.record_talks else ""
    return enter(call, "ringing", facts, recording=recording, reason="")


def _missed(call: Call, event: Missed) -> Step:
    """The next line of the same leader, or back to the head."""
    if not call.more_lines or event.reason == "gone":
        return waiting.return_to_head(call, event.facts, event.reason)
    after = ring(replace(call, leader_line=call.more_lines[0], more_lines=call.more_lines[1:]), event.facts)
    return after, (note(event.facts, "next_line", seat_id=call.seat_id, reason=event.reason),)


def advance(call: Call, event: AnyEvent) -> Step | None:
    match event:
        case Answered():
            return talking.enter_talking(call, event.facts)
        case Missed():
            return _missed(call, event)
        case TalkEnded(seconds=seconds) if seconds > 0:
            return talking.enter_and_finish(call, event.facts, seconds)  # we were told of the end only
        case TalkEnded():
            return waiting.return_to_head(call, event.facts, "gone")
        case Offered(seat_id=call.seat_id) if can_ring(call, event):
            after, commands = enter_ringing(call, event)
            old = FreeSeat(seat_id=call.seat_id, token=call.token, talked=False, at=event.facts.now)
            return after, (old, *commands)
        case Released(to="other_call"):  # the place is where somebody is on the phone for certain, and rings there next
            return waiting.give_way(call, event)
        case HungUp():
            return waiting.hang_up(call, event.facts)
        case _:
            return None


def present(call: Call, facts: Facts) -> tuple[AnyVerb, ...]:
    confirm = must_confirm(call.leader_line)
    return (
        Connect(
            prompts=(Prompt("connecting"),),
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
    """A number may end at a voicemail; a phone in the hall, by SIP or in a browser, does not."""
    return not line.lower().startswith(("sip:", "sips:", "client:"))


def _whisper(call: Call, facts: Facts) -> tuple[Prompt, ...]:
    minutes = int((call.told_at - call.joined_at) // 60)
    waited = Prompt("whisper_waited", {"minutes": minutes}) if minutes >= 1 else Prompt("whisper_new")
    behind = facts.depth - 1 if facts.position else facts.depth
    return (waited, counted("whisper_behind", behind)) if behind > 0 else (waited,)
