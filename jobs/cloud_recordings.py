"""Recordings of the cloud phone: fetched, checked, put on the disk, deleted at the cloud. One that never comes is reported.

A job's argument is `<RecordingSid>-<name of the recording>`, or the name alone: ids, nothing personal. Repeatable.
"""

import asyncio
import hashlib
import os
import secrets
from pathlib import Path
from typing import Literal

import structlog
from msgspec import Struct
from sqlalchemy import select

from calls.assembly import Core, build
from calls.job_names import FETCH_RECORDING, FINISH_RECORDING
from config.columns import from_unix
from config.settings import load_settings
from ivr.nodes.message import NO_WORDS
from jobs.recordings import finish
from telephony.errors import CallGone, CarrierRefused, CarrierUnavailable
from telephony.twilio.connection import CloudRecording, Connection
from telephony.twilio.exchange import call_sid_of, is_ours
from workorders import at_cloud
from workorders.history import record
from workorders.intake import add_recording
from workorders.model import Recording, WorkOrder

log = structlog.get_logger()

#: Within one job; afterwards the sweep comes back to it.
TRIES = 4
FIRST_PAUSE_S = 0.5
SID_LENGTH = 34
#: Notices of the cloud that are lost are made up for after this.
NOTICE_WITHIN_S = 30.0
#: A recording that no order knows of waits so long for its order.
ORDER_WITHIN_S = 86_400.0
#: Sources of the cloud's recordings, by the kind of our own: m = message, t = talk.
SOURCES = {"m": ("RecordVerb",), "t": ("DialVerb",)}

Fetched = Literal["fetched", "there_before", "silent", "later"]


class Expected(Struct, frozen=True):
    """A recording that an order waits for."""

    name: str
    call_id: str
    #: CallSid of the leg by which we called back; empty = the one they came by.
    leg: str
    age_s: float


def fetch_recording(argument: str) -> Fetched:
    """The RQ job: one recording that the cloud told us of."""
    return asyncio.run(_with_core(argument[:SID_LENGTH], argument[SID_LENGTH + 1 :]))


def sweep_recordings(_: str) -> int:
    """The RQ job: what orders wait for and nobody told us of, and what did not work before."""

    async def make() -> int:
        core = build(load_settings())
        connection = Connection(core.settings)
        try:
            return await sweep(core, connection)
        finally:
            await connection.close()
            await core.close()

    return asyncio.run(make())


def lose_recording(name: str) -> None:
    """The RQ job: the cloud says that there is no such recording."""

    async def lose() -> None:
        core = build(load_settings())
        try:
            await report_missing(core, name)
        finally:
            await core.close()

    asyncio.run(lose())


async def _with_core(recording_sid: str, name: str) -> Fetched:
    core = build(load_settings())
    connection = Connection(core.settings)
    try:
        return await fetch(core, connection, recording_sid, name)
    finally:
        await connection.close()
        await core.close()


async def fetch(core: Core, connection: Connection, recording_sid: str, name: str) -> Fetched:
    """Bring it onto the disk, whole, to its order, and delete it at the cloud; `later` when the cloud cannot give it yet. One in
    which nobody spoke is deleted only. Until all of it is done it is kept in mind, and the sweep has it tried again."""
    known = await at_cloud.note(core.database, recording_sid, name, core.clock())
    path = core.settings.recordings / f"{name}.wav"
    result: Fetched = "silent" if await _is_silent(core, name) else "there_before"
    if result != "silent" and not known.deleted and not path.is_file():
        if not await _download(connection, recording_sid, path):
            return "later"
        result = "fetched"
    has_order = await _finish(core, name, path)
    if not known.deleted and not await _delete(connection, known):
        return result
    if has_order or core.clock() - known.noticed_at.timestamp() > ORDER_WITHIN_S:
        await at_cloud.forget(core.database, recording_sid)
    else:
        await at_cloud.deleted(core.database, recording_sid)
    log.info("a recording came from the cloud", recording=name, result=result, has_order=has_order)
    return result


async def sweep(core: Core, connection: Connection) -> int:
    """What did not work before, and recordings that orders wait for and nobody told us of: each becomes a job, or is reported
    missing when the cloud itself has none after the longest wait. How many."""
    await core.queue.renew()
    due = await at_cloud.due(core.database, core.clock())
    for known in due:
        await core.queue.enqueue(FETCH_RECORDING, f"{known.recording_sid}-{known.name}")
    done = len(due)
    for expected in await _expected(core):
        try:
            done += await _look_for(core, connection, expected)
        except CarrierRefused as error:
            log.error("the cloud refuses to say what it recorded", recording=expected.name, error=str(error))
        except CarrierUnavailable as error:
            log.warning("the cloud cannot be asked what it recorded", recording=expected.name, error=type(error).__name__)
            break  # nor for the others: what it has nobody knows, and nothing is missing yet
    return done


