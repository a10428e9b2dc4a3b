"""How often something was written down about a call (a note, the form, the order): by this, pages see that there is more to
read. Holds no words."""

from collections.abc import Sequence

from redis.asyncio import Redis

from config.changes import Change, announce

#: Nobody looks at a call on a desk for longer.
KEPT_S = 24 * 3600


async def tell_written(redis: Redis, prefix: str, call_id: str) -> None:
    """Count it, and tell the pages that are open."""
    async with redis.pipeline(transaction=False) as pipe:
        pipe.incr(_key(prefix, call_id))
        pipe.expire(_key(prefix, call_id), KEPT_S)
        pipe.incr(f"{prefix}written")
        await pipe.execute()
    await announce(redis, prefix, Change("written", call_id))


async def times_written(redis: Redis, prefix: str, call_ids: Sequence[str]) -> dict[str, int]:
    """By call id; 0 = nothing yet."""
    async with redis.pipeline(transaction=False) as pipe:
        for call_id in call_ids:
            pipe.get(_key(prefix, call_id))
        counts = await pipe.execute() if call_ids else []
    return {call_id: int(count or 0) for call_id, count in zip(call_ids, counts, strict=True)}


async def times_written_at_all(redis: Redis, prefix: str) -> int:
    """About any call, ever."""
    return int(await redis.get(f"{prefix}written") or 0)


def _key(prefix: str, call_id: str) -> str:
    return f"{prefix}written:{call_id}"
