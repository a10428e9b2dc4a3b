"""Several leaders answer: which unit? Part of the one question, asked only while more than one seat is open (A14)."""

from collections.abc import Sequence

from msgspec.structs import replace

from ivr.call import Call
from ivr.facts import Facts, SeatFacts
from ivr.verbs import Ask, Prompt

#: Figures 1 to 9; 0 = I do not know.
MOST_UNITS = 9


def offered(facts: Facts) -> dict[str, SeatFacts]:
    """Seats by their key, which is their place in the session and stays when others open or close. Those whose leader is late
    are offered only when no leader is there, those whose leader has left when all have."""
    seats = facts.session.seats[:MOST_UNITS] if facts.session else ()
    numbered = {str(number): seat for number, seat in enumerate(seats, 1)}
    staying = {key: seat for key, seat in numbered.items() if not seat.left}
    return {key: seat for key, seat in staying.items() if seat.state != "closed"} or staying or numbered


def choose_seat(facts: Facts) -> SeatFacts | None:
    """For who names none: a seat that is free, else the shortest line of those that are open, else the first."""
    return choose_of(list(offered(facts).values()))


def choose_of(seats: Sequence[SeatFacts]) -> SeatFacts | None:
    """The same of these seats."""
    if len(seats) == 1:
        return seats[0]
    free = next((seat for seat in seats if seat.state == "free" and not seat.depth), None)
    return free or min(seats, key=lambda seat: seat.depth, default=None)


def read(facts: Facts, key: str) -> SeatFacts | None:
    """The seat that a key stands for. 0 is a seat only while there are no operators to ask."""
    if key == "0" and not facts.operators:
        return choose_seat(facts)
    return offered(facts).get(key)


def at_seat(facts: Facts, seat: SeatFacts) -> Facts:
    """The facts for whoever joins the line of this seat."""
    return replace(
        facts,
        depth=seat.depth,
        admission=seat.admission,
        chance=seat.chance,
        wait_s=seat.wait_s,
        can_serve=seat.can_serve,
    )


def ask(call: Call, facts: Facts, hello: tuple[Prompt, ...]) -> Ask:
    """Each unit with its key, then the way out."""
    units = offered(facts)
    several = () if call.tries else (Prompt("answering_several", {"count": len(units)}),)
    named = tuple(Prompt(f"pick_{key}", {"unit": seat.unit}) for key, seat in units.items())
    unsure = Prompt("pick_operator" if facts.operators else "pick_unsure")
    return Ask(
        prompts=(*hello, *several, *named, unsure, Prompt("pick_order")),
        keys="".join(("0", *units, "*")),
        timeout_s=facts.limits.ask_timeout_s,
    )
