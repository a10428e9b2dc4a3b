"""Time that runs faster than real time, so that a two-hour session fits into a test."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
        moment = self.now() + seconds
        with self.awaited(moment) as wait:
            while (left := wait.left()) > 0:
                await asyncio.sleep(left)
                wait.over()

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        """Call `do` when so many virtual seconds have passed."""
        asyncio.get_running_loop().call_later(self.real(seconds), do)

    @contextmanager
    def awaited(self, moment: float) -> "Iterator[Wait]":
        """Somebody waits for a moment of virtual time."""
        yield Wait(self, moment)

    @contextmanager
    def busy(self) -> Iterator[None]:
        """The application is asked something."""
        yield


class Wait:
    """For a moment of virtual time."""

    def __init__(self, clock: Clock, moment: float) -> None:
        self.clock, self.moment = clock, moment

    def left(self) -> float:
        """Real seconds, at most 0 when the moment has come."""
        return self.clock.real(self.moment - self.clock.now())

    def over(self) -> None:
        """So long as `left` said was waited, and nothing came of it but that."""


class ExactClock(Clock):
    """Time goes from one moment that somebody waits for to the next, and stands still while the application is asked anything:
    however busy the machine is, everything takes as long as it says. `speed` is how long is waited before the next moment."""

    def __init__(self, speed: float = 1.0) -> None:
        super().__init__(speed)
        self._now = self._start_wall
        self._asked = 0
        self._moments: list[float] = []
        self._later: set[asyncio.Task[None]] = set()
        #: Grows with everything that happens.
        self.turns = 0

    def now(self) -> float:
        return self._now

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        async def wait() -> None:
            await self.sleep(seconds)
            do()

        self._later.add(task := asyncio.ensure_future(wait()))
        task.add_done_callback(self._later.discard)

    @contextmanager
    def awaited(self, moment: float) -> "Iterator[Wait]":
        self._moments.append(moment)
        self.turns += 1
        try:
            yield ExactWait(self, moment)
        finally:
            self._moments.remove(moment)
            self.turns += 1

    @contextmanager
    def busy(self) -> Iterator[None]:
        self._asked += 1
        try:
            yield
        finally:
            self._asked -= 1
            self.turns += 1

    def comes(self, moment: float) -> None:
        """It is that moment now, unless something else comes first."""
        if not self._asked and moment <= min(self._moments):
            self._now = max(self._now, moment)
            self.turns += 1


class ExactWait(Wait):
    """Counts only when nothing happened meanwhile."""

    def __init__(self, clock: ExactClock, moment: float) -> None:
        super().__init__(clock, moment)
        self._exact, self._since = clock, clock.turns

    def left(self) -> float:
        self._since = self._exact.turns
        return super().left()

    def over(self) -> None:
        if self._since == self._exact.turns:
            self._exact.comes(self.moment)


def rfc2822(at: float | None) -> str | None:
    """The form of dates in REST answers and callbacks, UTC."""
    return None if at is None else formatdate(at).replace("-0000", "+0000")


def utc_day(at: float) -> str:
    """YYYY-MM-DD, as lists are filtered."""
    return datetime.fromtimestamp(at, UTC).date().isoformat()
