"""Depth of a line over time: one sample a call of `sample`, the oldest dropped. For the session's report and graph."""

from msgspec import Struct, json
from redis.asyncio import Redis

from config.clock import Clock
from config.settings import Settings
from queueing.keys import line_keys

#: Four hours at one sample every ten seconds: longer than any session.
SAMPLES = 1440


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
        taken = Sample(self._clock(), int(await self._redis.zcard(keys.waiting)))
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.rpush(keys.depths, json.encode(taken).decode())
            pipe.ltrim(keys.depths, -SAMPLES, -1)
            await pipe.execute()
        return taken

    async def samples(self, seat_id: str) -> list[Sample]:
        """All samples that are kept, oldest first."""
        rows = await self._redis.lrange(line_keys(self._prefix, seat_id).depths, 0, -1)
        return [json.decode(row, type=Sample) for row in rows]
