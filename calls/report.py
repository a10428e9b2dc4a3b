"""The report of a session, from the ledger alone: who waited how long, who was put through, what was promised. Pure."""

from collections.abc import Mapping, Sequence
from math import ceil

from msgspec import Struct

from calls.ledger import OF_NO_CALL, Entry, refused_in
from calls.served_order import Deviation, Fact, judge
from calls.stays import Stay, follow

#: The depth of the line is given for every so many seconds.
STEP_S = 60.0


class Waits(Struct, frozen=True):
    """Seconds; of `count` callers. All zero when there was none."""

    count: int = 0
    median_s: float = 0.0
    p90_s: float = 0.0
    longest_s: float = 0.0


class Promise(Struct, frozen=True):
    """Of `told` callers who joined with a chance from `least` to `least` + 0.1, `stayed` did not give up by themselves, and
    `served` were put through."""

    least: float
    told: int
    stayed: int
    served: int


class Report(Struct, frozen=True):
    """Times in Unix seconds. `orders`: number of work orders by what they come from."""

    session_id: str
    opens_at: float
    closes_at: float
    theme: str
    calls: int
    outcomes: Mapping[str, int]
    unaccounted: tuple[str, ...]
    joined: int
    served: int
    abandoned_waiting: int
    waits_served: Waits
    waits_all: Waits
    promises: tuple[Promise, ...]
    orders: Mapping[str, int]
    #: [(time, callers in all lines)].
    depth: tuple[tuple[float, int], ...]
    served_order: tuple[str, ...]
    deviations: tuple[Deviation, ...]
    #: Acts of operators: [(time, call, what, who, why)]; without a call: on the whole session.
    acts: tuple[tuple[float, str, str, str, str], ...]


def draw_up(
    session_id: str, opens_at: float, closes_at: float, theme: str, facts: Sequence[Entry], orders: Mapping[str, int]
) -> Report:
    """`facts` of the session."""
    ordered = sorted(facts, key=lambda fact: fact.at)
    stays = follow(ordered)
    outcomes: dict[str, int] = {}
    for fact in ordered:
        if fact.outcome:
            outcomes[fact.outcome] = outcomes.get(fact.outcome, 0) + 1
    closed = {fact.call_id for fact in ordered if fact.outcome}
    calls = dict.fromkeys(fact.call_id for fact in ordered if fact.call_id != OF_NO_CALL)
    fairness = judge(Fact(fact.call_id, fact.kind, fact.at, dict(fact.data)) for fact in ordered)
    served = sorted((stay for stay in stays if stay.served_at), key=lambda stay: stay.served_at)
    undone = refused_in(ordered)
    order = tuple(stay.call_id for stay in served)
    return Report(
        session_id=session_id,
        opens_at=opens_at,
        closes_at=closes_at,
        theme=theme,
        calls=len(calls),
        outcomes=outcomes,
        unaccounted=tuple(call_id for call_id in calls if call_id not in closed),
        joined=len({stay.call_id for stay in stays}),
        served=len(order),
        abandoned_waiting=len(_gave_up(ordered)),
        waits_served=_waits([stay.served_at - stay.joined_at for stay in stays if stay.served_at]),
        waits_all=_waits([stay.left_at - stay.joined_at for stay in stays if stay.left_at]),
        promises=_promises(ordered, set(order)),
        orders=orders,
        depth=_depth(stays, opens_at, closes_at),
        served_order=order,
        deviations=fairness.deviations,
        acts=tuple(_act(fact, fact.command_id in undone) for fact in ordered if fact.kind in ("operator_act", "session_act")),
    )


def _gave_up(ordered: Sequence[Entry]) -> set[str]:
    """Who left the line by themselves; who asked for a call some day, too, but not who kept the place."""
    mine = ("abandoned", "declined", "callback")
    kept = {fact.call_id for fact in ordered if fact.kind == "callback" and "joined_at" in fact.data}
    return {
        fact.call_id
        for fact in ordered
        if fact.kind == "left_line"
        and fact.data.get("reason") in mine
        and not (fact.call_id in kept and fact.data["reason"] == "callback")
    }


def _waits(seconds: list[float]) -> Waits:
    waits = sorted(max(0.0, one) for one in seconds)
    if not waits:
        return Waits()
    return Waits(len(waits), _quantile(waits, 0.5), _quantile(waits, 0.9), round(waits[-1], 1))


def _quantile(waits: list[float], part: float) -> float:
    return round(waits[max(0, ceil(part * len(waits)) - 1)], 1)


def _promises(ordered: Sequence[Entry], served: set[str]) -> tuple[Promise, ...]:
    told: dict[str, float] = {}
    for fact in ordered:
        if fact.kind == "willing" and "chance" in fact.data:
            told.setdefault(fact.call_id, float(fact.data["chance"]))
    left = _gave_up(ordered)
    rows = []
    for tenth in range(10):
        mine = {call_id for call_id, chance in told.items() if min(9, int(chance * 10)) == tenth}
        rows.append(Promise(tenth / 10, len(mine), len(mine - left), len(mine & served)))
    return tuple(rows)


def _depth(stays: Sequence[Stay], opens_at: float, closes_at: float) -> tuple[tuple[float, int], ...]:
    steps = int((closes_at - opens_at) // STEP_S) + 1
    times = [opens_at + step * STEP_S for step in range(steps)]
    return tuple(
        (at, sum(stay.since <= at and (not stay.left_at or stay.left_at > at) for stay in stays)) for at in times
    )


def _act(fact: Entry, refused: bool) -> tuple[float, str, str, str, str]:
    told = [str(fact.data.get(name, "")) for name in ("act", "who", "reason")]
    more = [str(fact.data[name]) for name in ("notice", "admission", "closes_at") if name in fact.data]
    more += ["(refused)"] if refused else []
    return fact.at, fact.call_id, " ".join((told[0], *more)), told[1], told[2]
