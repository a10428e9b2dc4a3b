"""Waiting for something to become true, with a deadline: tests never sleep for a fixed time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")

#: Seconds between two looks: at first; as a part of the time waited so far; at most. A look may take milliseconds of several
#: processes, and what has not happened for seconds does not happen in the next hundredth of one.
_LOOK_AGAIN_S, _OF_THE_WAIT, _SELDOM_S = 0.02, 0.1, 0.2
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
    began = time.monotonic()
    while True:
        found = predicate()
        value = await found if isinstance(found, Awaitable) else found
        if value:
            return value
        await asyncio.sleep(_pause(time.monotonic() - began, deadline, what))


def until_now(predicate: Callable[[], T], deadline: float = 10.0, what: str = "it") -> T:
    """The same without an event loop."""
    began = time.monotonic()
    while not (value := predicate()):
        time.sleep(_pause(time.monotonic() - began, deadline, what))
    return value


def _pause(waited: float, deadline: float, what: str) -> float:
    """Seconds until the next look. Raises AssertionError once the deadline is over."""
    if waited > patient(deadline):
        raise AssertionError(f"{what} was not so within {patient(deadline):.0f} s")
    return min(max(_LOOK_AGAIN_S, waited * _OF_THE_WAIT), _SELDOM_S)
