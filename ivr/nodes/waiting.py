"""In the line, on hold: music, and at most every `announce_every_s` what is left of the wait."""

from typing import Literal

from msgspec.structs import replace

from ivr.call import Call
from ivr.commands import AnyCommand, JoinLine, LeaveLine, WakeAt, WithdrawOrder
from ivr.events import Answered, AnyEvent, HungUp, Keyed, Offered, Released, TalkEnded, Woken
from ivr.facts import Facts, Notice, Place, SeatFacts
from ivr.moves import Step, again, enter, give_back, has_left, just_entered, leave_line, note, order_and_close
from ivr.nodes import callback, contact, goodbye, message, ringing, talking
from ivr.notices import NOTICES
from ivr.spoken import MOST_SERVED, counted, waiting_minutes
from ivr.verbs import AnyVerb, Hold, Prompt


def enter_waiting(call: Call, facts: Facts, from_call: str = "") -> Step:
    """Join the line, in the place of `from_call` where there is one. Facts still count the line without this caller."""
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
        note(
            facts,
            "willing",
            seat_id=call.seat_id,
            position=after.told_position,
            joined_at=joined_at,
            **({} if facts.chance is None else {"chance": round(facts.chance, 3)}),
        ),
        JoinLine(seat_id=call.seat_id, joined_at=joined_at, from_call=from_call),
        WakeAt(at=facts.now + facts.limits.announce_every_s),
    )


def take_back(call: Call, facts: Facts, place: Place) -> Step:
    """Who was cut off, or calls from the same number while still waiting, goes on where that call stood. The position is
    told when it is known."""
    after, commands = enter_waiting(replace(call, joined_at=place.joined_at), facts, place.call_id)
    after = replace(after, reason="place_kept", told_position=max(1, facts.depth + 1), told_at=0.0)
    back = note(facts, "place_taken_back", seat_id=place.seat_id, from_call=place.call_id)
    again_soon = WakeAt(at=facts.now + facts.limits.ask_timeout_s)
    withdrawn: tuple[AnyCommand, ...] = (WithdrawOrder(at=facts.now),) if place.left_at else ()
    return after, (*commands, back, *withdrawn, again_soon)


def return_to_head(call: Call, facts: Facts, reason: str) -> Step:
    """The leader did not take this caller: still the first, with the first joining time."""
    notes, back = give_back(call, facts, reason)
    after = enter(
        call, "waiting", facts, told_position=1, missed=call.missed + 1, reason="leader_missed", more_lines=()
    )
    return after, (*notes, back, WakeAt(at=facts.now + facts.limits.announce_every_s))


def advance(call: Call, event: AnyEvent) -> Step | None:
    match event:
        case Keyed(key="2" | "3") if just_entered(call, event.facts):
            return call, ()
        case Keyed(key="2"):
            return message.enter_message(call, event.facts, source="declined", reason="declined")
        case Keyed(key="3"):
            return contact.keep_place(call, event.facts)
        case Offered(seat_id=call.seat_id) if ringing.can_ring(call, event):
            return ringing.enter_ringing(call, event)
        case Released(to="seat"):
            return change_seat(call, event)
        case Released(to="other_call"):
            return give_way(call, event)
        case Answered() | TalkEnded():
            return _talk_after_all(call, event)
        case Woken():
            return _woken(call, event)
        case HungUp():
            return hang_up(call, event.facts)
        case _:
            return None


def hang_up(call: Call, facts: Facts) -> Step:
    """Who was promised to be called back keeps the place; anybody else gives it up, and is called back by an order."""
    if callback.is_promised(call):
        return callback.keep_after_all(call, facts)
    left = leave_line(call, facts, "abandoned")
    after, commands = order_and_close(call, facts, "abandoned", "abandoned")
    return after, (*left, *commands)


def change_seat(call: Call, released: Released) -> Step:
    """On to the line of another seat, with the first joining time."""
    facts = released.facts
    if released.seat_id == call.seat_id or has_left(replace(call, seat_id=released.seat_id), facts):
        return call, ()
    moved = replace(call, seat_id=released.seat_id, claimed_seat=call.claimed_seat or call.seat_id, told_position=0)
    if call.node == "waiting":
        moved = again(moved, facts, reason="moved", told_at=0.0)
    mark: Literal["", "callback"] = "callback" if call.node == "kept" else ""
    soon = () if mark else (WakeAt(at=facts.now + facts.limits.ask_timeout_s),)
    return moved, (
        note(facts, "seat_changed", from_seat=call.seat_id, seat_id=released.seat_id),
        LeaveLine(seat_id=call.seat_id, reason="moved"),
        JoinLine(seat_id=released.seat_id, joined_at=call.joined_at, mark=mark),
        *soon,
    )


def give_way(call: Call, released: Released) -> Step:
    """The same number waits with another call now: one place a number."""
    facts = released.facts
    left = leave_line(call, facts, "replaced", released.call_id)
    return goodbye.enter_goodbye(replace(call, outcome=call.outcome or "abandoned"), facts, "other_call"), left


