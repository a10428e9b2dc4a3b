"""The line as server-sent events. One Redis subscription a process, fanned out; what is sent is always the whole line,
so a stream that was cut, or is slow, misses nothing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress

import structlog
from msgspec import Struct
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from api.presence import Presence
from api.problems import Problem
from config.changes import Change, follow

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
    """Hands the newest state of one document to every stream that follows it."""

    def __init__(self, read_line: ReadLine, first_number: int) -> None:
        self._read_line = read_line
        self._latest = Frame(first_number, None, b"")
        self._changed, self._newer = asyncio.Event(), asyncio.Event()
        self._reading = asyncio.Lock()
        self.streams, self.closing = 0, False

    def notice(self) -> None:
        """Something changed, or may have."""
        self._changed.set()

    def end_streams(self) -> None:
        """Let every stream come to its end; new ones are refused. The process is about to stop."""
        self.closing = True
        self._wake()

    async def refresh(self) -> Frame:
        """Read the line now. Raises what Redis or the database raise."""
        async with self._reading:
            key, body = await self._read_line()
            if key != self._latest.key:
                self._latest = Frame(self._latest.number + 1, key, body)
                self._wake()
            return Frame(self._latest.number, key, body)

    async def wait_newer(self, number: int, timeout_s: float) -> Frame | None:
        """The newest frame once it is newer than `number`; None after `timeout_s` or when the process stops."""
        if not self.closing and self._latest.number <= number:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._newer.wait()
        return self._latest if self._latest.number > number and not self.closing else None

    def _wake(self) -> None:
        """Everybody who waits goes on; an event of its own for each frame, so that nobody queues for a lock."""
        self._newer, passed = asyncio.Event(), self._newer
        passed.set()

    async def publish(self) -> None:
        """Read anew after every change, for as long as the process lives."""
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
            except Exception as error:  # noqa: BLE001 - it is told, and what is read next is shown
                # One document that cannot be shown must not stop all that come after it.
                _log.exception("the line cannot be shown", error=type(error).__name__)
            await asyncio.sleep(COALESCE_S)


class Feeds:
    """All feeds of a process, on one subscription."""

    def __init__(self, redis: Redis, prefix: str, feeds: Sequence[LineFeed]) -> None:
        self._redis, self._prefix, self._feeds = redis, prefix, feeds
        self._tasks: list[asyncio.Task[None]] = []
        self._unfollow: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Begin to follow; must be called in the running loop."""
        self._tasks = [asyncio.create_task(feed.publish()) for feed in self._feeds]
        self._unfollow = follow(self._redis, self._prefix, self._notice)

    async def close(self) -> None:
        """End every stream, then stop to follow."""
        self.end_streams()
        self._unfollow()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def end_streams(self) -> None:
        for feed in self._feeds:
            feed.end_streams()

    @property
    def streams(self) -> int:
        """Open streams of this process."""
        return sum(feed.streams for feed in self._feeds)

    def _notice(self, _: Change) -> None:
        for feed in self._feeds:
            feed.notice()


async def open_stream(feed: LineFeed, presence: Presence) -> AsyncIterator[bytes]:
    """The bytes of one stream, until the process stops or whoever follows may no longer. The snapshot is read before the first
    byte, so that a failure is still a problem."""
    if feed.closing:
        raise Problem("shutting_down")
    if feed.streams >= STREAMS_MAX:
        raise Problem("too_many_streams", "Try again, another process may have room.")
    return _stream(feed, await feed.refresh(), presence)


async def _stream(feed: LineFeed, snapshot: Frame, presence: Presence) -> AsyncIterator[bytes]:
    feed.streams += 1
    try:
        yield b"retry: 1000\n" + _event("snapshot", snapshot)
        number = snapshot.number
        while not feed.closing:
            frame = await feed.wait_newer(number, HEARTBEAT_S)
            if await presence.is_over():
                return
            if frame is not None:
                number = frame.number
                yield _event("change", frame)
            elif not feed.closing:
                yield b": still here\n\n"
    finally:
        feed.streams -= 1


def _event(name: str, frame: Frame) -> bytes:
    return b"event: %b\nid: %d\ndata: %b\n\n" % (name.encode(), frame.number, frame.body)
