"""Programs that are started for somebody and must not outlive them."""

import ctypes
import signal

#: Of prctl(2).
_SET_PARENT_DEATH_SIGNAL = 1
_LIBC = ctypes.CDLL(None)


def end_with_parent() -> None:
    """Called in a process that was just forked: it is killed when the thread that forked it has gone, by kill -9 too. Linux."""
    _LIBC.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
