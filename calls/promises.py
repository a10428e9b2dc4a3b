"""Calls that are owed a work order and have none, and those that were promised a call back and got nothing.

Who talked with a leader or left a matter has an order of their own. Who gave up waiting has the one of their number, and who met a
fault of ours has an order or an operator's ear. Who was promised a call back has a talk or an order, or keeps the place.
A newer call of the same number that took the place took the promise with it: what it came to counts, and so on from call to call.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import CompoundSelect, Select, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from calls.ledger import Unaccounted
from calls.model import CLOSED, LedgerEntry
from config.columns import from_unix
from config.database import Database
from workorders.model import OrderEvent, WorkOrder

#: Outcomes with which there is an order, whatever else was.
_ORDERED = ("talked", "work_order")
#: Outcomes with which there is an order unless somebody of ours talked with the caller.
_ORDERED_OR_SPOKEN = ("callback", "fallback")
#: Somebody of ours talked with the caller.
_SPOKEN = ("transferred", "operator_talked")
#: Of whoever took a place over: somebody talked with them, or it was a fault of ours, of which they have an account of their own.
_SPOKEN_OUTCOMES = ("transferred", "fallback")
#: Enough to be told, and to be followed from call to call; the first ones.
MOST_TOLD, MOST_FOLLOWED = 1000, 20_000


async def broken_promises(
    database: Database, session_id: str | None, before: float, live: Collection[str] = ()
) -> tuple[Unaccounted, ...]:
    """Of one session or of all time, those of whom nothing was heard since `before` (Unix seconds); `last_kind` is the outcome.
    `live`: calls that go on, those who keep a place among them."""
    orders, promises = _owed(session_id)
    async with database.read() as session:
        without = await _first_of(session, orders.except_(*_ordered(orders))) - set(live)
        missing = await _first_of(session, promises.except_(_spoken(promises), *_ordered(promises))) - set(live)
        broken = without | (await _without_heir(session, missing, live, before) if missing else missing)
        rows = await session.execute(_first_and_last(broken, before))
        return tuple(
            Unaccounted(row.call_id, row.first_at.timestamp(), row.last_at.timestamp(), row.outcome or "") for row in rows
        )


def _owed(session_id: str | None) -> tuple[Select[str], Select[str]]:
    """The calls whose end has an order of its own, and those to whom a talk, or what a newer call came to, is as good."""
    fact = aliased(LedgerEntry)
    # Who gave up in the line, or while the operators' line rang. Who gave way to a newer call has gone on with that one.
    gave_up = exists().where(
        fact.call_id == LedgerEntry.call_id,
        or_((fact.kind == "left_line") & (fact.data["reason"].as_string() == "abandoned"), fact.kind == "operator"),
    )
    lenient = or_(LedgerEntry.outcome.in_(_ORDERED_OR_SPOKEN), (LedgerEntry.outcome == "abandoned") & gave_up)
    closed = select(LedgerEntry.call_id).where(LedgerEntry.kind == CLOSED)
    if session_id is not None:
        closed = closed.where(LedgerEntry.session_id == session_id)
    return closed.where(LedgerEntry.outcome.in_(_ORDERED)), closed.where(lenient)


async def _first_of(session: AsyncSession, calls: CompoundSelect[str]) -> set[str]:
    some = calls.subquery()
    return set(await session.scalars(select(some.c.call_id).order_by(some.c.call_id).limit(MOST_FOLLOWED)))


def _settled(calls: Collection[str]) -> tuple[Select[Any], ...]:
    """Those of these calls, which took a place over, that came to something by themselves: they talked, with the leader or an
    operator, or there is an order that stands."""
    ended = select(LedgerEntry.call_id).where(LedgerEntry.call_id.in_(calls), LedgerEntry.outcome.in_(_SPOKEN_OUTCOMES))
    return _spoken(calls), ended, *_ordered(calls)


def _spoken(calls: Select[str] | Collection[str]) -> Select[Any]:
    missed = aliased(LedgerEntry)
    return select(LedgerEntry.call_id).where(
        LedgerEntry.call_id.in_(calls),
        or_(
            LedgerEntry.kind.in_(_SPOKEN),
            (LedgerEntry.kind == "connected")  # but not when the carrier said afterwards that they never were
            & ~exists().where(missed.call_id == LedgerEntry.call_id, missed.kind == "missed", missed.id > LedgerEntry.id),
        ),
    )


def _ordered(calls: Select[str] | Collection[str]) -> tuple[Select[Any], ...]:
    event = aliased(OrderEvent)
    last = (
        select(func.max(OrderEvent.id))
        .where(OrderEvent.order_id == WorkOrder.id, OrderEvent.kind != "abandoned_earlier")
        .scalar_subquery()
    )
    withdrawn = exists().where(event.id == last, event.kind == "withdrawn")
    stands = or_(WorkOrder.status != "cancelled", ~withdrawn)  # what a person cancelled, a person has looked at
    ordered = select(WorkOrder.call_id).where(WorkOrder.call_id.in_(calls), stands)
    of_event = OrderEvent.data["call_id"].as_string()
    shared = (  # the one order of a number that gave up more than once is another call's
        select(of_event)
        .join(WorkOrder, WorkOrder.id == OrderEvent.order_id)
        .where(OrderEvent.kind.in_(("abandoned_again", "abandoned_earlier")), of_event.in_(calls), stands)
    )
    return ordered, shared


async def _without_heir(session: AsyncSession, calls: set[str], live: Collection[str], before: float) -> set[str]:
    """Those of these calls that no other call came after which came to something, goes on, or was heard of since `before`."""
    heirs: dict[str, set[str]] = defaultdict(set)
    settled, seen, found = set(live), set[str](), calls
    while found:
        seen |= found
        for call_id, heir in await _heirs(session, found):
            heirs[call_id].add(heir)
        found = {heir for call_id in found for heir in heirs[call_id]} - seen - settled
        fresh = select(LedgerEntry.call_id).where(LedgerEntry.call_id.in_(found), LedgerEntry.at >= from_unix(before))
        for some in (*_settled(found), fresh):
            settled.update(await session.scalars(some))
        found -= settled
    while more := {call_id for call_id, some in heirs.items() if some & settled} - settled:
        settled |= more
    return calls - settled


async def _heirs(session: AsyncSession, calls: set[str]) -> list[tuple[str, str]]:
    """(call, the newer call that has its place)."""
    sessions = select(LedgerEntry.session_id).where(LedgerEntry.call_id.in_(calls), LedgerEntry.kind == CLOSED)
    to_call, from_call = LedgerEntry.data["to_call"].as_string(), LedgerEntry.data["from_call"].as_string()
    gave = select(LedgerEntry.call_id, to_call).where(
        LedgerEntry.call_id.in_(calls), LedgerEntry.kind == "left_line", to_call.is_not(None)
    )
    took = select(from_call, LedgerEntry.call_id).where(
        LedgerEntry.session_id.in_(sessions), LedgerEntry.kind == "place_taken_back", from_call.in_(calls)
    )
    return [(row[0], row[1]) for query in (gave, took) for row in await session.execute(query)]


def _first_and_last(calls: Collection[str], before: float) -> Select[str, datetime, datetime, str | None]:
    first_at, last_at = func.min(LedgerEntry.at).label("first_at"), func.max(LedgerEntry.at).label("last_at")
    return (
        select(LedgerEntry.call_id, first_at, last_at, func.max(LedgerEntry.outcome).label("outcome"))
        .where(LedgerEntry.call_id.in_(calls))
        .group_by(LedgerEntry.call_id)
        .having(func.max(LedgerEntry.at) < from_unix(before))
        .order_by(func.min(LedgerEntry.id))
        .limit(MOST_TOLD)
    )
