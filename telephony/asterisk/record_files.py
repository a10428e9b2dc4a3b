"""The files of Asterisk's call records: one a day, each kept for a while and then removed, for they hold callers' numbers.

Asterisk opens its file anew for every row, so that it may be renamed at any time. Only the bridge that drives does that.
"""

from datetime import UTC, datetime
from pathlib import Path

from telephony.asterisk.cdr import CallRecord, parse, read

DAY_S = 24 * 3600.0
#: Where to go on reading: `<inode>:<bytes>` of the file that was read last; it keeps its inode when it is renamed.
BEGINNING = "0:0"


def kept(current: Path) -> list[Path]:
    """All that are there, the oldest first; the one that Asterisk writes is the last."""
    days = sorted(current.parent.glob(f"{current.stem}-*{current.suffix}"))
    return [*days, *([current] if current.exists() else [])]


def read_kept(current: Path) -> list[CallRecord]:
    """Every record there is."""
    return [record for file in kept(current) for record in read(file)[0]]


def read_on(current: Path, mark: str) -> tuple[list[CallRecord], str]:
    """The records since `mark`, and the next mark. A mark that tells nothing any more: all that are there."""
    inode, _, offset = mark.partition(":")
    files = kept(current)
    numbers = [str(file.stat().st_ino) for file in files]
    first = numbers.index(inode) if inode in numbers else 0
    records: list[CallRecord] = []
    for number, file in list(zip(numbers, files, strict=True))[first:]:
        found, end = read(file, int(offset) if number == inode and offset.isdigit() else 0)
        records += found
        mark = f"{number}:{end}"
    return records, mark


def turn_over(current: Path, now: float) -> bool:
    """Lay the file aside when it was begun on another day (UTC), under the day of its first row; True when it was."""
    first = _first_day(current)
    if not first or first >= _day(now):
        return False
    aside = current.with_name(f"{current.stem}-{first}{current.suffix}")
    if aside.exists():  # the clock was set back: nothing is written over
        aside = current.with_name(f"{current.stem}-{first}-{int(now)}{current.suffix}")
    current.rename(aside)
    return True


def remove_old(current: Path, now: float, days: int) -> int:
    """Remove the files whose last row is older than so many days; how many."""
    old = [file for file in kept(current) if file != current and file.stat().st_mtime < now - days * DAY_S]
    for file in old:
        file.unlink(missing_ok=True)
    return len(old)


def _first_day(file: Path) -> str:
    """The day of the first whole row, empty when there is none yet."""
    if not file.exists():
        return ""
    with file.open("rb") as rows:
        line = rows.readline()
    records = list(parse([line.decode("utf-8", errors="replace")]))
    return _day(records[0].started_at) if records else _day(file.stat().st_mtime) if line.endswith(b"\n") else ""


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()
