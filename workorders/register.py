"""Reading work orders: lists with filters and pages, one with its history. Personal data only where it is asked for."""

from msgspec import Struct
from sqlalchemy import Select, func, select

from config.columns import from_unix
from config.database import Database
from workorders.model import OrderEvent, OrderTag, Petitioner, Recording, WorkOrder
from workorders.progress import UnknownOrder
from workorders.tags import fold

_MOST_ITEMS = 200


class Wanted(Struct, frozen=True, kw_only=True):
    """What a list is filtered by; empty = any."""

    tag: str = ""
    status: str = ""
    unit: str = ""
    call_id: str = ""
    session_id: str = ""
    number: str = ""


class Page(Struct, frozen=True):
    """Orders, newest first, and where the next page begins (empty = there is none)."""

    items: tuple[WorkOrder, ...]
    next: str = ""


async def find(database: Database, wanted: Wanted, *, cursor: str = "", limit: int = 50) -> Page:
    """One page. The cursor is the id of the last order of the page before."""
    limit = max(1, min(limit, _MOST_ITEMS))
    query = _filtered(wanted).order_by(WorkOrder.id.desc()).limit(limit + 1)
    if cursor:
        query = query.where(WorkOrder.id < cursor)
    async with database.read() as session:
        rows = tuple(await session.scalars(query))
    return Page(items=rows[:limit], next=rows[limit - 1].id if len(rows) > limit else "")


async def get(database: Database, order_id: str) -> WorkOrder:
    """Raises UnknownOrder."""
    async with database.read() as session:
        order = await session.get(WorkOrder, order_id)
    if order is None:
        raise UnknownOrder("no such work order")
    return order


async def of_call(database: Database, call_id: str) -> WorkOrder | None:
    """The order of a call."""
    async with database.read() as session:
        return await session.scalar(select(WorkOrder).where(WorkOrder.call_id == call_id))


async def of_number(database: Database, number: str, limit: int = 20) -> list[WorkOrder]:
    """Earlier orders of whoever calls from this number (E.164), the newest first. It is found by its keyed hash."""
    found = database.cipher.hash_number(number)
    query = select(WorkOrder).join(Petitioner, WorkOrder.petitioner_id == Petitioner.id)
    query = query.where(Petitioner.number_hash == found).order_by(WorkOrder.id.desc()).limit(limit)
    async with database.read() as session:
        return list(await session.scalars(query)) if found else []


async def history(database: Database, order_id: str) -> list[OrderEvent]:
    """Everything that happened to an order, oldest first."""
    async with database.read() as session:
        return list(
            await session.scalars(select(OrderEvent).where(OrderEvent.order_id == order_id).order_by(OrderEvent.id))
        )


async def petitioner(database: Database, order_id: str) -> Petitioner | None:
    """The person behind an order, decrypted. Whoever calls this has a right to know, and says why in the audit."""
    query = select(Petitioner).join(WorkOrder, WorkOrder.petitioner_id == Petitioner.id).where(WorkOrder.id == order_id)
    async with database.read() as session:
        return await session.scalar(query)


async def unfinished(database: Database, before: float, limit: int = 100) -> list[str]:
    """Ids of orders made before `before` (Unix seconds) that nobody has dispatched: their job was lost, or waits."""
    query = (
        select(WorkOrder.id)
        .where(WorkOrder.status == "registered", WorkOrder.created_at < from_unix(before))
        .order_by(WorkOrder.created_at)
        .limit(limit)
    )
    async with database.read() as session:
        return list(await session.scalars(query))


async def recording(database: Database, recording_id: str) -> Recording | None:
    """A recording by its id."""
    async with database.read() as session:
        return await session.get(Recording, recording_id)


def _filtered(wanted: Wanted) -> Select[WorkOrder]:
    query = select(WorkOrder)
    if wanted.tag:
        tagged = select(OrderTag.order_id).where(OrderTag.folded == fold(wanted.tag))
        query = query.where(WorkOrder.id.in_(tagged))
    for column, value in (
        (WorkOrder.status, wanted.status),
        (WorkOrder.unit, wanted.unit),
        (WorkOrder.call_id, wanted.call_id),
        (WorkOrder.session_id, wanted.session_id),
        (WorkOrder.number, wanted.number),
    ):
        if value:
            query = query.where(column == value)
    return query


async def count_by_source(database: Database, session_id: str) -> dict[str, int]:
    """How many orders of a session come from what; those that were withdrawn are left out."""
    query = (
        select(WorkOrder.source, func.count())
        .where(WorkOrder.session_id == session_id, WorkOrder.status != "cancelled")
        .group_by(WorkOrder.source)
    )
    async with database.read() as session:
        return {str(source): count for source, count in await session.execute(query)}
