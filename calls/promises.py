"""Calls that were promised a call back and got nothing: neither a talk nor a work order, and nobody keeps their place.

A newer call of the same number that took the place took the promise with it: what it came to counts, and so on from call to call.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from calls.ledger import Unaccounted
from calls.model import CLOSED, LedgerEntry
from config.columns import from_unix
from config.database import Database
from workorders.model import OrderEvent, WorkOrder

#: Somebody of ours talked with the caller, or it was a fault of ours, of which the fallback has an account of its own.
_SPOKEN = ("transferred", "operator_talked")
_SPOKEN_OUTCOMES = ("transferred", "fallback")
#: Enough to be told; the first ones.
MOST_TOLD = 1000


async def broken_promises(
    database: Database, session_id: str | None, before: float, live: Collection[str] = ()
) -> tuple[Unaccounted, ...]:
    """Of one session or of all time, those of whom nothing was heard since `before` (Unix seconds). `live`: calls that go on, those
    who keep a place among them."""
    promised = select(LedgerEntry.call_id).where(LedgerEntry.kind == CLOSED, LedgerEntry.outcome == "callback")
    if session_id is not None:
        promised = promised.where(LedgerEntry.session_id == session_id)
    async with database.read() as session:
        missing = set(await session.scalars(promised.except_(*_settled(promised)))) - set(live)
        broken = await _without_heir(session, missing, live, before) if missing else missing
        rows = await session.execute(_first_and_last(broken, before))
        return tuple(
            Unaccounted(row.call_id, row.first_at.timestamp(), row.last_at.timestamp(), "callback") for row in rows
        )


def _settled(calls: Select[str] | Collection[str]) -> tuple[Select[Any], ...]:
    """Those of these calls that came to something by themselves: they talked, with the leader or an operator, or there is an
    order that stands."""
    missed, event = aliased(LedgerEntry), aliased(OrderEvent)
    talked = select(LedgerEntry.call_id).where(
        LedgerEntry.call_id.in_(calls),
        or_(
            LedgerEntry.kind.in_(_SPOKEN),
            LedgerEntry.outcome.in_(_SPOKEN_OUTCOMES),
            (LedgerEntry.kind == "connected")  # but not when the carrier said afterwards that they never were
            & ~exists().where(missed.call_id == LedgerEntry.call_id, missed.kind == "missed", missed.id > LedgerEntry.id),
        ),
    )
    last = select(func.max(OrderEvent.id)).where(OrderEvent.order_id == WorkOrder.id).scalar_subquery()
    withdrawn = exists().where(event.id == last, event.kind == "withdrawn")
    stands = or_(WorkOrder.status != "cancelled", ~withdrawn)  # what a person cancelled, a person has looked at
    ordered = select(WorkOrder.call_id).where(WorkOrder.call_id.in_(calls), stands)
    of_event = OrderEvent.data["call_id"].as_string()
    shared = (  # the one order of a number that gave up more than once is another call's
        select(of_event)
        .join(WorkOrder, WorkOrder.id == OrderEvent.order_id)
        .where(OrderEvent.kind == "abandoned_again", of_event.in_(calls), stands)
    )
    return talked, ordered, shared


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


def _first_and_last(calls: Collection[str], before: float) -> Select[str, datetime, datetime]:
    return (
        select(LedgerEntry.call_id, func.min(LedgerEntry.at).label("first_at"), func.max(LedgerEntry.at).label("last_at"))
        .where(LedgerEntry.call_id.in_(calls))
        .group_by(LedgerEntry.call_id)
        .having(func.max(LedgerEntry.at) < from_unix(before))
        .order_by(func.min(LedgerEntry.id))
        .limit(MOST_TOLD)
    )
