"""Virtual time: what is due next happens next, and nothing else meanwhile. The same acts give the same session."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from itertools import count

Act = Callable[[], Awaitable[None]]


class Stage:
    """A clock that jumps from act to act. Call it for Unix seconds."""

    def __init__(self, now: float) -> None:
        self.now = now
        self._due: list[tuple[float, int, Act]] = []
        self._numbers = count()

    def __call__(self) -> float:
        return self.now

    def at(self, when: float, act: Act) -> None:
        """Do `act` at `when`; what is due at the same moment happens in the order it was asked for."""
        heapq.heappush(self._due, (max(when, self.now), next(self._numbers), act))

    def after(self, seconds: float, act: Act) -> None:
        self.at(self.now + seconds, act)

    async def wait(self, seconds: float) -> None:
        """Returns so much later. For what nobody on the stage waits for."""
        waiting = asyncio.get_running_loop().create_future()

        async def go_on() -> None:
            if not waiting.done():
                waiting.set_result(None)

        self.after(seconds, go_on)
        await waiting

    async def play(self, then: Act) -> None:
        """Until nothing is due any more; `then` follows every act."""
        while self._due:
            self.now, _, act = heapq.heappop(self._due)
            await act()
            await then()
