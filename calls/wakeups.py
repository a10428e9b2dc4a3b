"""Wakes calls at the time they asked for. Any number of processes may run it; a wake-up is handed out once."""

import asyncio
from collections.abc import Iterable

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from calls.shards import SHARDS, ShardKeys, shard_keys
from calls.store import UnknownCall
from calls.turn import Congested, Turns
from config.clock import Clock, pause
from config.scripts import load
from config.settings import Settings
from config.shared import begin
from ivr.events import Woken

log = structlog.get_logger()

#: How late a wake-up may be.
LOOK_EVERY_S = 0.25
#: A wake-up that its process did not confirm comes again after this.
LEASE_S = 5.0
#: Handed out to one process at a time, from one shard.
BATCH = 50
#: Woken side by side; more would keep the keys of other callers waiting.
AT_ONCE = 100

_DUE = load(__file__, "due-1")
_WOKEN = load(__file__, "woken-1")


class Wakeups:
    """The wake-ups of all calls."""

    def __init__(self, redis: Redis, settings: Settings, clock: Clock, turns: Turns) -> None:
        self._redis = redis
        self._clock = clock
        self._turns = turns
        self._shards = [shard_keys(settings.redis_prefix, shard) for shard in range(SHARDS)]

    async def run(self, stop: asyncio.Event) -> None:
        """Wakes calls until `stop` is set."""
        while not stop.is_set():
            try:
                await self.wake_due()
            except (RedisError, OSError) as error:
                log.warning("wake-ups cannot be read", error=type(error).__name__)
            await pause(stop, LOOK_EVERY_S)

    async def wake_due(self) -> int:
        """Wakes every call that is due now; how many."""
        now = self._clock()
        counting = [(shard, begin(self._redis, "ZCOUNT", shard.wakeups, "-inf", now)) for shard in self._shards]
        due = [(shard, count) for shard, counted in counting if (count := await counted)]
        woken = 0
        for some in side_by_side(due):
            woken += await self._wake_some(some)
        return woken

    async def _wake_some(self, shards: list[ShardKeys]) -> int:
        now = self._clock()
        until = now + LEASE_S
        asked = [(shard, _DUE.begin(self._redis, (shard.wakeups,), now, until, BATCH)) for shard in shards]
        calls = [(shard, call_id) for shard, due in asked for call_id in await due]
        await asyncio.gather(*(self._wake(shard, call_id, until) for shard, call_id in calls))
        return len(calls)

    async def _wake(self, shard: ShardKeys, call_id: str, until: float) -> None:
        try:
            turn = await self._turns.take_turn(call_id, lambda facts: Woken(facts=facts))
            if turn.set_wake_up:
                return  # what we were handed out has been replaced
        except UnknownCall:
            log.warning("a call that is not there was to be woken", call_id=call_id)
        except Congested:
            return  # it comes again after the lease
        except (RedisError, OSError):
            raise
        except Exception as error:  # noqa: BLE001 - one call must not keep the others asleep
            log.error("a call could not be woken", call_id=call_id, error=type(error).__name__)
            return
        await _WOKEN.run(self._redis, (shard.wakeups,), call_id, until)


def side_by_side(due: Iterable[tuple[ShardKeys, int]]) -> list[list[ShardKeys]]:
    """Shards whose calls are woken side by side, at most so many calls (or those of one shard)."""
    groups: list[list[ShardKeys]] = []
    room = 0
    for shard, count in due:
        wakes = min(count, BATCH)
        if wakes > room:
            groups.append([])
            room = AT_ONCE
        groups[-1].append(shard)
        room -= wakes
    return groups
