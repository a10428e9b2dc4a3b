"""Recordings that we know are at the cloud, each until it is here, belongs to an order and is deleted there. Durable, so that a
citizen's voice is not forgotten abroad because one request failed."""

from datetime import datetime, timedelta

from msgspec import Struct
from sqlalchemy import delete, select, update

from config.columns import from_unix
from config.database import Database
from config.inserts import insert_into
from workorders.model import RecordingAtCloud

#: Tried again after as long as it is known, within these.
SOONEST, LATEST = timedelta(seconds=30), timedelta(hours=1)


class Known(Struct, frozen=True):
    """One of them. `deleted`: the cloud has it no more, but no order knows of it yet."""

    recording_sid: str
    name: str
    noticed_at: datetime
    deleted: bool = False


async def note(database: Database, recording_sid: str, name: str, now: float) -> Known:
    """Keep it in mind from now on, and when it is to be looked at again if this try comes to nothing. Repeatable."""
    at, row = from_unix(now), RecordingAtCloud
    new = {"recording_sid": recording_sid, "name": name, "noticed_at": at, "due_at": at + SOONEST, "deleted": False}
    async with database.begin() as session:
        await session.execute(insert_into(session, row).values(**new).on_conflict_do_nothing(index_elements=["recording_sid"]))
        kept = await session.get_one(row, recording_sid)
        kept.due_at = at + min(max(at - kept.noticed_at, SOONEST), LATEST)
        return Known(recording_sid, kept.name, kept.noticed_at, kept.deleted)


async def deleted(database: Database, recording_sid: str) -> None:
    """The cloud has it no more."""
    async with database.begin() as session:
        found = RecordingAtCloud.recording_sid == recording_sid
        await session.execute(update(RecordingAtCloud).where(found).values(deleted=True))


async def forget(database: Database, recording_sid: str) -> None:
    """There is nothing left to be done about it. Repeatable."""
    async with database.begin() as session:
        await session.execute(delete(RecordingAtCloud).where(RecordingAtCloud.recording_sid == recording_sid))


async def due(database: Database, now: float, limit: int = 100) -> list[Known]:
    """Those whose last try came to nothing, the one that has waited longest first."""
    row = RecordingAtCloud
    query = select(row).where(row.due_at <= from_unix(now)).order_by(row.due_at).limit(limit)
    async with database.read() as session:
        return [Known(one.recording_sid, one.name, one.noticed_at, one.deleted) for one in await session.scalars(query)]
