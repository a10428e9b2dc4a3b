"""Depth of a line over time: one sample a call of `sample`, the oldest dropped. For the session's report and graph, and for
the forecast, which wants to know how long all callers together have waited."""

from msgspec import Struct, json
from redis.asyncio import Redis

from config.clock import Clock
from config.scripts import load
from config.settings import Settings
from queueing.keys import line_keys

#: Four hours at one sample every ten seconds: longer than any session.
SAMPLES = 1440
#: Samples further apart say nothing about the time between them.
GAP_S = 60.0

_SAMPLE = load(__file__, "sample-4")


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
        keys, at = line_keys(self._prefix, seat_id), self._clock()
        touched = (keys.waiting, keys.depths, keys.pace, keys.marks)
        depth = await _SAMPLE.run(self._redis, touched, at, GAP_S, SAMPLES)
        return Sample(at, int(depth))

    async def samples(self, seat_id: str) -> list[Sample]:
        """All samples that are kept, oldest first."""
        rows = await self._redis.lrange(line_keys(self._prefix, seat_id).depths, 0, -1)
        return [json.decode(row, type=Sample) for row in rows]
