"""Which processes a state directory has started: written down, so that a killed run can be cleaned up by the next."""

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

#: How long a process of a killed run may take to stop before it is killed.
STALE_STOP_WITHIN_S = 5.0

#: How often we look whether it has stopped.
LOOK_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Remembered:
    """A process by number and start time: a number alone may have been given to another program since."""

    name: str
    pid: int
    #: Clock ticks since boot, field 22 of /proc/<pid>/stat.
    started: int

    def is_alive(self) -> bool:
        return start_time(self.pid) == self.started


def remember(folder: Path, name: str, pid: int) -> None:
    """Writes `<name>.pid`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.pid").write_text(f"{pid} {start_time(pid) or 0}\n")


def forget(folder: Path, name: str) -> None:
    """Removes `<name>.pid`; the process has ended."""
    (folder / f"{name}.pid").unlink(missing_ok=True)


def remembered(folder: Path) -> list[Remembered]:
    """The processes written down, unreadable records left out."""
    found = []
    for path in sorted(folder.glob("*.pid")):
        try:
            words = path.read_text().split()
        except FileNotFoundError:  # forgotten just now
            continue
        if len(words) == 2 and all(word.isdigit() for word in words):
            found.append(Remembered(path.stem, int(words[0]), int(words[1])))
    return found


def stop_leftovers(folder: Path) -> list[str]:
    """Stops what a killed run left behind, each with its children; the names of what was still alive."""
    alive = [process for process in remembered(folder) if process.is_alive()]
    for process in alive:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGTERM)
    deadline = time.monotonic() + STALE_STOP_WITHIN_S
    while any(process.is_alive() for process in alive) and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY_S)
    for process in alive:
        signal_group(process.pid, signal.SIGKILL)  # what is left of it, and its children
    for path in folder.glob("*.pid"):
        path.unlink(missing_ok=True)
    return [process.name for process in alive]


def signal_group(pid: int, which: signal.Signals) -> None:
    """Signals the process and its children; one that has just ended is no error."""
    try:
        os.killpg(pid, which)
    except ProcessLookupError:
        return


def start_time(pid: int) -> int | None:
    """Field 22 of /proc/<pid>/stat; None when there is no such process, or only its unburied remains."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    state, *rest = stat.rpartition(")")[2].split()
    return None if state in "ZX" else int(rest[18])
