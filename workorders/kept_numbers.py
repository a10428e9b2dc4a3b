"""Numbers of callers who hung up and keep their place: encrypted, beside those of the orders, which take them over.

Redis has them with the call; here they outlast it, so that nobody who was promised a call is lost with its data.
"""

import hashlib
from collections.abc import Iterable

from msgspec import Struct
from sqlalchemy import select

from config.columns import from_unix
from config.database import Database
from config.inserts import insert_into
from workorders.model import Petitioner

#: Numbers that are read in one statement.
_BATCH = 500


class KeptNumber(Struct, frozen=True):
    """E.164, or empty when it was withheld; `contact` was keyed in. Personal data."""

    number: str = ""
    contact: str = ""


def kept_id(call_id: str) -> str:
    """The petitioner of this call, whether there is an order yet or not."""
    return hashlib.sha256(f"call/{call_id}".encode()).hexdigest()[:32]


async def keep_number(database: Database, call_id: str, number: str, contact: str, at: float) -> None:
    """Keep it until the call's order takes it over. `at` in Unix seconds. Repeatable."""
    values = {
        "id": kept_id(call_id), "number": number or None, "contact": contact or None,
        "number_hash": database.cipher.hash_number(number or contact), "created_at": from_unix(at),
    }  # fmt: skip
    async with database.begin() as session:
        await session.execute(insert_into(session, Petitioner).values(**values).on_conflict_do_nothing(index_elements=["id"]))


async def kept_numbers(database: Database, call_ids: Iterable[str]) -> dict[str, KeptNumber]:
    """By call id, those that are known."""
    asked = {kept_id(call_id): call_id for call_id in call_ids}
    ids, found = list(asked), {}
    async with database.read() as session:
        for start in range(0, len(ids), _BATCH):
            rows = await session.scalars(select(Petitioner).where(Petitioner.id.in_(ids[start : start + _BATCH])))
            found.update({asked[row.id]: KeptNumber(row.number or "", row.contact or "") for row in rows})
    return found
