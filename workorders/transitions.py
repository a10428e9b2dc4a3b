"""The life of a work order as one table. Pure: what may follow what, and which word does it."""

from typing import Literal, get_args

Status = Literal["registered", "dispatched", "signed", "handling", "replied", "closed", "returned", "cancelled"]
Transition = Literal["dispatch", "sign", "handle", "reply", "close", "redo", "return", "cancel"]

#: transition -> (from which states, to which state)
TABLE: dict[Transition, tuple[frozenset[Status], Status]] = {
    # delivered to the unit's inbox: the clock starts (A4); again after the unit returned it
    "dispatch": (frozenset({"registered", "returned"}), "dispatched"),
    # the unit signs that it has it
    "sign": (frozenset({"dispatched"}), "signed"),
    # the unit is at work, in contact with the petitioner (R4.5a); not signing first is no way to hold it up
    "handle": (frozenset({"dispatched", "signed"}), "handling"),
    # a written reply exists (R4.5b)
    "reply": (frozenset({"signed", "handling"}), "replied"),
    # called back and satisfied (R4.6b); answered on the spot by the leader (R5.3b)
    "close": (frozenset({"registered", "replied"}), "closed"),
    # called back and not satisfied (R4.6c)
    "redo": (frozenset({"replied"}), "dispatched"),
    # not this unit's business
    "return": (frozenset({"dispatched", "signed"}), "returned"),
    # made by mistake, or a duplicate
    "cancel": (frozenset({"registered", "returned"}), "cancelled"),
}
#: States in which nothing more is expected.
FINAL: frozenset[Status] = frozenset({"closed", "cancelled"})


class TransitionRefused(ValueError):
    """This transition is not possible in the order's present state."""


def follow(status: str, transition: Transition) -> Status:
    """The state after `transition`. Raises TransitionRefused and says what is possible instead."""
    sources, target = TABLE[transition]
    if status in sources:
        return target
    raise TransitionRefused(
        f"an order that is {status} cannot {transition}; possible: {', '.join(possible(status)) or 'nothing'}"
    )


def possible(status: str) -> list[Transition]:
    """Transitions that `status` allows, in the order of the table."""
    return [transition for transition in get_args(Transition) if status in TABLE[transition][0]]