def _talk_after_all(call: Call, event: Answered | TalkEnded) -> Step:
    """The claim was given up while nobody could tell us that the leader had answered: two who talk are not cut."""
    seconds = event.seconds if isinstance(event, TalkEnded) else None
    if not call.token or seconds == 0:
        return call, ()
    talk, commands = talking.enter_talking(call, event.facts)
    commands = (*commands, LeaveLine(seat_id=call.seat_id, reason="talked"), WakeAt(at=0))
    if seconds is None:
        return talk, commands
    after, finished = talking.finish(talk, event.facts, seconds)
    return after, (*commands, *finished)


def _woken(call: Call, event: Woken) -> Step:
    if event.moved:
        return _tell(replace(call, told_position=0, overtaken=False), event.facts, "place_changed")
    if event.overtaken:  # told with the next announcement: a whole line is not interrupted for it
        return (replace(call, overtaken=True) if _is_behind(call, event.facts) and not call.overtaken else call), ()
    return _announce(call, event.facts)


def _announce(call: Call, facts: Facts) -> Step:
    if facts.session is None and facts.now >= call.closes_at:
        # Whoever closed the session should have released this caller; nobody waits for a leader who has gone.
        return message.enter_message(call, facts, source="released", reason="session_closed")
    if has_left(call, facts):
        return message.enter_message(call, facts, source="released", reason="leader_left")
    notice = facts.notice
    if notice and _concerns(call, facts, notice):
        return _tell(call, facts, notice.key, noticed_at=notice.at)
    due = call.told_at + facts.limits.announce_every_s
    if facts.now < due - 1:
        return replace(call), (WakeAt(at=due),)
    return _tell(call, facts, "")


def _concerns(call: Call, facts: Facts, notice: Notice) -> bool:
    """It is news to this caller (who redials keeps the joining time, and has not been here since), and true of this line."""
    if notice.key not in NOTICES or notice.at <= max(call.noticed_at, call.joined_at, call.started_at):
        return False
    seat = _seat(call, facts)
    is_closed = seat is None or seat.state == "closed"
    return {"leader_late": is_closed, "leader_back": not is_closed}.get(notice.key, True)


def _tell(call: Call, facts: Facts, reason: str, **changes: object) -> Step:
    if call.overtaken and not reason:
        behind = _is_behind(call, facts)
        call = replace(call, overtaken=False, told_position=0 if behind else call.told_position)
        reason = "overtaken" if behind else ""
    told = call.told_position or facts.position
    position = min(told, facts.position) if facts.position else told
    closes_at = facts.session.closes_at if facts.session else call.closes_at
    return again(call, facts, told_position=position, reason=reason, closes_at=closes_at, **changes), (
        WakeAt(at=facts.now + facts.limits.announce_every_s),
    )


def _is_behind(call: Call, facts: Facts) -> bool:
    """The caller stands further back than they were told."""
    return 0 < call.told_position < facts.position


def present(call: Call, facts: Facts) -> tuple[AnyVerb, ...]:
    opening = (Prompt(f"waiting_{call.reason}"),) if call.reason else ()
    if call.reason == "free":
        return (Hold(prompts=opening, keys="23"),)
    place = () if call.reason in ("place_kept", "moved") else _place(call, facts)
    return (Hold(prompts=(*opening, *_leader(call, facts), *place, Prompt("choose_waiting")), keys="23"),)


def _leader(call: Call, facts: Facts) -> tuple[Prompt, ...]:
    """A leader who is not there is no secret, nor is a line that is held."""
    seat = _seat(call, facts)
    if seat is None:
        return ()
    if seat.state == "closed" and call.reason != "leader_late":
        return (Prompt("leader_not_here"),)
    if seat.state != "paused" or call.reason not in ("", "joined"):
        return ()
    return (Prompt("waiting_held" if seat.held else "leader_away"),)


def _seat(call: Call, facts: Facts) -> SeatFacts | None:
    seats = facts.session.seats if facts.session else ()
    return next((seat for seat in seats if seat.id == call.seat_id), None)


def _place(call: Call, facts: Facts) -> tuple[Prompt, ...]:
    behind = _is_behind(call, facts)  # somebody has come back to an earlier place: nothing false, and no place that rises
    if call.told_position <= 1 and not behind:
        return (Prompt("next_is_you"),)
    place = [] if behind else [counted("ahead", call.told_position - 1)]
    if facts.wait_s is not None:
        place.append(Prompt("wait", {"minutes": waiting_minutes(facts.wait_s)}))
    if facts.can_serve is not None:
        place.append(
            Prompt("can_serve", {"count": min(facts.can_serve, MOST_SERVED)})
            if facts.can_serve > 0
            else Prompt("chance_small")
        )
    return tuple(place)
