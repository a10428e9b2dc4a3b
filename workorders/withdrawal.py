"""An order to call back somebody who gave up waiting: one per number and session, withdrawn when they come back in time.

Giving up and coming back are told by two calls, in any order and more than once: what happened last by the callers' own
time stands.
"""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from config.columns import from_unix
from config.database import Database
from workorders.history import record
from workorders.intake import NewOrder, make_order
from workorders.model import OrderEvent, WorkOrder

#: A unit that has begun to work on it goes on.
_NOT_BEGUN = ("registered", "dispatched")
_GAVE_UP = ("registered", "abandoned_again")
_CAME_BACK = ("withdrawn",)


def command_of(database: Database, session_id: str, number: str) -> str:
    """The id under which such an order is made: the same for every call of this number in this session."""
    return f"abandoned-{session_id}-{database.cipher.hash_number(number)[:40]}"


async def withdraw(database: Database, back: NewOrder) -> bool:
    """The caller is back in the line. False when the order stands: a unit works on it already, or they gave up later still. `back`
    is the order, and `at` when they came back: when it was not made yet it is there from now on as withdrawn, so that it is
    not made afterwards."""
    order = await make_order(database, back, withdrawn=True)
    if order.made:
        return True
    async with database.begin() as session:
        found = await _locked(session, back.command_id)
        at = from_unix(back.at)
        if found is None or found.status not in (*_NOT_BEGUN, "cancelled"):
            return False
        if at < await _last(session, found, _GAVE_UP) or at <= await _last(session, found, _CAME_BACK):
            return False
        before, found.status = found.status, "cancelled"
        record(session, found, "withdrawn", at, before=before)
        return True


async def revive(database: Database, again: NewOrder) -> bool:
    """The caller gave up once more, or we hear only now of the first time. False when the order stands as it is, or when they
    came back since."""
    async with database.begin() as session:
        order = await _locked(session, again.command_id)
        if order is None:
            return False
        if order.call_id is None and again.call_id:  # it was withdrawn before it was made
            order.call_id, order.seat_id, order.unit = again.call_id, again.seat_id, order.unit or again.unit
        at = from_unix(again.at)
        if at <= await _last(session, order, (*_GAVE_UP, *_CAME_BACK)):
            await _tell_earlier(session, order, again, at)
            return False
        before, order.status = order.status, "registered" if order.status == "cancelled" else order.status
        record(session, order, "abandoned_again", at, before=before, data={"call_id": again.call_id})
        return True


async def _tell_earlier(session: AsyncSession, order: WorkOrder, again: NewOrder, at: datetime) -> None:
    """The call is told of late, and the order stands or not as it was: that the order is this call's, too, is in its history."""
    same = OrderEvent.data["call_id"].as_string() == again.call_id
    told = select(OrderEvent.id).where(OrderEvent.order_id == order.id, same).limit(1)
    if order.call_id != again.call_id and again.call_id and await session.scalar(told) is None:
        record(session, order, "abandoned_earlier", at, data={"call_id": again.call_id})


async def _locked(session: AsyncSession, command_id: str) -> WorkOrder | None:
    query = select(WorkOrder).where(WorkOrder.command_id == command_id).with_for_update()
    order: WorkOrder | None = await session.scalar(query)
    return order


async def _last(session: AsyncSession, order: WorkOrder, kinds: tuple[str, ...]) -> datetime:
    """When one of these happened last."""
    query = select(func.max(OrderEvent.at)).where(OrderEvent.order_id == order.id, OrderEvent.kind.in_(kinds))
    return await session.scalar(query) or from_unix(0.0)
