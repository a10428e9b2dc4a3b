"""The served order against the joining order, from the ledger alone: who was put through ahead of whom, and why (R5.2).

Pure but for the one query. A deviation without a reason must not exist.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct
from sqlalchemy import select

from calls.model import LedgerEntry
from config.database import Database

#: What happened to a caller's place in a line.
KINDS = (
    "willing", "seat_changed", "callback", "left_line", "connected", "operator_act", "callback_missed", "callback_ended",
)  # fmt: skip
#: Acts of an operator that change who goes first.
ACTS = ("move", "next", "urgent", "seat")


class Fact(Struct, frozen=True):
    """One row of the ledger. `at` in Unix seconds."""

    call_id: str
    kind: str
    at: float
    data: dict[str, Any]


class Deviation(Struct, frozen=True):
    """A caller who was put through while others, who joined the same line earlier, still waited."""

    call_id: str
    seat_id: str
    joined_at: float
    served_at: float
    overtook: tuple[str, ...]
    #: `move: reason (who)`, `callback_missed` ...; empty = there is none, which must not be.
    reasons: tuple[str, ...]


class Fairness(Struct, frozen=True):
    """Of one session."""

    served: int
    deviations: tuple[Deviation, ...]

    @property
    def unexplained(self) -> int:
        return sum(not deviation.reasons for deviation in self.deviations)


@dataclass
class _Line:
    """Who waits where, as the facts are gone through."""

    seat: dict[str, str] = field(default_factory=dict)
    joined: dict[str, float] = field(default_factory=dict)
    acts: dict[str, list[str]] = field(default_factory=dict)

    def overtaken(self, call_id: str, seat_id: str) -> tuple[str, ...]:
        mine = self.joined.get(call_id, 0.0)
        waiting = (one for one, seat in self.seat.items() if seat == seat_id and one != call_id)
        return tuple(one for one in waiting if self.joined[one] < mine)

    def reasons(self, call_ids: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(reason for one in call_ids for reason in self.acts.get(one, ())))


def judge(facts: Iterable[Fact]) -> Fairness:
    """The deviations in these facts, which are in the order of time."""
    line, served, deviations = _Line(), 0, list[Deviation]()
    for fact in facts:
        if fact.kind != "connected":
            _follow(line, fact)
            continue
        served += 1
        seat_id = str(fact.data.get("seat_id", ""))
        overtook = line.overtaken(fact.call_id, seat_id)
        if overtook:
            reasons = line.reasons((fact.call_id, *overtook))
            joined_at = line.joined.get(fact.call_id, 0.0)
            deviations.append(Deviation(fact.call_id, seat_id, joined_at, fact.at, overtook, reasons))
        line.seat.pop(fact.call_id, None)
    return Fairness(served, tuple(deviations))


def _follow(line: _Line, fact: Fact) -> None:
    call_id, data = fact.call_id, fact.data
    match fact.kind:
        case "willing":
            line.seat[call_id] = str(data.get("seat_id", ""))
            line.joined[call_id] = float(data.get("joined_at", fact.at))
        case "seat_changed":
            line.seat[call_id] = str(data.get("seat_id", ""))
        case "callback" if data.get("seat_id") and call_id in line.joined:
            line.seat[call_id] = str(data["seat_id"])
        case "left_line" | "callback_ended":
            line.seat.pop(call_id, None)
        case "operator_act" if data.get("act") in ACTS:
            told = f"{data['act']}: {data.get('reason', '')} ({data.get('who', '')})"
            line.acts.setdefault(call_id, []).append(told)
        case "callback_missed":
            line.acts.setdefault(call_id, []).append("callback_missed")
        case _:
            return


async def fairness_of(database: Database, session_id: str) -> Fairness:
    """Of one session, so far."""
    query = (
        select(LedgerEntry)
        .where(LedgerEntry.session_id == session_id, LedgerEntry.kind.in_(KINDS))
        .order_by(LedgerEntry.at, LedgerEntry.id)
    )
    async with database.read() as session:
        rows = list(await session.scalars(query))
    return judge(Fact(row.call_id, row.kind, row.at.timestamp(), row.data) for row in rows)
