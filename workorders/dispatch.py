"""Dispatch: the delivery of an order into a unit's inbox. With it the clock of the order starts (A4)."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from config.ids import new_id
from config.inserts import insert_into
from workorders.deadlines import due
from workorders.history import record
from workorders.model import InboxItem, Unit, WorkOrder
from workorders.transitions import follow
from workorders.workdays import marks_around

#: The hotline's own inbox, for matters no unit is known for yet (A13).
HOTLINE_UNIT = "12345热线受理"


async def dispatch(
    session: AsyncSession, order: WorkOrder, at: datetime, *, timezone: str, actor: str, unit: str = ""
) -> None:
    """Deliver `order` to `unit`, else to the unit it names, else to the hotline itself. Raises TransitionRefused.

    The caller of this holds the order's row (see `progress.locked`), so that two processes never deliver it twice.
    """
    before, order.status = order.status, follow(order.status, "dispatch")
    order.unit = unit or order.unit or HOTLINE_UNIT
    await deliver(session, order, at, timezone=timezone)
    record(session, order, "dispatched", at, actor=actor, before=before, data={"unit": order.unit})


async def deliver(session: AsyncSession, order: WorkOrder, at: datetime, *, timezone: str) -> None:
    """Put the order into the inbox of its unit and set the deadline of this round."""
    rounds = await session.scalar(select(func.max(InboxItem.round)).where(InboxItem.order_id == order.id))
    item = InboxItem(
        unit_id=await unit_id(session, order.unit, at), order_id=order.id, round=(rounds or 0) + 1, delivered_at=at
    )
    session.add(item)
    marks, confirmed = await marks_around(session, at.astimezone(ZoneInfo(timezone)).date())
    deadline = due(at, marks, confirmed_years=confirmed, timezone=timezone)
    order.dispatched_at, order.due_at, order.due_basis = at, deadline.at, deadline.basis


async def unit_id(session: AsyncSession, name: str, at: datetime) -> str:
    """The id of the unit of that name, made on first use. Safe when several processes do it at once."""
    await session.execute(
        insert_into(session, Unit).values(id=new_id(), name=name, created_at=at).on_conflict_do_nothing(index_elements=["name"])
    )
    found = await session.execute(select(Unit.id).where(Unit.name == name))
    return found.scalar_one()
