"""The line as server-sent events. One Redis subscription a process, fanned out; what is sent is always the whole line,
so a stream that was cut, or is slow, misses nothing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import structlog
from msgspec import Struct
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from api.problems import Problem
from config.changes import listen

#: Changes that come closer together than this are sent as one.
COALESCE_S = 0.1
#: Silence after which a comment is sent, below the idle limits of usual proxies.
HEARTBEAT_S = 15.0
#: Slow safety refresh: seats whose wrap-up ends and notifications lost while Redis was away.
REFRESH_S = 10.0
#: Pause before Redis is tried again.
RECONNECT_S = 0.5
#: Streams one process carries.
STREAMS_MAX = 1000

_log = structlog.get_logger("api.streams")


class Frame(Struct, frozen=True):
    """One state of the line. `body` is the JSON document, `key` what decides whether it differs from another."""

    number: int
    key: object
    body: bytes


ReadLine = Callable[[], Awaitable[tuple[object, bytes]]]


class LineFeed:
    """Follows the changes of the line and hands the newest state to every stream."""

    def __init__(self, redis: Redis, prefix: str, read_line: ReadLine, first_number: int) -> None:
        self._redis, self._prefix, self._read_line = redis, prefix, read_line
        self._latest = Frame(first_number, None, b"")
        self._changed, self._newer = asyncio.Event(), asyncio.Condition()
        self._reading = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []
        self.streams, self.closing = 0, False

    def start(self) -> None:
        """Begin to follow; must be called in the running loop."""
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._publish())]

    async def close(self) -> None:
        """End every stream, then stop to follow."""
        await self.end_streams()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def end_streams(self) -> None:
        """Let every stream come to its end; new ones are refused. The process is about to stop."""
        self.closing = True
        async with self._newer:
            self._newer.notify_all()

    async def refresh(self) -> Frame:
        """Read the line now. Raises what Redis or the database raise."""
        async with self._reading:
            key, body = await self._read_line()
            if key != self._latest.key:
                self._latest = Frame(self._latest.number + 1, key, body)
                async with self._newer:
                    self._newer.notify_all()
            return Frame(self._latest.number, key, body)

    async def wait_newer(self, number: int, timeout_s: float) -> Frame | None:
        """The newest frame once it is newer than `number`; None after `timeout_s` or when the process stops."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s), self._newer:
                await self._newer.wait_for(lambda: self.closing or self._latest.number > number)
        return self._latest if self._latest.number > number and not self.closing else None

    async def _listen(self) -> None:
        """Follow the channel for as long as the process lives; after a break everything counts as changed."""
        async for _ in listen(self._redis, self._prefix):
            self._changed.set()

    async def _publish(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(REFRESH_S):
                    await self._changed.wait()
            self._changed.clear()
            try:
                if self.streams:
                    await self.refresh()
            except (RedisError, SQLAlchemyError, OSError) as error:
                _log.warning("the line cannot be read", error=type(error).__name__)
                self._changed.set()
                await asyncio.sleep(RECONNECT_S)
            await asyncio.sleep(COALESCE_S)


async def open_stream(feed: LineFeed) -> AsyncIterator[bytes]:
    """The bytes of one stream. The snapshot is read before the first byte, so that a failure is still a problem."""
    if feed.closing:
        raise Problem("shutting_down")
    if feed.streams >= STREAMS_MAX:
        raise Problem("too_many_streams", "Try again, another process may have room.")
    return _stream(feed, await feed.refresh())


async def _stream(feed: LineFeed, snapshot: Frame) -> AsyncIterator[bytes]:
    feed.streams += 1
    try:
        yield b"retry: 1000\n" + _event("snapshot", snapshot)
        number = snapshot.number
        while not feed.closing:
            frame = await feed.wait_newer(number, HEARTBEAT_S)
            if frame is not None:
                number = frame.number
                yield _event("change", frame)
            elif not feed.closing:
                yield b": still here\n\n"
    finally:
        feed.streams -= 1


def _event(name: str, frame: Frame) -> bytes:
    return b"event: %b\nid: %d\ndata: %b\n\n" % (name.encode(), frame.number, frame.body)
