"""How often something was written down about a call: by this, pages see that there is more to read. Holds no words."""

from collections.abc import Sequence

import msgspec
from redis.asyncio import Redis

from config.changes import Change, channel

#: Nobody looks at a call on a desk for longer.
KEPT_S = 24 * 3600


async def tell_written(redis: Redis, prefix: str, call_id: str) -> None:
    """Count it, and tell the pages that are open."""
    async with redis.pipeline(transaction=False) as pipe:
        pipe.incr(_key(prefix, call_id))
        pipe.expire(_key(prefix, call_id), KEPT_S)
        await pipe.execute()
    await redis.publish(channel(prefix), msgspec.json.encode(Change("written", call_id)))


async def times_written(redis: Redis, prefix: str, call_ids: Sequence[str]) -> dict[str, int]:
    """By call id; 0 = nothing yet."""
    async with redis.pipeline(transaction=False) as pipe:
        for call_id in call_ids:
            pipe.get(_key(prefix, call_id))
        counts = await pipe.execute() if call_ids else []
    return {call_id: int(count or 0) for call_id, count in zip(call_ids, counts, strict=True)}


def _key(prefix: str, call_id: str) -> str:
    return f"{prefix}written:{call_id}"
