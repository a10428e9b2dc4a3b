"""Who stood in which line from when to when, from facts of the ledger. Pure. (Who overtook whom: calls.served_order.)"""

from collections.abc import Iterable

from msgspec import Struct

from calls.ledger import Entry


class Stay(Struct):
    """One caller in one line. Times in Unix seconds; `left_at` 0.0 = not yet."""

    call_id: str
    seat_id: str
    joined_at: float
    since: float
    served_at: float = 0.0
    left_at: float = 0.0


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
            case "callback" if fact.data.get("seat_id") and (stay is None or stay.left_at):
                # Out of the line while the number was keyed in, and back in the old place without a phone.
                joined_at = float(fact.data.get("joined_at", fact.at))
                now[fact.call_id] = Stay(fact.call_id, str(fact.data["seat_id"]), joined_at, fact.at)
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
