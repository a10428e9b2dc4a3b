"""Depth of a line over time: one sample a call of `sample`, the oldest dropped. For the session's report and graph, and for
the forecast, which wants to know how long all callers together have waited."""

from msgspec import Struct, json
from redis.asyncio import Redis

from config.clock import Clock
from config.settings import Settings
from queueing.keys import line_keys

#: Four hours at one sample every ten seconds: longer than any session.
SAMPLES = 1440
#: Samples further apart say nothing about the time between them.
GAP_S = 60.0


class Sample(Struct, frozen=True, array_like=True):
    """`depth` callers at `at`, Unix seconds."""

    at: float
    depth: int


class Depths:
    """The samples of all lines."""

    def __init__(self, redis: Redis, settings: Settings, clock: Clock) -> None:
        self._redis = redis
        self._prefix = settings.redis_prefix
        self._clock = clock

    async def sample(self, seat_id: str) -> Sample:
        """Takes and keeps a sample now."""
        keys = line_keys(self._prefix, seat_id)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.zcard(keys.waiting)
            pipe.lindex(keys.depths, -1)
            depth, before = await pipe.execute()
        taken = Sample(self._clock(), int(depth))
        last = json.decode(before, type=Sample) if before else taken
        apart_s = taken.at - last.at
        async with self._redis.pipeline(transaction=True) as pipe:
            if 0 < apart_s <= GAP_S:
                pipe.hincrbyfloat(keys.pace, "waited_s", apart_s * (last.depth + taken.depth) / 2)
            pipe.rpush(keys.depths, json.encode(taken).decode())
            pipe.ltrim(keys.depths, -SAMPLES, -1)
            await pipe.execute()
        return taken

    async def samples(self, seat_id: str) -> list[Sample]:
        """All samples that are kept, oldest first."""
        rows = await self._redis.lrange(line_keys(self._prefix, seat_id).depths, 0, -1)
        return [json.decode(row, type=Sample) for row in rows]
