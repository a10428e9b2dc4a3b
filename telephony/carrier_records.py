"""What the carriers themselves have written down about calls: Asterisk's CDR, the cloud's list. Reads only."""

from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

from msgspec import Struct
from redis.asyncio import Redis

from config.settings import Settings
from telephony.asterisk import cdr, record_files
from telephony.asterisk.node_records import NodeCall, NodeRecords, of_rows
from telephony.asterisk.pbx_config import pbx_files
from telephony.errors import CarrierRefused, CarrierUnavailable
from telephony.twilio.connection import CloudCall, Connection
from telephony.twilio.exchange import call_id_of, is_call_sid

#: ok = compared; off = there is no such carrier here; away = it does not answer now.
State = Literal["ok", "off", "away"]


#: A bridge reports every quarter of a minute; one that has not for so long is silent.
REPORTS_WITHIN_S = 45.0


class CarrierCall(Struct, frozen=True):
    """A call as its carrier knows it. Times in Unix seconds; `told` in the carrier's own words. No number."""

    call_id: str
    carrier: Literal["asterisk", "twilio"]
    #: None: the carrier's word for it cannot be read.
    started_at: float | None
    seconds: float
    told: str


class CarrierRecords(Struct, frozen=True):
    """Ended calls from `since` to `until`, and those of which nobody can tell when they were."""

    calls: tuple[CarrierCall, ...]
    asterisk: State
    cloud: State
    #: Asterisk nodes whose records these are, and those of them that have not reported until then.
    nodes: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()


async def read_records(settings: Settings, redis: Redis, since: float, until: float, now: float) -> CarrierRecords:
    """The records of every Asterisk node, as its bridge reported them, of the Asterisk on this machine, as far as they are
    kept, and of the cloud's account. A node whose bridge has not reported until `until`, but for the last moments, is away."""
    path = pbx_files(settings, settings.state_dir / "asterisk").cdr
    here = record_files.kept(path)
    found = {call_id: of_rows(rows) for call_id, rows in cdr.calls(record_files.read_kept(path)).items()}
    reports = await NodeRecords(redis, settings.redis_prefix, settings.call_records_days).read(since, now)
    for report in reports.values():
        found |= {call.call_id: call for call in report.calls if call.call_id not in found}
    others = {node: report for node, report in reports.items() if not here or node != settings.pbx_node}
    silent = tuple(sorted(node for node, told in others.items() if told.read_until < until - REPORTS_WITHIN_S))
    without: State = "off" if settings.asterisk == "off" else "away"  # one that is there and has told nothing proves nothing
    asterisk: State = "away" if silent else "ok" if here or reports else without
    listed, cloud = await _cloud(settings, since)
    every = (*map(_of_asterisk, found.values()), *listed)
    within = [call for call in every if call.started_at is None or since <= call.started_at <= until]
    nodes = tuple(sorted({*reports, *([settings.pbx_node] if here else [])}))
    return CarrierRecords(tuple(within), asterisk, cloud, nodes, silent)


def _of_asterisk(call: NodeCall) -> CarrierCall:
    seconds = max(0.0, call.ended_at - call.started_at) if call.started_at else 0.0
    return CarrierCall(call.call_id, "asterisk", call.started_at or None, seconds, call.told)


async def _cloud(settings: Settings, since: float) -> tuple[list[CarrierCall], State]:
    if not settings.twilio_account_sid or not settings.twilio_number:
        return [], "off"
    connection = Connection(settings)
    try:
        day = datetime.fromtimestamp(since, UTC).date().isoformat()
        listed = await connection.calls_to(settings.twilio_number, day)
    except (CarrierUnavailable, CarrierRefused):
        return [], "away"
    finally:
        await connection.close()
    return [_of_cloud(call) for call in listed if call.ended and is_call_sid(call.sid)], "ok"


def _of_cloud(call: CloudCall) -> CarrierCall:
    started_at: float | None = None
    with suppress(ValueError, OverflowError):
        started_at = parsedate_to_datetime(call.started_at).timestamp()
    return CarrierCall(call_id_of(call.sid), "twilio", started_at, call.seconds, call.status)
