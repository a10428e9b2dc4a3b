"""Processor time and memory of processes, from /proc. Reads only."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
#: Fields after the closing parenthesis of the name in /proc/<pid>/stat.
_UTIME, _STIME, _CHILDREN_U, _CHILDREN_S = 11, 12, 13, 14


@dataclass(frozen=True, slots=True)
class Usage:
    """Processor seconds since the start (ended children included) and resident KiB now, of a group of processes."""

    cpu_s: float = 0.0
    rss_kib: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(self.cpu_s + other.cpu_s, self.rss_kib + other.rss_kib)


def usage_of(pids: Iterable[int]) -> Usage:
    """Of these processes and everything they started. A process that is gone counts as nothing."""
    total = Usage()
    for pid in _with_children(pids):
        total += _one(pid)
    return total


def cpu_seconds(stat: str) -> float:
    """From the text of /proc/<pid>/stat, whose name may hold anything."""
    fields = stat.rpartition(")")[2].split()
    ticks = sum(int(fields[n]) for n in (_UTIME, _STIME, _CHILDREN_U, _CHILDREN_S))
    return ticks / _TICKS


def resident_kib(status: str) -> int:
    """From the text of /proc/<pid>/status."""
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")), 0)


def _one(pid: int) -> Usage:
    folder = Path(f"/proc/{pid}")
    try:
        return Usage(cpu_seconds((folder / "stat").read_text()), resident_kib((folder / "status").read_text()))
    except OSError:
        return Usage()


def _with_children(pids: Iterable[int]) -> set[int]:
    found: set[int] = set()
    todo = [pid for pid in pids if pid]
    while todo:
        pid = todo.pop()
        if pid in found:
            continue
        found.add(pid)
        try:
            for task in Path(f"/proc/{pid}/task").iterdir():
                todo.extend(int(child) for child in (task / "children").read_text().split())
        except OSError:
            continue
    return found
