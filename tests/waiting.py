"""Waiting for something to become true, with a deadline: tests never sleep for a fixed time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")

#: Between two looks.
_LOOK_EVERY_S = 0.02
#: A deadline guards against waiting for ever and says nothing of speed: a machine that is busy gets that much longer.
_PATIENCE = 3.0


def patient(seconds: float) -> float:
    """A deadline as written -> the one to keep, in seconds."""
    return seconds * _PATIENCE


@overload
async def until(predicate: Callable[[], Awaitable[T]], deadline: float = ..., what: str = ...) -> T: ...
@overload
async def until(predicate: Callable[[], T], deadline: float = ..., what: str = ...) -> T: ...
async def until(predicate: Callable[[], Any], deadline: float = 10.0, what: str = "it") -> Any:
    """The first true value of `predicate` (plain or async). Raises AssertionError after `patient(deadline)` seconds."""
    end = time.monotonic() + patient(deadline)
    while True:
        found = predicate()
        value = await found if isinstance(found, Awaitable) else found
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what} was not so within {patient(deadline):.0f} s")
        await asyncio.sleep(_LOOK_EVERY_S)


def until_now(predicate: Callable[[], T], deadline: float = 10.0, what: str = "it") -> T:
    """The same without an event loop."""
    end = time.monotonic() + patient(deadline)
    while not (value := predicate()):
        if time.monotonic() > end:
            raise AssertionError(f"{what} was not so within {patient(deadline):.0f} s")
        time.sleep(_LOOK_EVERY_S)
    return value
