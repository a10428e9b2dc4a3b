"""Whose handset is whose at the desks: each person has one of their own for as long as it is connected, and a little longer."""

from typing import Any, cast

from redis.asyncio import Redis

from config import scripts
from config.clock import Clock
from config.settings import Settings
from telephony.asterisk.web_phone import desk_handsets

#: After the last look of its connection. Long enough for a page that is loaded anew, or an api that is restarted.
KEPT_S = 60.0
_TAKE = scripts.load(__file__, "take_handset-1")


class Desks:
    """Raises redis.exceptions.RedisError when Redis is away."""

    def __init__(self, redis: Redis, settings: Settings, clock: Clock) -> None:
        self._redis, self._clock = redis, clock
        self._key = f"{settings.redis_prefix}desk-phones"
        self._names = [handset.name for handset in desk_handsets(settings)]

    async def take(self, account_id: str) -> str:
        """The handset of this person, which is nobody else's now; empty when all are others'."""
        return await self._take(account_id, self._names)

    async def keep(self, account_id: str, handset: str) -> bool:
        """It is still theirs."""
        return handset in self._names and await self._take(account_id, [handset]) == handset

    async def of(self, account_id: str) -> str:
        """The handset that this person has now; empty when none."""
        holders: dict[str, str] = await cast(Any, self._redis.hgetall(self._key))
        for handset, held in holders.items():
            until, _, account = held.partition(" ")
            if account == account_id and float(until) > self._clock():
                return handset
        return ""

    async def _take(self, account_id: str, names: list[str]) -> str:
        now = self._clock()
        return str(await _TAKE.run(self._redis, (self._key,), account_id, now, now + KEPT_S, *names))
