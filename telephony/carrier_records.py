"""What the carriers themselves have written down about calls: Asterisk's CDR, the cloud's list. Reads only."""

from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

from msgspec import Struct

from config.settings import Settings
from telephony.asterisk import cdr, record_files
from telephony.asterisk.pbx_config import pbx_files
from telephony.errors import CarrierRefused, CarrierUnavailable
from telephony.twilio.connection import CloudCall, Connection
from telephony.twilio.exchange import call_id_of, is_call_sid

#: ok = compared; off = there is no such carrier here; away = it does not answer now.
State = Literal["ok", "off", "away"]


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


async def read_records(settings: Settings, since: float, until: float) -> CarrierRecords:
    """The records of the Asterisk on this machine, as far as they are kept, and of the cloud's account."""
    path = pbx_files(settings, settings.state_dir / "asterisk").cdr
    asterisk: State = "ok" if record_files.kept(path) else "off"
    found = [_of_asterisk(rows) for rows in cdr.calls(record_files.read_kept(path)).values()]
    listed, cloud = await _cloud(settings, since)
    within = [call for call in (*found, *listed) if call.started_at is None or since <= call.started_at <= until]
    return CarrierRecords(tuple(within), asterisk, cloud)


def _of_asterisk(rows: tuple[cdr.CallRecord, ...]) -> CarrierCall:
    first, last = rows[0], rows[-1]
    seconds = max(row.ended_at for row in rows) - first.started_at if first.started_at else 0.0
    return CarrierCall(
        first.call_id, "asterisk", first.started_at or None, max(0.0, seconds), f"{last.stage} {last.disposition}"
    )


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
