"""The one question: will you wait? (GB/T 33358-2016: short, no menu; R4.2b, R4.2c)"""

from ivr.call import Call
from ivr.events import AnyEvent, Keyed, TimedOut
from ivr.facts import Facts, SeatFacts
from ivr.moves import Step, again, enter, has_left, note, try_again
from ivr.nodes import contact, message, operator, pick, waiting
from ivr.spoken import counted
from ivr.verbs import AnyVerb, Ask, Prompt

#: A chance below this is called small, one above it good; between them it is told in tenths.
SMALL_CHANCE, GOOD_CHANCE = 0.05, 0.95
#: Reasons for which the caller is not let into the line.
SHUT = ("ended", "often", "left")


def enter_question(call: Call, facts: Facts) -> Step:
    """Ask a caller who arrives while a session is open."""
    seat, reason = _opening(facts)
    after = enter(
        call,
        "question",
        facts,
        session_id=facts.session.id if facts.session else "",
        closes_at=facts.session.closes_at if facts.session else 0.0,
        seat_id=seat.id if seat else "",
        token=call.token if seat and seat.id == call.seat_id else 0,
        reason=reason,
    )
    return after, (note(facts, "arrived", session_id=after.session_id, seat_id=after.seat_id),)


def _opening(facts: Facts) -> tuple[SeatFacts | None, str]:
    """The seat that is spoken of and how: the line of one seat, a choice of units, or the place that is kept."""
    seats = facts.session.seats if facts.session else ()
    held = next((seat for seat in seats if facts.place and seat.id == facts.place.seat_id and not seat.left), None)
    if held is not None:
        return held, "kept"
    if facts.recent_calls > facts.limits.most_recent_calls:
        return pick.choose_seat(facts), "often"
    units = list(pick.offered(facts).values())
    if len(units) > 1 and not all(seat.left for seat in units):
        return None, "pick"
    seat = pick.choose_of(units)
    return seat, describe_line(facts, seat)


def describe_line(facts: Facts, seat: SeatFacts | None) -> str:
    """How the line is put to the caller: free, line, discouraged, ended or left."""
    if seat is not None and seat.left:
        return "left"
    if seat is None or facts.admission == "ended":
        return "ended"
    if seat.state == "free" and facts.depth == 0:
        return "free"
    return "discouraged" if facts.admission == "discouraged" else "line"


def advance(call: Call, event: AnyEvent) -> Step | None:
    match event:
        case Keyed(key=key) if call.reason == "pick" and (chosen := pick.read(event.facts, key)) is not None:
            return _choose(call, event.facts, chosen)
        case Keyed(key="0") if call.reason == "pick" and event.facts.operators:
            return operator.enter_operator(call, event.facts, source="declined", reason="unsure")
        case Keyed(key="1") if call.reason not in (*SHUT, "pick") and event.facts.session is not None:
            return _wait(call, event.facts)
        case Keyed(key=key) if key == order_key(call):
            return message.enter_message(call, event.facts, source="declined", reason="declined")
        case Keyed(key="3") if call.reason in SHUT:
            return contact.reach(call, event.facts, source="callback")
        case Keyed() if call.tries and event.facts.now - call.told_at < event.facts.limits.settle_s:
            return call, ()  # the rest of a handful of keys, not an answer to what was only just asked again
        case Keyed() | TimedOut() if event.facts.session is None and call.reason not in SHUT:
            # Whom they would have waited for has gone meanwhile: told so, instead of being asked again.
            return message.enter_message(call, event.facts, source="released", reason="session_closed")
        case Keyed() | TimedOut():
            asked = try_again(call, event.facts)
            if asked:
                return asked, ()
            return message.enter_message(call, event.facts, source="declined", reason="silence")
        case _:
            return None


def order_key(call: Call) -> str:
    """The key that leaves a work order: 2, unless the figures stand for units."""
    return "*" if call.reason == "pick" else "2"


def _choose(call: Call, facts: Facts, seat: SeatFacts) -> Step:
    """The caller has picked a unit: into its line, unless there is something to be said about it first."""
    there = pick.at_seat(facts, seat)
    reason = describe_line(there, seat)
    chosen = again(call, facts, seat_id=seat.id, token=0, tries=0, reason=reason)
    if reason in ("free", "line"):
        return waiting.enter_waiting(chosen, there)
    return chosen, ()


def _wait(call: Call, facts: Facts) -> Step:
    if has_left(call, facts):
        return again(call, facts, reason="left"), ()
    if call.reason == "kept" and facts.place and facts.place.seat_id == call.seat_id:
        return waiting.take_back(call, facts, facts.place)
    if facts.admission == "ended":
        return again(call, facts, reason="ended"), ()
    return waiting.enter_waiting(call, facts)


def present(call: Call, facts: Facts) -> tuple[AnyVerb, ...]:
    if call.reason == "pick":
        return (pick.ask(call, facts, _hello(call, facts)),)
    spoken = (Prompt("not_understood"),) if call.tries else (*_greeting(call, facts), *_line(call, facts))
    keys = "23" if call.reason in SHUT else "12"
    choice = Prompt("choose_ended" if call.reason in SHUT else f"choose_{call.reason}")
    return (Ask(prompts=(*spoken, choice), keys=keys, timeout_s=facts.limits.ask_timeout_s),)


def _hello(call: Call, facts: Facts) -> tuple[Prompt, ...]:
    return (Prompt("not_understood"),) if call.tries else (Prompt("greeting", {"city": facts.city}),)


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
    if call.reason in ("free", "kept", *SHUT):
        return (Prompt(f"line_{call.reason}"),)
    ahead = counted("waiting_now", facts.depth) if facts.depth else Prompt("nobody_waits")
    return (ahead, *_chance(call, facts))


def _chance(call: Call, facts: Facts) -> tuple[Prompt, ...]:
    if facts.chance is None:
        return (Prompt("chance_small"),) if call.reason == "discouraged" else ()
    if facts.chance < SMALL_CHANCE:
        return (Prompt("chance_small"),)
    if facts.chance >= GOOD_CHANCE:
        return ()
    return (Prompt("chance", {"tenths": max(1, min(9, round(facts.chance * 10)))}),)
