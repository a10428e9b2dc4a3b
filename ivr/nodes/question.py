"""The one question: will you wait? (GB/T 33358-2016: short, no menu; R4.2b, R4.2c)"""

from ivr.call import Call
from ivr.events import AnyEvent, Keyed, TimedOut
from ivr.facts import Facts, SeatFacts
from ivr.moves import Step, again, enter, note, try_again
from ivr.nodes import contact, message, waiting
from ivr.verbs import AnyVerb, Ask, Prompt

#: A chance below this is called small, one above it good; between them it is told in tenths.
SMALL_CHANCE, GOOD_CHANCE = 0.05, 0.95


def enter_question(call: Call, facts: Facts) -> Step:
    """Ask a caller who arrives while a session is open."""
    seat = choose_seat(facts)
    after = enter(
        call,
        "question",
        facts,
        session_id=facts.session.id if facts.session else "",
        closes_at=facts.session.closes_at if facts.session else 0.0,
        seat_id=seat.id if seat else "",
        token=call.token if seat and seat.id == call.seat_id else 0,
        reason=describe_line(facts, seat),
    )
    return after, (note(facts, "arrived", session_id=after.session_id, seat_id=after.seat_id),)


def choose_seat(facts: Facts) -> SeatFacts | None:
    """The seat whose line the caller would join: the first that is not closed, else the first."""
    seats = facts.session.seats if facts.session else ()
    return next((seat for seat in seats if seat.state != "closed"), seats[0] if seats else None)


def describe_line(facts: Facts, seat: SeatFacts | None) -> str:
    """How the line is put to the caller: free, line, discouraged or ended."""
    if seat is None or facts.admission == "ended":
        return "ended"
    if seat.state == "free" and facts.depth == 0:
        return "free"
    return "discouraged" if facts.admission == "discouraged" else "line"


def advance(call: Call, event: AnyEvent) -> Step | None:
    match event:
        case Keyed(key="1") if call.reason != "ended":
            return _wait(call, event.facts)
        case Keyed(key="2"):
            return message.enter_message(call, event.facts, source="declined", reason="declined")
        case Keyed(key="3") if call.reason == "ended":
            return contact.reach(call, event.facts, source="callback")
        case Keyed() if call.tries and event.facts.now - call.told_at < event.facts.limits.settle_s:
            return call, ()  # the rest of a handful of keys, not an answer to what was only just asked again
        case Keyed() | TimedOut():
            asked = try_again(call, event.facts)
            if asked:
                return asked, ()
            return message.enter_message(call, event.facts, source="declined", reason="silence")
        case _:
            return None


def _wait(call: Call, facts: Facts) -> Step:
    if facts.session is None:
        return message.enter_message(call, facts, source="released", reason="session_closed")
    if facts.admission == "ended":
        return again(call, facts, reason="ended"), ()
    return waiting.enter_waiting(call, facts)


def present(call: Call, facts: Facts) -> tuple[AnyVerb, ...]:
    spoken = (Prompt("not_understood"),) if call.tries else (*_greeting(call, facts), *_line(call, facts))
    keys = "23" if call.reason == "ended" else "12"
    return (Ask(prompts=(*spoken, Prompt(f"choose_{call.reason}")), keys=keys, timeout_s=facts.limits.ask_timeout_s),)


def _greeting(call: Call, facts: Facts) -> tuple[Prompt, ...]:
    greeting = Prompt("greeting", {"city": facts.city})
    seats = facts.session.seats if facts.session else ()
    seat = next((seat for seat in seats if seat.id == call.seat_id), None)
    if seat is None:
        return (greeting,)
    return (
        greeting,
        Prompt("answering_unit", {"unit": seat.unit}),
        Prompt("answering_leader", {"leader": seat.leader}),
    )


def _line(call: Call, facts: Facts) -> tuple[Prompt, ...]:
    if call.reason in ("free", "ended"):
        return (Prompt(f"line_{call.reason}"),)
    ahead = Prompt("waiting_now", {"count": facts.depth}) if facts.depth else Prompt("nobody_waits")
    return (ahead, *_chance(call, facts))


def _chance(call: Call, facts: Facts) -> tuple[Prompt, ...]:
    if facts.chance is None:
        return (Prompt("chance_small"),) if call.reason == "discouraged" else ()
    if facts.chance < SMALL_CHANCE:
        return (Prompt("chance_small"),)
    if facts.chance >= GOOD_CHANCE:
        return ()
    return (Prompt("chance", {"tenths": max(1, min(9, round(facts.chance * 10)))}),)
