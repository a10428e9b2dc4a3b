"""The channel on which every change of line, call or session is announced. A hint only: what is true is read anew.

However many parts of a process listen, it subscribes once, and reads every announcement once.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Protocol

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from config.shared import SharedRedis

log = structlog.get_logger()

#: After a lost connection; the listener is told by kind "resync" that it may have missed something.
RETRY_S = 0.5
#: How long one read of the subscription waits.
IDLE_S = 5.0


class Change(msgspec.Struct, frozen=True):
    """What changed: kind line | call | session | supervision | test_calls | written | resync, and its id (seat id, call id, session id,
    `<seat id>.<id>`, call id, empty)."""

    kind: str
    id: str = ""
    #: Of a call: the `seq` that was saved, so that who saved it need not read it again. 0 = not told.
    seq: int = 0


_RESYNC = Change("resync")
_DECODER = msgspec.json.Decoder(Change)


def channel(prefix: str) -> str:
    """Name of the Redis channel."""
    return f"{prefix}changes"


async def announce(redis: Redis, prefix: str, change: Change) -> None:
    """Tell whoever listens."""
    await redis.publish(channel(prefix), msgspec.json.encode(change))


async def listen(redis: Redis, prefix: str, *, calls: bool = True) -> AsyncIterator[Change]:
    """Every change from now on, for ever. The first item, and the first after each outage, is kind "resync". `calls=False`
    leaves out those of calls, which are most. A change of a call that its caller hears by the answer to a webhook is not told."""
    where = (redis, prefix, asyncio.get_running_loop())
    station = _STATIONS.setdefault(where, _Station(redis, prefix))
    ear = _Ear(calls=calls)
    station.tune_in(ear)
    try:
        while True:
            for change in await ear.hear():
                yield change
    finally:
        if not station.tune_out(ear):
            _STATIONS.pop(where, None)


def follow(redis: Redis, prefix: str, tell: Callable[[Change], None]) -> Callable[[], None]:
    """Tells of every change the moment it is heard, as `listen` does, until what is returned is called. `tell` may only take note:
    in a storm of calls it is called a thousand times a second."""
    where = (redis, prefix, asyncio.get_running_loop())
    ear = _Noting(tell)
    station = _STATIONS.setdefault(where, _Station(redis, prefix))
    station.tune_in(ear)

    def stop() -> None:
        if not station.tune_out(ear):
            _STATIONS.pop(where, None)

    return stop


class _Hears(Protocol):
    def tell(self, change: Change) -> None: ...


class _Noting:
    """A listener that takes note at once."""

    def __init__(self, tell: Callable[[Change], None]) -> None:
        self.tell = tell


class _Ear:
    """What one listener has not heard yet."""

    def __init__(self, *, calls: bool) -> None:
        self._calls = calls
        self._changes: list[Change] = []
        self._some = asyncio.Event()

    def tell(self, change: Change) -> None:
        if self._calls or change.kind != "call":
            self._changes.append(change)
            self._some.set()

    async def hear(self) -> list[Change]:
        await self._some.wait()
        self._some.clear()
        heard, self._changes = self._changes, []
        return heard


class _Station:
    """The one subscription of a connection, as long as anybody listens."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis, self._prefix = redis, prefix
        self._ears: list[_Hears] = []
        self._task: asyncio.Task[None] | None = None
        self._is_on = False

    def tune_in(self, ear: _Hears) -> None:
        self._ears.append(ear)
        if self._task is None:
            self._task = asyncio.create_task(self._receive())
        elif self._is_on:
            ear.tell(_RESYNC)

    def tune_out(self, ear: _Hears) -> bool:
        """True while somebody else listens."""
        self._ears.remove(ear)
        if not self._ears and self._task is not None:
            self._task.cancel()
            self._task, self._is_on = None, False
        return bool(self._ears)

    async def _receive(self) -> None:
        while True:
            try:
                async for text in _messages(self._redis, channel(self._prefix)):
                    self._is_on = True
                    self._tell(_DECODER.decode(text) if text else _RESYNC)
            except (RedisError, OSError) as error:
                log.warning("changes are not heard, trying again", error=type(error).__name__)
            except msgspec.DecodeError:
                log.warning("a change that nobody can read was announced")
            self._is_on = False
            await asyncio.sleep(RETRY_S)

    def _tell(self, change: Change) -> None:
        for ear in self._ears:
            ear.tell(change)


#: Those that somebody listens to.
_STATIONS: dict[tuple[Redis, str, asyncio.AbstractEventLoop], _Station] = {}


async def _messages(redis: Redis, name: str) -> AsyncIterator[str]:
    """What is published there; first an empty text, when it is subscribed."""
    if isinstance(redis, SharedRedis):
        async for text in redis.messages(name, IDLE_S):
            yield text
        return
    await redis.initialize()  # a Cluster's connection must have seen its nodes before it can subscribe
    async with redis.pubsub(ignore_subscribe_messages=True) as pubsub:
        await pubsub.subscribe(name)
        yield ""
        while True:
            message = await pubsub.get_message(timeout=IDLE_S)
            if message is not None:
                yield message["data"]
