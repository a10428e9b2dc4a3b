"""First come, first served? The served order against the joining order, each deviation with its reason. Pure; reads facts
of the ledger and nothing else."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from calls.ledger import Entry

#: Facts about either of the two that explain why one went before the other. The first that is found is the reason.
REASONS = (
    "operator_act", "callback_missed", "missed", "seat_changed", "place_taken_back", "callback_answered", "fallback",
)  # fmt: skip
#: Two who join within so many seconds, or while a process dies that was to put one of them into the line.
TOGETHER_S = 12.0


class Stay(Struct):
    """One caller in one line. Times in Unix seconds; `left_at` 0.0 = not yet."""

    call_id: str
    seat_id: str
    joined_at: float
    since: float
    served_at: float = 0.0
    left_at: float = 0.0


class Deviation(Struct, frozen=True):
    """`call_id` was put through at `at` while `overtaken`, who had joined before, waited. Empty `reason`: unexplained."""

    call_id: str
    overtaken: str
    seat_id: str
    at: float
    reason: str


class Fairness(Struct, frozen=True):
    """Of `served` callers, in order, `deviations` from the order of joining."""

    served: tuple[str, ...]
    deviations: tuple[Deviation, ...]

    @property
    def unexplained(self) -> tuple[Deviation, ...]:
        return tuple(one for one in self.deviations if not one.reason)


def judge(facts: Sequence[Entry]) -> Fairness:
    """`facts` of one session, in any order."""
    ordered = sorted(facts, key=lambda fact: fact.at)
    stays = follow(ordered)
    served = sorted((stay for stay in stays if stay.served_at), key=lambda stay: stay.served_at)
    notes = _explaining(ordered)
    found = [
        Deviation(one.call_id, other.call_id, one.seat_id, one.served_at, _reason(one, other, notes))
        for one in served
        for other in stays
        if _overtaken(one, other)
    ]
    return Fairness(tuple(stay.call_id for stay in served), tuple(found))


def follow(ordered: Iterable[Entry]) -> list[Stay]:
    """Everybody's stays in the lines, from facts in the order of time."""
    stays: list[Stay] = []
    now: dict[str, Stay] = {}
    offered: dict[str, float] = {}
    for fact in ordered:
        stay = now.get(fact.call_id)
        match fact.kind:
            case "willing" | "seat_changed":
                joined_at = float(fact.data.get("joined_at", stay.joined_at if stay else fact.at))
                if stay and not stay.left_at:
                    stay.left_at = fact.at
                now[fact.call_id] = Stay(fact.call_id, str(fact.data.get("seat_id", "")), joined_at, fact.at)
                stays.append(now[fact.call_id])
            case "offered":
                offered[fact.call_id] = fact.at
            case "connected" if stay and not stay.left_at:
                stay.served_at, stay.left_at = offered.get(fact.call_id, fact.at), fact.at
            case "left_line" | "closed" if stay and not stay.left_at:
                keeps = fact.kind == "closed" and fact.outcome == "callback"
                stay.left_at = 0.0 if keeps else fact.at
            case _:
                continue
    return stays


def _overtaken(one: Stay, other: Stay) -> bool:
    waited = other.since <= one.served_at and (not other.left_at or other.left_at > one.served_at)
    return waited and other.seat_id == one.seat_id and other.joined_at < one.joined_at and other is not one


def _explaining(ordered: Iterable[Entry]) -> dict[str, set[str]]:
    notes: dict[str, set[str]] = {}
    for fact in ordered:
        if fact.kind in REASONS:
            notes.setdefault(fact.call_id, set()).add(fact.kind)
    return notes


def _reason(one: Stay, other: Stay, notes: dict[str, set[str]]) -> str:
    kinds = notes.get(one.call_id, set()) | notes.get(other.call_id, set())
    known = next((reason for reason in REASONS if reason in kinds), "")
    if known:
        return known
    together = abs(one.joined_at - other.joined_at) <= TOGETHER_S or one.served_at - other.since <= TOGETHER_S
    return "together" if together else ""
