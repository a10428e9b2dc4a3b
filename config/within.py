"""Time limits for work of which there is much at once: one timer looks after all of it, where asyncio.timeout sets one for each."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")

#: A limit is noticed so much late at most.
LOOK_S = 0.25


class Within:
    """Of one event loop."""

    def __init__(self) -> None:
        self._due: dict[asyncio.Task[object], float] = {}
        self._late: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, work: Awaitable[T], seconds: float) -> T:
        """The result of `work`, in this task, which does nothing else under a limit of ours. Raises TimeoutError when it takes
        longer, up to LOOK_S later; what it was doing is cancelled."""
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None  # noqa: S101 - a coroutine runs in one
        cancelled_before = task.cancelling()
        self._due[task] = loop.time() + seconds
        if self._timer is None:
            self._timer = loop.call_later(LOOK_S, self._look, loop)
        try:
            return await work
        except asyncio.CancelledError:
            # Cancelled by us alone; somebody else's wish to end the task comes first.
            if task in self._late and task.uncancel() <= cancelled_before:
                raise TimeoutError from None
            raise
        finally:
            self._late.discard(task)
            self._due.pop(task, None)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_later(LOOK_S, self._look, loop) if self._due else None
        now = loop.time()
        for task, due in self._due.items():
            if due <= now and task not in self._late:
                self._late.add(task)
                task.cancel()
