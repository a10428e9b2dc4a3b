"""Units that handle orders, and the number at which each can always be reached (值班電話)."""

from collections.abc import Sequence

from sqlalchemy import select

from config.columns import from_unix
from config.database import Database
from config.text import clean
from workorders.dispatch import unit_id
from workorders.model import Unit


async def all_units(database: Database) -> Sequence[Unit]:
    """By name. Their numbers are decrypted: who shows them masks them."""
    async with database.read() as session:
        return list(await session.scalars(select(Unit).order_by(Unit.name)))


async def set_duty_number(database: Database, name: str, number: str, at: float) -> Unit:
    """`number` E.164; empty takes it away. The unit is made on first use. `at` in Unix seconds."""
    async with database.begin() as session:
        unit = await session.get(Unit, await unit_id(session, clean(name, 100), from_unix(at)))
        assert unit is not None  # noqa: S101 - it was made in this transaction
        unit.duty_number = number or None
    return unit
