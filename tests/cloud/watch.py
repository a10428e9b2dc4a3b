"""Waiting for something to become true, woken by every change and never by a timer."""

import asyncio
from collections.abc import Callable

from tests.waiting import patient


class Watch:
    """Shared by all legs of a cloud: whoever changes something says so."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def changed(self) -> None:
        """Let everybody look again."""
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    async def until(self, condition: Callable[[], bool], timeout_s: float, complaint: str) -> None:
        """Return when the condition holds. Raises TimeoutError with the complaint after `patient(timeout_s)` real seconds."""
        try:
            async with asyncio.timeout(patient(timeout_s)):
                while not condition():
                    await self._next_change()
        except TimeoutError:
            raise TimeoutError(complaint) from None

    async def _next_change(self) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)
