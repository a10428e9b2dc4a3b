"""Reading the calls that we place: what is due, those about an order, and what is left to people. Nothing personal in it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select

from calls.placing import LEFT_TO_PEOPLE, OPEN_TO
from config.columns import from_unix
from config.database import Database
from workorders.model import InboxItem, PlacedCall, WorkOrder

#: So many jobs are handed out at a time: an urgent call never stands behind a day's follow-ups.
MOST_DUE = 20
#: Named, so that the index serves: almost every row is done.
_LIVE = ("waiting", "ringing", "talking")


async def due(database: Database, at: float) -> Sequence[str]:
    """Ids of calls to be placed, and of tries to be looked after; urgent ones first."""
    query = (
        select(PlacedCall.id)
        .where(PlacedCall.state.in_(_LIVE), PlacedCall.due_at <= from_unix(at))
        .order_by(PlacedCall.purpose.desc(), PlacedCall.due_at)
        .limit(MOST_DUE)
    )
    async with database.read() as session:
        return list(await session.scalars(query))


async def of_order(database: Database, order_id: str) -> Sequence[PlacedCall]:
    """The calls about an order, the newest first."""
    query = select(PlacedCall).where(PlacedCall.order_id == order_id).order_by(PlacedCall.id.desc())
    async with database.read() as session:
        return list(await session.scalars(query))


async def left_to_people(database: Database) -> dict[str, int]:
    """By purpose: orders about which somebody has to call, because we could not, and nobody has moved the order on."""
    counts: dict[str, int] = dict.fromkeys(OPEN_TO, 0)
    query = _left(select(PlacedCall.purpose, func.count(func.distinct(WorkOrder.id)))).group_by(PlacedCall.purpose)
    async with database.read() as session:
        return {**counts, **{str(purpose): count for purpose, count in await session.execute(query)}}


async def left_among(database: Database, order_ids: Sequence[str]) -> set[str]:
    """Which of these orders those are."""
    query = _left(select(WorkOrder.id)).where(WorkOrder.id.in_(order_ids))
    async with database.read() as session:
        return set(await session.scalars(query)) if order_ids else set()


def _left(query: Any) -> Any:
    trying = select(PlacedCall.id).where(PlacedCall.order_id == WorkOrder.id, PlacedCall.state.in_(_LIVE))
    tried = query.select_from(PlacedCall).join(WorkOrder, WorkOrder.id == PlacedCall.order_id)
    return tried.where(PlacedCall.result.in_(LEFT_TO_PEOPLE), _still_open(), ~exists(trying.correlate(WorkOrder)))


async def wanted_follow_ups(database: Database, limit: int = MOST_DUE) -> Sequence[str]:
    """Ids of orders that were replied to and whose petitioner nobody was asked to call since they were dispatched last."""
    asked = select(PlacedCall.id).where(
        PlacedCall.order_id == WorkOrder.id, PlacedCall.purpose == "follow_up",
        PlacedCall.asked_at >= func.coalesce(WorkOrder.dispatched_at, WorkOrder.created_at),
    )  # fmt: skip
    query = select(WorkOrder.id).where(WorkOrder.status == "replied", ~exists(asked.correlate(WorkOrder))).limit(limit)
    async with database.read() as session:
        return list(await session.scalars(query))


def _still_open() -> ColumnElement[bool]:
    """The order waits for what the call was about: a unit that has not signed since, a reply that was not asked about."""
    signed = select(InboxItem.id).where(
        InboxItem.order_id == WorkOrder.id, InboxItem.signed_at >= PlacedCall.ended_at
    )  # fmt: skip
    urgent = and_(
        PlacedCall.purpose == "urgent", WorkOrder.status.in_(OPEN_TO["urgent"]),
        ~exists(signed.correlate(WorkOrder, PlacedCall)),
    )  # fmt: skip
    return or_(urgent, and_(PlacedCall.purpose == "follow_up", WorkOrder.status.in_(OPEN_TO["follow_up"])))
