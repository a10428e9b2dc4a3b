"""The channel on which every change of line, call or session is announced. A hint only: what is true is read anew."""

import asyncio
from collections.abc import AsyncIterator

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


_DECODER = msgspec.json.Decoder(Change)


def channel(prefix: str) -> str:
    """Name of the Redis channel."""
    return f"{prefix}changes"


async def announce(redis: Redis, prefix: str, change: Change) -> None:
    """Tell whoever listens."""
    await redis.publish(channel(prefix), msgspec.json.encode(change))


async def listen(redis: Redis, prefix: str) -> AsyncIterator[Change]:
    """Every change from now on, for ever. The first item, and the first after each outage, is kind "resync"."""
    while True:
        try:
            async for text in _messages(redis, channel(prefix)):
                yield _DECODER.decode(text) if text else Change("resync")
        except (RedisError, OSError) as error:
            log.warning("changes are not heard, trying again", error=type(error).__name__)
        except msgspec.DecodeError:
            log.warning("a change that nobody can read was announced")
        await asyncio.sleep(RETRY_S)


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
