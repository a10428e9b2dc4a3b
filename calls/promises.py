"""Calls that were promised a call back and got nothing: neither a talk nor a work order, and nobody keeps their place."""

from sqlalchemy import exists, func, select
from sqlalchemy.orm import aliased

from calls.ledger import Unaccounted
from calls.model import CLOSED, LedgerEntry
from config.columns import from_unix
from config.database import Database
from workorders.model import WorkOrder

#: The matter is another call's of the same number: it has the place, or the one order to call back who gave up.
_GOES_ON = ("replaced", "abandoned")
#: Enough to be told; the first ones.
MOST_TOLD = 1000


async def broken_promises(database: Database, session_id: str | None, before: float) -> tuple[Unaccounted, ...]:
    """Of one session or of all time, those of whom nothing was heard since `before` (Unix seconds). Who keeps a place is among
    them, too: the caller of this knows which calls are live."""
    closed, other = aliased(LedgerEntry), aliased(LedgerEntry)
    served = select(other.id).where(other.call_id == closed.call_id)
    talked = served.where(other.kind == "connected")
    went_on = served.where(other.kind == "left_line", other.data["reason"].as_string().in_(_GOES_ON))
    order = select(WorkOrder.id).where(WorkOrder.call_id == closed.call_id)
    calls = select(closed.call_id).where(
        closed.kind == CLOSED, closed.outcome == "callback", ~exists(talked), ~exists(went_on), ~exists(order)
    )  # fmt: skip
    if session_id is not None:
        calls = calls.where(closed.session_id == session_id)
    last = (
        select(LedgerEntry.call_id, func.min(LedgerEntry.at).label("first_at"), func.max(LedgerEntry.at).label("last_at"))
        .where(LedgerEntry.call_id.in_(calls))
        .group_by(LedgerEntry.call_id)
        .having(func.max(LedgerEntry.at) < from_unix(before))
        .order_by(func.min(LedgerEntry.id))
        .limit(MOST_TOLD)
    )
    async with database.read() as session:
        rows = await session.execute(last)
        return tuple(
            Unaccounted(row.call_id, row.first_at.timestamp(), row.last_at.timestamp(), "callback") for row in rows
        )
