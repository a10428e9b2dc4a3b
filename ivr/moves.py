"""The moves that several nodes share: to another node, out of the line, to an order, to the end. Pure, as all of ivr."""

from msgspec.structs import replace

from ivr.call import Call, NodeName, OrderSource, Outcome
from ivr.commands import AnyCommand, CloseCall, FreeSeat, LeaveLine, LeaveReason, MakeOrder, Note, ReturnToHead, WakeAt
from ivr.facts import Facts

#: A node's answer to an event: the call after it, and what is to be done.
Step = tuple[Call, tuple[AnyCommand, ...]]

#: Why a seat pauses whose leader hangs up again and again before the two are together.
HUNG_UP = "hung_up"


def enter(call: Call, node: NodeName, facts: Facts, **changes: object) -> Call:
    """The call at another node; the caller hears something else from the coming turn on."""
    return again(call, facts, tries=0, node=node, entered_at=facts.now, **changes)


def again(call: Call, facts: Facts, **changes: object) -> Call:
    """The call with something new to hear, at the same node unless `changes` says otherwise."""
    return replace(call, **{"scene": call.seq + 1, "told_at": facts.now, **changes})


def try_again(call: Call, facts: Facts, **changes: object) -> Call | None:
    """The same question once more; None when it has been asked often enough."""
    if call.tries + 1 >= facts.limits.tries:
        return None
    return again(call, facts, tries=call.tries + 1, **changes)


def just_entered(call: Call, facts: Facts) -> bool:
    """True while a key may still belong to the choice that led here."""
    return facts.now - call.entered_at < facts.limits.settle_s


def recording_name(call: Call, kind: str) -> str:
    """Of a recording that starts with the coming turn; unique within the call, safe as a file name."""
    return f"{call.id}-{kind}{call.seq + 1}"


def note(facts: Facts, kind: str, **data: str | float) -> Note:
    """A fact for the ledger. Never personal data."""
    return Note(kind=kind, at=facts.now, data=data)


def leave_line(call: Call, facts: Facts, reason: LeaveReason, to_call: str = "") -> tuple[AnyCommand, ...]:
    """Whatever takes this call out of the line, and gives back a seat that rings for it. Nothing when in no line. `to_call`:
    the call that has the place now."""
    heir = {"to_call": to_call} if to_call else {}
    left: tuple[AnyCommand, ...] = (
        LeaveLine(seat_id=call.seat_id, reason=reason),
        note(facts, "left_line", seat_id=call.seat_id, reason=reason, **heir),
        WakeAt(at=0),
    )
    match call.node:
        case "waiting" | "kept":
            return left
        case "callback" if keeps_place(call):
            return left
        case "ringing" | "calling" | "screening":
            return (FreeSeat(seat_id=call.seat_id, token=call.token, talked=False, at=facts.now), *left)
        case _:
            return ()


def has_left(call: Call, facts: Facts) -> bool:
    """The leader of this caller's line is gone for good."""
    seats = facts.session.seats if facts.session else ()
    return any(seat.left for seat in seats if seat.id == call.seat_id)


def keeps_place(call: Call) -> bool:
    """True for a caller who hears that we call back and whose place in the line is kept."""
    return call.node == "callback" and call.reason == "kept"


def can_be_phoned(call: Call) -> bool:
    """We know a number at which the caller can be reached: only then may a call back be promised."""
    return bool(call.contact or call.number)


def make_order(call: Call, facts: Facts, source: OrderSource, recording: str = "", contact: str = "") -> Step:
    """The work order of this call, unless it has one already, with the number at which the caller is reached."""
    if call.ordered:
        return call, ()
    reached_at = contact or call.contact or call.typed  # what was keyed in, for a person to make something of
    order = MakeOrder(source=source, recording=recording, contact=reached_at, at=facts.now)
    return replace(call, ordered=True, source=source), (order,)


def close(call: Call, facts: Facts, outcome: Outcome) -> Step:
    """The caller is gone. The call's outcome stays what was decided before, if anything was."""
    if call.ended_at:  # the ledger has it: this was a call back
        return enter(call, "ended", facts), (note(facts, "callback_ended"),)
    final = call.outcome or outcome
    ended = enter(call, "ended", facts, outcome=final, ended_at=facts.now)
    return ended, (CloseCall(outcome=final, at=facts.now),)


def order_and_close(
    call: Call, facts: Facts, source: OrderSource, outcome: Outcome, recording: str = "", contact: str = ""
) -> Step:
    """The caller is gone, and what they wanted is not: the order, then the end."""
    ordered, order = make_order(call, facts, source, recording, contact)
    ended, closing = close(ordered, facts, outcome)
    return ended, (*order, *closing)


def give_back(call: Call, facts: Facts, reason: str, *, from_talk: bool = False) -> tuple[tuple[Note, ...], ReturnToHead]:
    """The leader did not take this caller: what is noted, and how the caller is the first again. The seat pauses; not when the
    two lost each other before they were together, unless that happens again and again."""
    times = _gone(call, facts) + 1
    if reason == "gone" and times >= facts.limits.most_gone:
        reason = HUNG_UP
    notes = [note(facts, "missed", seat_id=call.seat_id, reason=reason)]
    if reason == HUNG_UP:
        notes.append(note(facts, "seat_paused", seat_id=call.seat_id, reason=reason, times=times))
    back = ReturnToHead(
        seat_id=call.seat_id, token=call.token, reason=reason, pause=reason != "gone", from_talk=from_talk
    )
    return tuple(notes), back


def _gone(call: Call, facts: Facts) -> int:
    """How often in a row the leader of this line hung up before the two were together, before this time."""
    seats = facts.session.seats if facts.session else ()
    return next((seat.gone for seat in seats if seat.id == call.seat_id), 0)
