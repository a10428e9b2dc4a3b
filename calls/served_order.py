"""The served order against the joining order, from the ledger alone: who was put through ahead of whom, and why (R5.2).

Pure but for the one query. A deviation without a reason must not exist, and each caller who was overtaken needs one that moved
these two against each other: an act on somebody else in the line explains nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from msgspec import Struct
from sqlalchemy import select

from calls.model import LedgerEntry
from config.database import Database

#: What happened to a caller's place in a line.
KINDS = (
    "willing", "place_taken_back", "seat_changed", "callback", "left_line", "offered", "connected", "operator_act",
    "act_refused", "callback_missed", "callback_ended", "joined_late", "restored",
)  # fmt: skip
#: What follows from everything else of the same moment.
OFFERS = ("offered", "connected")
#: Acts of an operator that put a caller further to the front; a move goes where it says.
TO_THE_FRONT = ("next", "urgent")
#: A turn is saved a moment before the line knows of it: who came in so shortly before an offer may have come after the claim.
#: Who said yes longer ago than this when the line has them is late, and the ledger says so.
MEANWHILE_S = 3.0
#: Who is restored, because Redis had lost everything, was not in the line since then: this long at most.
RESTORED_WITHIN_S = 60.0

Way = Literal["forward", "back"]


class Fact(Struct, frozen=True):
    """One row of the ledger. `at` in Unix seconds."""

    call_id: str
    kind: str
    at: float
    data: dict[str, Any]


class Deviation(Struct, frozen=True):
    """A caller who was put through while others, who joined the same line earlier, still waited when the leader's line began to
    ring."""

    call_id: str
    seat_id: str
    joined_at: float
    served_at: float
    overtook: tuple[str, ...]
    #: `move: reason (who)`, `callback_missed` ...; of all who were overtaken.
    reasons: tuple[str, ...]
    #: Those of them for whom there is no reason: there must be none.
    unexplained: tuple[str, ...] = ()


class Fairness(Struct, frozen=True):
    """Of one session."""

    served: int
    deviations: tuple[Deviation, ...]

    @property
    def unexplained(self) -> int:
        return sum(bool(deviation.unexplained) for deviation in self.deviations)


@dataclass
class _Moved:
    """What moved a caller within the line at a time; `steps`: past so many others, None = past everybody. `past`: who they were."""

    way: Way
    reason: str
    at: float
    steps: int | None
    past: set[str] = field(default_factory=set)

    def explains(self, other: str, since: float) -> bool:
        """True, and `other` is one of those it moved past, unless there are as many as the steps already. Who is there only
        `since` later came in behind."""
        if since > self.at:
            return True
        if self.steps is not None and other not in self.past and len(self.past) >= self.steps:
            return False
        self.past.add(other)
        return True


@dataclass
class _Stand:
    """A caller in a line: since when, by which joining time, how they came in, and what moved them within it."""

    seat_id: str
    joined_at: float
    since: float
    came: str = ""
    moved: list[_Moved] = field(default_factory=list)

    def reasons(self, way: Way, other: str, since: float) -> list[str]:
        return [one.reason for one in self.moved if one.way == way and one.explains(other, since)]


class _Absence(Struct, frozen=True):
    """When a caller whom the ledger knows to wait was not in the line, in Unix seconds, and why."""

    call_id: str
    since: float
    until: float
    why: str


@dataclass(frozen=True)
class _Offer:
    """Whom the leader's line rang for, and who was overtaken by that, each with the reasons."""

    seat_id: str
    overtook: dict[str, list[str]]


