"""Finish an order's recording and dispatch the order to its unit's inbox. Repeatable at any point, by several at once."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Literal

import structlog
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import Clock, now
from config.columns import from_unix
from config.database import Database
from config.settings import Settings, load_settings
from jobs.audio import Audio, Unreadable, examine, is_finished
from sessions.model import Seat
from workorders.dispatch import dispatch
from workorders.history import record
from workorders.model import Recording, WorkOrder
from workorders.progress import locked

log = structlog.get_logger()

#: A file whose header was never finished and that did not grow for so long has lost its writer.
STILL_S = 10.0
#: No file after so long: nothing was recorded.
ABSENT_S = 15.0
#: Recordings whose file is looked for. Missing: it may come all the same, from a cloud that was away.
WITHOUT_FILE = ("expected", "missing")
#: Shorter than any word.
EMPTY_S = 0.3

Verdict = Literal["ready", "empty", "missing", "damaged"]
#: dispatched now | dispatched before | the recording is not complete yet
Result = Literal["dispatched", "done_before", "waits"]


class Finding(Struct, frozen=True):
    """What became of one recording."""

    recording_id: str
    verdict: Verdict
    audio: Audio | None = None


def finish_recording(order_id: str) -> Result:
    """The RQ job."""
    return asyncio.run(_run(load_settings(), order_id))


async def finish(database: Database, settings: Settings, order_id: str, clock: Clock = now) -> Result:
    """Look at the order's files, then put down what was found and dispatch, in one transaction. Raises UnknownOrder."""
    at = clock()
    async with database.read() as session:
        rows = list(
            await session.scalars(
                select(Recording).where(Recording.order_id == order_id, Recording.state.in_(WITHOUT_FILE))
            )
        )
        created = await session.scalar(select(WorkOrder.created_at).where(WorkOrder.id == order_id))
    age_s = at - created.timestamp() if created else 0.0
    found = [await asyncio.to_thread(_look, settings.recordings, row, at, age_s) for row in rows]
    if any(finding is None and _holds(row, age_s, settings) for row, finding in zip(rows, found, strict=True)):
        return "waits"
    async with database.begin() as session:
        order = await locked(session, order_id)
        await _put_down(session, order, [finding for finding in found if finding], from_unix(at))
        if order.status != "registered":
            return "done_before"
        unit = await _unit(session, order)
        await dispatch(session, order, from_unix(at), timezone=settings.timezone, actor="system", unit=unit)
    log.info("order dispatched", order_id=order_id)
    return "dispatched"


async def _run(settings: Settings, order_id: str) -> Result:
    database = Database.of(settings)
    try:
        return await finish(database, settings, order_id)
    finally:
        await database.close()


def _holds(row: Recording, age_s: float, settings: Settings) -> bool:
    """The order waits for it. Not for ever for a cloud that nobody can ask: it goes on, and the recording comes when it comes."""
    return row.state == "expected" and not (_of_the_cloud(row) and age_s >= settings.twilio_recording_wait_s)


def _of_the_cloud(row: Recording) -> bool:
    return row.call_id.startswith("t-")


def _look(folder: Path, row: Recording, at: float, age_s: float) -> Finding | None:
    """None: not complete yet, look again later. `age_s` of the order. Whether the cloud has one, it alone can say."""
    path = folder / row.path
    try:
        silent_s = at - path.stat().st_mtime
    except FileNotFoundError:
        absent = row.state == "expected" and not _of_the_cloud(row) and age_s >= ABSENT_S
        return Finding(row.id, "missing") if absent else None
    if not is_finished(path) and silent_s < STILL_S:
        return None
    try:
        audio = examine(path)
    except Unreadable:
        return Finding(row.id, "damaged" if path.stat().st_size else "empty")
    return Finding(row.id, "ready" if audio.duration_s >= EMPTY_S else "empty", audio)


async def _put_down(session: AsyncSession, order: WorkOrder, findings: list[Finding], at: datetime) -> None:
    for finding in findings:
        row = await session.get(Recording, finding.recording_id, populate_existing=True)
        if row is None or row.state not in WITHOUT_FILE:
            continue
        row.state, row.finished_at = finding.verdict, at
        if finding.audio:
            row.duration_s, row.bytes = finding.audio.duration_s, finding.audio.bytes
            row.sha256, row.format = finding.audio.sha256, finding.audio.format
        record(session, order, f"recording_{finding.verdict}", at, actor="system", before=order.status)


async def _unit(session: AsyncSession, order: WorkOrder) -> str:
    """The unit of the seat the call was for; of a session with one unit, that one; else nothing is known."""
    if order.unit:
        return order.unit
    if order.seat_id:
        return await session.scalar(select(Seat.unit).where(Seat.id == order.seat_id)) or ""
    units = list(await session.scalars(select(Seat.unit).where(Seat.session_id == order.session_id).distinct()))
    return units[0] if len(units) == 1 else ""
