"""The leader and the caller hear each other. Nothing of ours cuts it but an emergency stop."""

from msgspec.structs import replace

from ivr.call import Call, Outcome
from ivr.commands import FreeSeat, JoinLine, TakeSeat, WakeAt
from ivr.events import AnyEvent, HungUp, Missed, Offered, Released, TalkEnded
from ivr.facts import Facts
from ivr.moves import Step, can_be_phoned, close, enter, give_back, make_order, note
from ivr.nodes import goodbye


def enter_talking(call: Call, facts: Facts) -> Step:
    """The leader answered. What the caller hears goes on as it is, so the scene stays."""
    outcome: Outcome = "callback" if call.ended_at else "talked"  # the ledger keeps the outcome it was told first
    after = replace(call, node="talking", entered_at=facts.now, talk_started_at=facts.now, outcome=outcome, tries=0)
    return after, (
        TakeSeat(seat_id=call.seat_id, token=call.token, at=facts.now),
        note(facts, "connected", seat_id=call.seat_id),
    )


def enter_and_finish(call: Call, facts: Facts, seconds: float) -> Step:
    """A talk whose beginning nobody told us of."""
    talking, taken = enter_talking(call, facts)
    after, finished = finish(talking, facts, seconds)
    return after, (*taken, *finished)


def advance(call: Call, event: AnyEvent) -> Step | None:
    match event:
        case TalkEnded(seconds=seconds):
            return finish(call, event.facts, seconds)
        case Missed(reason=reason):
            return _never_talked(call, event.facts, reason)
        case Released(reason="session_stopped"):
            return _stop(call, event.facts)
        case HungUp():
            after, commands = _finish(call, event.facts, event.facts.now - call.talk_started_at)
            ended, closing = close(after, event.facts, "talked")
            return ended, (*commands, *closing)
        case Offered(seat_id=call.seat_id, token=token) if token > call.token:
            # The claim lapsed while the two were already talking: the newer one is this talk's.
            return replace(call, token=token), (
                FreeSeat(seat_id=call.seat_id, token=call.token, talked=False, at=event.facts.now),
                TakeSeat(seat_id=call.seat_id, token=token, at=event.facts.now),
            )
        case _:
            return None


def _stop(call: Call, facts: Facts) -> Step:
    """Emergency stop: both are told, and the caller is called back."""
    known, order = make_order(call, facts, "callback", call.recording)
    after, commands = _finish(known, facts, facts.now - call.talk_started_at)
    stopped = note(facts, "released", to="callback", reason="session_stopped")
    told = "session_stopped" if can_be_phoned(call) else "stopped_no_number"
    return goodbye.enter_goodbye(after, facts, told), (stopped, *order, *commands)


def _never_talked(call: Call, facts: Facts, reason: str) -> Step:
    """The carrier says afterwards that the two were never put together: the caller is the first again, with the first
    joining time. However short, a talk is a talk; this was none."""
    promised: Outcome | None = "callback" if call.source == "callback" else None
    outcome = call.outcome if call.ended_at else promised
    notes, back = give_back(call, facts, reason, from_talk=True)
    waiting = enter(
        call, "waiting", facts, told_position=1, missed=call.missed + 1, reason="leader_missed", outcome=outcome
    )
    return waiting, (
        *notes,
        # In this order: the seat that is free again finds this caller at the head.
        JoinLine(seat_id=call.seat_id, joined_at=call.joined_at),
        back,
        WakeAt(at=facts.now + facts.limits.announce_every_s),
    )


def finish(call: Call, facts: Facts, seconds: float) -> Step:
    """The talk is over and the caller still there: thanks, and goodbye."""
    after, commands = _finish(call, facts, seconds)
    return goodbye.enter_goodbye(after, facts, "talked"), commands


def _finish(call: Call, facts: Facts, seconds: float) -> Step:
    after, order = make_order(call, facts, "talked", call.recording)
    return after, (
        FreeSeat(seat_id=call.seat_id, token=call.token, talked=True, at=facts.now),
        note(facts, "talked", seat_id=call.seat_id, seconds=round(max(0.0, seconds), 1)),
        *order,
    )
