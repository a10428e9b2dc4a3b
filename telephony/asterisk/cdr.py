"""Asterisk's own call records, read from the file that `cdr_custom` writes. Reads only."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

#: The columns of hotline.csv, in order (config/asterisk/cdr_custom.conf.j2).
COLUMNS = (
    "uniqueid", "linkedid", "sequence", "channel", "dstchannel", "src", "dst", "dcontext", "start", "answer", "end",
    "disposition", "userfield", "hotline",
)  # fmt: skip
EPOCH_COLUMNS = ("start", "answer", "end")


class CallRecord(Struct, frozen=True):
    """One row. A call has one or more (a new one begins after each Dial); all of a call carry its `call_id`.

    Times are Unix seconds, `answered_at` 0.0 = never. `source` is personal data. `stage` is how far the call had come when
    the row was closed: arriving, ringing, talk, ringing-operator, fallback, fallback-operator, fallback-talk,
    fallback-message; the row that holds a talk says `ringing` and ANSWERED, the one after it `talk` and, as `talk_s`, how many
    seconds it was.
    """

    uniqueid: str
    linkedid: str
    sequence: int
    channel: str
    leader_channel: str
    source: str
    destination: str
    context: str
    started_at: float
    answered_at: float
    ended_at: float
    disposition: str
    stage: str
    talk_s: float
    #: Empty for legs that are no call of a citizen.
    call_id: str

    @property
    def seconds(self) -> float:
        return max(0.0, self.ended_at - self.started_at)


def parse(lines: Iterable[str]) -> Iterator[CallRecord]:
    """The records of whole lines, oldest first. A line that is cut short (a crash in mid-write) is left out."""
    for row in csv.reader(line for line in lines if line.endswith("\n")):
        if len(row) == len(COLUMNS):
            yield _record(row)


def _record(row: list[str]) -> CallRecord:
    uniqueid, linkedid, sequence, channel, leader, source, destination, context = row[:8]
    start, answer, end, disposition, userfield, call_id = row[8:]
    stage, _, talk_s = userfield.partition(":")
    return CallRecord(
        uniqueid=uniqueid,
        linkedid=linkedid,
        sequence=int(sequence) if sequence.isdigit() else 0,
        channel=channel,
        leader_channel=leader,
        source=source,
        destination=destination,
        context=context,
        started_at=_seconds(start),
        answered_at=_seconds(answer),
        ended_at=_seconds(end),
        disposition=disposition,
        stage=stage,
        talk_s=_seconds(talk_s),
        call_id=call_id,
    )


def read(path: Path, offset: int = 0) -> tuple[list[CallRecord], int]:
    """The records from byte `offset` on, and the offset to go on from. No file yet = no records."""
    if not path.exists():
        return [], 0
    with path.open("rb") as file:
        if offset > path.stat().st_size:  # the file was rotated away
            offset = 0
        file.seek(offset)
        data = file.read()
    whole = data[: data.rfind(b"\n") + 1]
    text = whole.decode("utf-8", errors="replace")
    # Only \n ends a line here: a caller's number may hold whatever else counts as a line's end.
    return list(parse(f"{line}\n" for line in text.split("\n")[:-1])), offset + len(whole)


def calls(records: Iterable[CallRecord]) -> dict[str, tuple[CallRecord, ...]]:
    """The rows of each citizen's call by call id, each signal exactly once as a key."""
    grouped: dict[str, tuple[CallRecord, ...]] = {}
    for record in records:
        if record.call_id:
            grouped[record.call_id] = (*grouped.get(record.call_id, ()), record)
    return grouped


def talked(rows: Iterable[CallRecord]) -> float | None:
    """Seconds of the talk to which the bridge had put the caller through; None when nobody answered."""
    return max((row.talk_s for row in rows if row.stage == "talk"), default=None)


def talked_to_operators(rows: Iterable[CallRecord]) -> bool:
    """True for a call that the dialplan put through to the operators by itself, who answered."""
    return any(row.stage == "fallback-talk" for row in rows)


def _seconds(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return 0.0
