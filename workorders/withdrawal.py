"""An order to call back somebody who gave up waiting: one per number and session, withdrawn when they come back in time."""

from sqlalchemy import select

from config.columns import from_unix
from config.database import Database
from workorders.history import record
from workorders.model import WorkOrder

#: A unit that has begun to work on it goes on.
_NOT_BEGUN = ("registered", "dispatched")


def command_of(database: Database, session_id: str, number: str) -> str:
    """The id under which such an order is made: the same for every call of this number in this session."""
    return f"abandoned-{session_id}-{database.cipher.hash_number(number)[:40]}"


async def withdraw(database: Database, command_id: str, at: float) -> bool:
    """The caller is back in the line. False when there is no such order, or a unit works on it already."""
    return await _change(database, command_id, at, _NOT_BEGUN, "cancelled", "withdrawn")


async def revive(database: Database, command_id: str, at: float) -> bool:
    """The caller gave up once more. False when the order stands as it is."""
    return await _change(database, command_id, at, ("cancelled",), "registered", "abandoned_again")


async def _change(
    database: Database, command_id: str, at: float, sources: tuple[str, ...], target: str, kind: str
) -> bool:
    async with database.begin() as session:
        order = await session.scalar(select(WorkOrder).where(WorkOrder.command_id == command_id).with_for_update())
        if order is None or order.status not in sources:
            return False
        before, order.status = order.status, target
        record(session, order, kind, from_unix(at), before=before)
        return True