@dataclass
class _Line:
    """Who waits where, as the facts are gone through."""

    stands: dict[str, _Stand] = field(default_factory=dict)
    offers: dict[str, _Offer] = field(default_factory=dict)
    absences: list[_Absence] = field(default_factory=list)
    #: As they were when they left, for the call that takes the place back.
    gone: dict[str, _Stand] = field(default_factory=dict)

    def offer(self, fact: Fact) -> None:
        seat_id, mine = str(fact.data.get("seat_id", "")), self.stands.get(fact.call_id)
        overtook: dict[str, list[str]] = {}
        # A move goes past those who stood right before the caller, first.
        for call_id, stand in sorted(self.stands.items(), key=lambda one: one[1].joined_at, reverse=True):
            if mine and stand is not mine and stand.seat_id == seat_id and stand.joined_at < mine.joined_at:
                overtook[call_id] = self._why(fact, mine, call_id)
        self.offers[fact.call_id] = _Offer(seat_id, dict(reversed(overtook.items())))

    def _why(self, fact: Fact, mine: _Stand, call_id: str) -> list[str]:
        """Why this offer goes past the caller `call_id`. A move's steps are counted last: what else explains it needs none."""
        stand = self.stands[call_id]
        first = [one.reason for one in mine.moved if one.way == "forward" and one.steps is None]
        if said := [*first, *stand.reasons("back", fact.call_id, mine.since)]:
            return said
        meanwhile = [stand.came] if fact.at - stand.since <= MEANWHILE_S else self._away(call_id, fact.at)
        return meanwhile or mine.reasons("forward", call_id, stand.since)

    def _away(self, call_id: str, at: float) -> list[str]:
        mine = (one for one in self.absences if one.call_id == call_id)
        return [one.why for one in mine if one.since <= at <= one.until + MEANWHILE_S]

    def serve(self, fact: Fact) -> Deviation | None:
        if fact.call_id not in self.offers:  # its offer was never put down
            self.offer(fact)
        offer, mine = self.offers.pop(fact.call_id), self.stands.pop(fact.call_id, None)
        if not offer.overtook:
            return None
        reasons = dict.fromkeys(reason for why in offer.overtook.values() for reason in why)
        return Deviation(
            call_id=fact.call_id,
            seat_id=offer.seat_id,
            joined_at=mine.joined_at if mine else 0.0,
            served_at=fact.at,
            overtook=tuple(offer.overtook),
            reasons=tuple(reasons),
            unexplained=tuple(call_id for call_id, why in offer.overtook.items() if not why),
        )


def judge(facts: Iterable[Fact]) -> Fairness:
    """The deviations in these facts, which are in the order of time: who left makes room for the offer of the same moment."""
    told = sorted(facts, key=lambda one: (one.at, one.kind in OFFERS))
    line, served, deviations = _Line(absences=[*map(_absence, filter(_was_away, told))]), 0, list[Deviation]()
    for fact in told:
        if fact.kind == "connected":
            served += 1
            if deviation := line.serve(fact):
                deviations.append(deviation)
        elif fact.kind == "offered":
            line.offer(fact)
        else:
            _follow(line, fact)
    return Fairness(served, tuple(deviations))


def _was_away(fact: Fact) -> bool:
    return fact.kind in ("joined_late", "restored")


def _absence(fact: Fact) -> _Absence:
    return _Absence(fact.call_id, float(fact.data.get("since", fact.at - RESTORED_WITHIN_S)), fact.at, fact.kind)


def _follow(line: _Line, fact: Fact) -> None:
    stands, call_id, data = line.stands, fact.call_id, fact.data
    stand = stands.get(call_id)
    match fact.kind:
        case "willing":
            joined_at = float(data.get("joined_at", fact.at))
            stands[call_id] = _Stand(str(data.get("seat_id", "")), joined_at, fact.at, "joined_meanwhile")
        case "left_line" | "callback_ended":
            if left := stands.pop(call_id, None):
                line.gone[call_id] = left
        case "callback" if data.get("seat_id") and not stand:
            stands[call_id] = _Stand(str(data["seat_id"]), float(data.get("joined_at", fact.at)), fact.at, "callback")
        case "place_taken_back" if stand:  # with what was done to it
            stand.came, from_call = fact.kind, str(data.get("from_call", ""))
            before = stands.get(from_call) or line.gone.get(from_call)
            stand.moved = list(before.moved) if before and before.seat_id == stand.seat_id else []
        case _:
            if stand:
                _move(stand, fact)


def _move(stand: _Stand, fact: Fact) -> None:
    data = fact.data
    match fact.kind:
        case "seat_changed":  # what was done in the other line counts there
            stand.seat_id, stand.since, stand.came, stand.moved = str(data.get("seat_id", "")), fact.at, fact.kind, []
        case "callback_missed":
            stand.moved.append(_Moved("back", fact.kind, fact.at, 1))
        case "operator_act" if data.get("act") in ("move", *TO_THE_FRONT):
            told = f"{data['act']}: {data.get('reason', '')} ({data.get('who', '')})"
            stand.moved.append(_Moved(_way(data), told, fact.at, _steps(data)))
        case "act_refused" if data.get("act", "move") in ("move", *TO_THE_FRONT):
            stand.moved = stand.moved[:-1]
        case _:
            return


def _steps(data: dict[str, Any]) -> int | None:
    before, wanted = data.get("from_position"), data.get("position")
    if data["act"] in TO_THE_FRONT or not isinstance(before, int) or not isinstance(wanted, int):
        return None
    return abs(before - wanted)


def _way(data: dict[str, Any]) -> Way:
    """A move says where the caller stood and was to stand."""
    before, wanted = data.get("from_position"), data.get("position")
    if data["act"] in TO_THE_FRONT or not isinstance(before, int) or not isinstance(wanted, int):
        return "forward"
    return "forward" if wanted <= before else "back"


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
