"""The one clock. Everything that reads the time takes it from here, so that tests and simulations can set it."""

import asyncio
import time
from collections.abc import Callable

#: Returns Unix seconds.
Clock = Callable[[], float]


def now() -> float:
    """Unix seconds of this machine."""
    return time.time()


async def pause(stop: asyncio.Event, seconds: float) -> bool:
    """Wait; True when `stop` came first."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return False
    return True
