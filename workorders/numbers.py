"""Numbers of work orders: `2026-1122-0007`, unique over all processes, without gaps, made to be spoken."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from config.inserts import insert_into
from workorders.model import OrderNumber


async def next_number(session: AsyncSession, at: datetime, timezone: str) -> str:
    """The next number of the day of `at` in `timezone`. It belongs to the transaction: rolled back, it is given out again."""
    day = at.astimezone(ZoneInfo(timezone)).strftime("%Y-%m%d")
    statement = insert_into(session, OrderNumber).values(day=day, last=1)
    counted = statement.on_conflict_do_update(index_elements=["day"], set_={"last": OrderNumber.last + 1})
    last = (await session.execute(counted.returning(OrderNumber.last))).scalar_one()
    return f"{day}-{last:04d}"
