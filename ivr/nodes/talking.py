"""The leader and the caller hear each other. Nothing of ours cuts it."""

from msgspec.structs import replace

from ivr.call import Call, Outcome
from ivr.commands import FreeSeat, TakeSeat
from ivr.events import AnyEvent, HungUp, Offered, TalkEnded
from ivr.facts import Facts
from ivr.moves import Step, close, make_order, note
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