async def _look_for(core: Core, connection: Connection, expected: Expected) -> bool:
    """True when something came of it. Raises CarrierUnavailable, CarrierRefused: the cloud did not say."""
    try:
        found = await _find(connection, expected)
    except CallGone:
        found = None  # it knows no such call
    if found is not None:
        await core.queue.enqueue(FETCH_RECORDING, f"{found.sid}-{expected.name}")
    elif expected.age_s > core.settings.twilio_recording_wait_s:
        await report_missing(core, expected.name)
    else:
        return False
    return True


async def report_missing(core: Core, name: str) -> None:
    """The order stands without it, and says so."""
    async with core.database.begin() as session:
        row = await session.scalar(select(Recording).where(Recording.name == name).with_for_update())
        if row is None or row.state != "expected":
            return
        row.state, row.finished_at = "missing", from_unix(core.clock())
        order_id = row.order_id
        order = await session.get(WorkOrder, order_id) if order_id else None
        if order is not None:
            record(session, order, "recording_missing", row.finished_at, actor="system", before=order.status)
    log.error("a recording never came from the cloud", recording=name, order_id=order_id)
    if order_id:
        await core.queue.enqueue(FINISH_RECORDING, order_id, 1)


async def _delete(connection: Connection, known: at_cloud.Known) -> bool:
    try:
        await connection.delete_recording(known.recording_sid)
    except (CarrierUnavailable, CarrierRefused) as error:
        log.warning("a recording stays at the cloud for now", recording=known.name, error=type(error).__name__)
        return False
    return True


async def _download(connection: Connection, recording_sid: str, path: Path) -> bool:
    """Into a draft, checked and flushed, then renamed: a file under its name is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        for attempt in range(TRIES):
            try:
                size = await connection.download(recording_sid, draft)
                digest = await asyncio.to_thread(_seal, draft, size)
                draft.replace(path)
                log.info("a recording is on the disk", recording=path.stem, bytes=size, sha256=digest)
                return True
            except CarrierRefused as error:
                log.error("a recording is refused", recording=path.stem, error=str(error))
                return False
            except (CarrierUnavailable, OSError) as error:
                log.warning("a recording could not be fetched", recording=path.stem, error=str(error), attempt=attempt)
                await asyncio.sleep(FIRST_PAUSE_S * 2**attempt)
        return False
    finally:
        draft.unlink(missing_ok=True)


def _seal(draft: Path, size: int) -> str:
    """SHA-256 of what the disk holds. Raises CarrierUnavailable for what is no whole WAV file."""
    with draft.open("rb") as file:
        os.fsync(file.fileno())
        head = file.read(12)
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if draft.stat().st_size != size or head[:4] != b"RIFF" or head[8:] != b"WAVE":
        raise CarrierUnavailable("what came is no whole sound")
    return digest


async def _is_silent(core: Core, name: str) -> bool:
    """The call flow heard nobody speak in it, and put that down: before the order, so that no order is given it."""
    facts = await core.ledger.events(name.rpartition("-")[0])
    return any(fact.kind == NO_WORDS and fact.data.get("recording") == name for fact in facts)


async def _finish(core: Core, name: str, path: Path) -> bool:
    """The order of the call goes on; False when there is none (yet). A recording its order knows nothing of (the fallback's
    message) is added. Silence belongs to no order and is not kept."""
    if await _is_silent(core, name):
        await asyncio.to_thread(path.unlink, missing_ok=True)
        return True
    order_id = await add_recording(core.database, name.rpartition("-")[0], name)
    if order_id:
        await finish(core.database, core.settings, order_id, core.clock)
    return bool(order_id)


async def _expected(core: Core) -> list[Expected]:
    now = core.clock()
    query = (
        select(Recording.name, Recording.call_id, Recording.leg, WorkOrder.created_at)
        .join(WorkOrder, WorkOrder.id == Recording.order_id)
        .where(Recording.state == "expected", Recording.call_id.like("t-%"))
    )
    async with core.database.read() as session:
        rows = (await session.execute(query)).all()
    waited = [Expected(row.name, row.call_id, row.leg, now - row.created_at.timestamp()) for row in rows]
    return [
        one
        for one in waited
        if one.age_s > NOTICE_WITHIN_S
        and is_ours(one.call_id)
        and not (core.settings.recordings / f"{one.name}.wav").is_file()
    ]


async def _find(connection: Connection, expected: Expected) -> CloudRecording | None:
    """The newest recording of that kind of the leg they spoke on: a message that was asked for again replaces the one before."""
    sources = SOURCES.get(expected.name.rpartition("-")[2][:1], ())
    found = await connection.recordings_of(expected.leg or call_sid_of(expected.call_id))
    matching = [one for one in found if one.source in sources and one.status == "completed"]
    return matching[-1] if matching else None
