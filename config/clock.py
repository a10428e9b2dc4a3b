"""The one clock. Everything that reads the time takes it from here, so that tests and simulations can set it."""

import time
from collections.abc import Callable

#: Returns Unix seconds.
Clock = Callable[[], float]


def now() -> float:
    """Unix seconds of this machine."""
    return time.time()
