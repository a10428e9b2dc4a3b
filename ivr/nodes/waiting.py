"""In the line, on hold: music, and at most every `announce_every_s` what is left of the wait."""

from msgspec.structs import replace

from ivr.call import Call
from ivr.commands import JoinLine, ReturnToHead, WakeAt
from ivr.events import AnyEvent, HungUp, Keyed, Offered, Woken
from ivr.facts import Facts
from ivr.moves import Step, again, enter, just_entered, leave_line, note, order_and_close
from ivr.nodes import contact, message, ringing
from ivr.spoken import waiting_minutes
from ivr.verbs import AnyVerb, Hold, Prompt


def enter_waiting(call: Call, facts: Facts) -> Step:
    """Join the line. Facts still count the line without this caller."""
    joined_at = call.joined_at or facts.now
    after = enter(
        call,
        "waiting",
        facts,
        joined_at=joined_at,
        told_position=facts.position or facts.depth + 1,
        reason="free" if call.reason == "free" else "joined",
    )
    return after, (
        note(facts, "willing", seat_id=call.seat_id, position=after.told_position),
        JoinLine(seat_id=call.seat_id, joined_at=joined_at),
        WakeAt(at=facts.now + facts.limits.announce_every_s),
    )


def return_to_head(call: Call, facts: Facts, reason: str) -> Step:
    """The leader did not take this caller: still the first, with the first joining time."""
    after = enter(call, "waiting", facts, told_position=1, missed=call.missed + 1, reason="leader_missed")
    return after, (
        note(facts, "missed", seat_id=call.seat_id, reason=reason),
        ReturnToHead(seat_id=call.seat_id, token=call.token, reason=reason, pause=reason != "gone"),
        WakeAt(at=facts.now + facts.limits.announce_every_s),
    )


def advance(call: Call, event: AnyEvent) -> Step | None:
    match event:
        case Keyed(key="2" | "3") if just_entered(call, event.facts):
            return call, ()
        case Keyed(key="2"):
            return message.enter_message(call, event.facts, source="declined", reason="declined")
        case Keyed(key="3"):
            return contact.reach(call, event.facts, source="callback")
        case Offered() if ringing.is_newer(call, event):
            return ringing.enter_ringing(call, event)
        case Woken():
            return _announce(call, event.facts)
        case HungUp():
            left = leave_line(call, event.facts, "abandoned")
            after, commands = order_and_close(call, event.facts, "abandoned", "abandoned")
            return after, (*left, *commands)
        case _:
            return None


def _announce(call: Call, facts: Facts) -> Step:
    if facts.session is None and facts.now >= call.closes_at:
        # Whoever closed the session should have released this caller; nobody waits for a leader who has gone.
        return message.enter_message(call, facts, source="released", reason="session_closed")
    due = call.told_at + facts.limits.announce_every_s
    if facts.now < due - 1:
        return replace(call), (WakeAt(at=due),)
    position = min(call.told_position, facts.position) if facts.position else call.told_position
    return again(call, facts, told_position=position, reason=""), (
        WakeAt(at=facts.now + facts.limits.announce_every_s),
    )


def present(call: Call, facts: Facts) -> tuple[AnyVerb, ...]:
    opening = (Prompt(f"waiting_{call.reason}"),) if call.reason else ()
    if call.reason == "free":
        return (Hold(prompts=opening, keys="23"),)
    return (Hold(prompts=(*opening, *_place(call, facts), Prompt("choose_waiting")), keys="23"),)


def _place(call: Call, facts: Facts) -> tuple[Prompt, ...]:
    if call.told_position <= 1:
        return (Prompt("next_is_you"),)
    place = [Prompt("ahead", {"count": call.told_position - 1})]
    if facts.wait_s is not None:
        place.append(Prompt("wait", {"minutes": waiting_minutes(facts.wait_s)}))
    if facts.can_serve is not None:
        place.append(Prompt("can_serve", {"count": facts.can_serve}) if facts.can_serve > 0 else Prompt("chance_small"))
    return tuple(place)
