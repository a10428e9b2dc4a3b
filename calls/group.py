"""Group commit: what several callers want written while a transaction is under way goes down in the next one, together."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

#: Rows in one transaction; what waits longer is not worth a longer one.
MOST_TOGETHER = 200

#: Writes all of them in one transaction; for each, whether it was new.
WriteAll = Callable[[Sequence[T]], Awaitable[list[bool]]]


class GroupCommit(Generic[T]):
    """A transaction costs a disk's round trip, whatever it holds: one for each fact would be the limit of the system."""

    def __init__(self, write_all: WriteAll[T]) -> None:
        self._write_all = write_all
        self._waiting: deque[tuple[T, asyncio.Future[bool]]] = deque()
        self._writing: asyncio.Task[None] | None = None

    async def write(self, item: T) -> bool:
        """True when it was new. Raises what `write_all` raises for this item; it is on disk when this returns."""
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, written))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_waiting())
        return await written

    async def _write_waiting(self) -> None:
        while self._waiting:
            together = [self._waiting.popleft() for _ in range(min(MOST_TOGETHER, len(self._waiting)))]
            if not await self._attempt(together) and len(together) > 1:
                for one in together:
                    await self._attempt([one], last=True)

    async def _attempt(self, together: list[tuple[T, asyncio.Future[bool]]], *, last: bool = False) -> bool:
        """False when nothing was written and each must be tried alone: one that is refused must not hold up the rest."""
        try:
            results = await self._write_all([item for item, _ in together])
        except Exception as error:  # noqa: BLE001 - handed to whoever waits
            if len(together) > 1 and not last:
                return False
            results = []
            for _, written in together:
                if not written.done():
                    written.set_exception(error)
        for (_, written), new in zip(together, results, strict=False):
            if not written.done():
                written.set_result(new)
        return True
