"""One processor for two who take turns: a rehearsal and its Redis never work at the same time.

On two processors each answer has to wake a sleeping one, which takes longer than most commands; on one, the server goes on
where the rehearsal waits.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: Of /proc/<pid>/stat, after the name in brackets: the processor it ran on last.
_RAN_ON = 36


@contextmanager
def together_with(server: int) -> Iterator[None]:
    """This thread and that process share the processor on which the system has put us; afterwards any of ours will do. Where the
    system knows no such thing, nothing happens."""
    where = ours()
    if len(where) < 2:
        yield
        return
    here = {_ran_on()} & where or where
    try:
        for process in (0, server):
            _stay(process, here)
        yield
    finally:
        for process in (0, server):
            _stay(process, where)


def ours() -> set[int]:
    """The processors on which this thread may run; empty where the system does not tell."""
    return set(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else set()


def _stay(process: int, where: set[int]) -> None:
    with suppress(OSError):  # it may be gone, or a sandbox may forbid it: slower, and nothing else
        os.sched_setaffinity(process, where)


def _ran_on() -> int:
    with suppress(OSError, IndexError, ValueError):
        stat = Path("/proc/thread-self/stat").read_text(encoding="ascii", errors="replace")
        return int(stat.rpartition(")")[2].split()[_RAN_ON])
    return -1
