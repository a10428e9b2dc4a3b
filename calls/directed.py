"""What was directed for a session, read from the ledger: for the day on which Redis has lost it. Pure."""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from calls.ledger import Entry, refused_in
from ivr.notices import SAYS
from sessions.directions import Directions


class Directed(Struct, frozen=True):
    """How a session stood after the last act on it."""

    held: bool = False
    directions: Directions = Directions()


def as_directed(facts: Iterable[Entry]) -> Directed:
    """From a session's facts, in the order they were put down. An act that was refused has changed nothing."""
    stands, known = Directed(), list(facts)
    undone = refused_in(known)
    for fact in known:
        if fact.kind == "session_act" and fact.command_id not in undone:
            stands = _after(stands, fact)
    return stands


def _after(stands: Directed, fact: Entry) -> Directed:
    act, told = str(fact.data.get("act", "")), stands.directions
    notice = str(fact.data.get("notice", "")) or SAYS.get(act, "")
    if notice:
        told = replace(told, notice=notice, notice_at=fact.at)
    if "admission" in fact.data:
        told = replace(told, admission_closed=fact.data["admission"] == "closed")
    held = act == "hold" if act in ("hold", "resume") else stands.held
    return Directed(held, told)
