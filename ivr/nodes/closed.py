"""No session is open: when the next one is, and what can be done now (RA.3, A20)."""

from ivr.call import Call
from ivr.events import AnyEvent, Keyed, TimedOut
from ivr.facts import Facts, SeatFacts
from ivr.moves import Step, enter, note, try_again
from ivr.nodes import message, operator
from ivr.spoken import moment
from ivr.verbs import AnyVerb, Ask, Prompt


def enter_closed(call: Call, facts: Facts) -> Step:
    return enter(call, "closed", facts, reason=""), (note(facts, "arrived", session_id=""),)


def advance(call: Call, event: AnyEvent) -> Step | None:
    match event:
        case Keyed(key="2"):
            return message.enter_message(call, event.facts, source="closed", reason="closed")
        case Keyed(key="0"):
            return operator.enter_operator(call, event.facts, source="closed", reason="")
        case Keyed() if call.tries and event.facts.now - call.told_at < event.facts.limits.settle_s:
            return call, ()
        case Keyed() | TimedOut():
            asked = try_again(call, event.facts)
            if asked:
                return asked, ()
            return operator.enter_operator(call, event.facts, source="closed", reason="silence")
        case _:
            return None


def present(call: Call, facts: Facts) -> tuple[AnyVerb, ...]:
    spoken = (Prompt("not_understood"),) if call.tries else (Prompt("greeting", {"city": facts.city}), *_next(facts))
    choice = Prompt("choose_closed_operators" if facts.operators else "choose_closed")
    return (Ask(prompts=(*spoken, choice), keys="02", timeout_s=facts.limits.ask_timeout_s),)


def _next(facts: Facts) -> tuple[Prompt, ...]:
    session = facts.next_session
    if session is None:
        return (Prompt("closed_now"), Prompt("next_unknown"))
    when = moment(session.opens_at, facts.timezone)
    return (Prompt("closed_now"), Prompt("next_session"), *when, *_who(session.seats))


def _who(seats: tuple[SeatFacts, ...]) -> tuple[Prompt, ...]:
    """One leader by name; of several how many there are, as the question puts it once the session is open."""
    if len(seats) > 1:
        return (Prompt("next_several", {"count": len(seats)}),)
    return tuple(
        prompt
        for seat in seats
        for prompt in (Prompt("next_unit", {"unit": seat.unit}), Prompt("answering_leader", {"leader": seat.leader}))
    )
