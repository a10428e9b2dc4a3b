"""Time that runs faster than real time, so that a two-hour session fits into a test."""

import asyncio
import time
from datetime import UTC, datetime
from email.utils import formatdate


class Clock:
    """Seconds here are virtual unless they are called real: `speed` of them pass in one real second."""

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed
        self._start_real = time.monotonic()
        self._start_wall = time.time()

    def now(self) -> float:
        """Virtual Unix seconds, starting at the real time of the start."""
        return self._start_wall + (time.monotonic() - self._start_real) * self.speed

    def real(self, seconds: float) -> float:
        """How long `seconds` take in real seconds."""
        return seconds / self.speed

    async def sleep(self, seconds: float) -> None:
        """Let virtual seconds pass."""
        await asyncio.sleep(self.real(seconds))


def rfc2822(at: float | None) -> str | None:
    """The form of dates in REST answers and callbacks, UTC."""
    return None if at is None else formatdate(at).replace("-0000", "+0000")


def utc_day(at: float) -> str:
    """YYYY-MM-DD, as lists are filtered."""
    return datetime.fromtimestamp(at, UTC).date().isoformat()
