"""An order's way through its states, one transition at a time, each recorded in its history."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.columns import from_unix
from config.database import Database
from config.text import clean
from workorders.dispatch import deliver, dispatch
from workorders.history import record
from workorders.model import InboxItem, WorkOrder
from workorders.transitions import Transition, follow

_LONGEST_NOTE = 1000


class UnknownOrder(LookupError):
    """There is no work order of this id."""


async def move(
    database: Database,
    order_id: str,
    transition: Transition,
    at: float,
    *,
    timezone: str,
    actor: str = "",
    unit: str = "",
    note: str = "",
) -> WorkOrder:
    """Take the order one step further. `at` in Unix seconds. Raises UnknownOrder, TransitionRefused."""
    when = from_unix(at)
    async with database.begin() as session:
        order = await locked(session, order_id)
        await take_step(session, order, transition, when, timezone=timezone, actor=actor, unit=unit, note=note)
        return order


async def take_step(
    session: AsyncSession,
    order: WorkOrder,
    transition: Transition,
    when: datetime,
    *,
    timezone: str,
    actor: str = "",
    unit: str = "",
    note: str = "",
) -> None:
    """The same within a transaction that holds the order's row (`locked`). Raises TransitionRefused."""
    if transition == "dispatch":
        await dispatch(session, order, when, timezone=timezone, actor=actor, unit=unit)
        return
    before, order.status = order.status, follow(order.status, transition)
    if transition == "redo":
        await deliver(session, order, when, timezone=timezone)
    if transition == "sign":
        await _sign(session, order, when)
    data = {"note": clean(note, _LONGEST_NOTE)} if note else {}
    record(session, order, transition, when, actor=actor, before=before, data=data)


async def locked(session: AsyncSession, order_id: str) -> WorkOrder:
    """The order with its row locked until the transaction ends. Raises UnknownOrder."""
    order = await session.scalar(select(WorkOrder).where(WorkOrder.id == order_id).with_for_update())
    if order is None:
        raise UnknownOrder(f"no work order {clean(order_id, 40)}")
    return order


async def _sign(session: AsyncSession, order: WorkOrder, at: datetime) -> None:
    item = await session.scalar(
        select(InboxItem).where(InboxItem.order_id == order.id).order_by(InboxItem.round.desc()).limit(1)
    )
    if item is not None:
        item.signed_at = at
