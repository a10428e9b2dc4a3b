"""The place a telephone number holds in a line: one a number, on whichever carrier, kept for a moment when the call drops.

The number is a keyed hash here and nothing else; withheld numbers hold no place that can be found again.
"""

from typing import Any

from redis.asyncio import Redis

from config.clock import Clock
from config.privacy import open_cipher
from config.redis import shard_key
from config.scripts import load
from config.settings import Settings
from ivr.facts import Place

#: Longer than any session.
KEPT_S = 12 * 3600
#: So much of the hash names a number; nobody meets another one in it by chance.
_HASH_LENGTH = 32

_TAKE = load(__file__, "take_place-1")
_COUNT = load(__file__, "count_calls-1")
_LEAVE = load(__file__, "leave_place-1")


class Places:
    """Raises redis.exceptions.RedisError when Redis is away. Every act may be repeated."""

    def __init__(self, redis: Redis, settings: Settings, clock: Clock) -> None:
        self._redis, self._clock = redis, clock
        self._prefix = settings.redis_prefix
        self._grace_s, self._window_s = settings.redial_grace_s, settings.burst_window_s
        self._cipher = open_cipher(settings)

    async def take(self, number: str, call_id: str, seat_id: str, joined_at: float) -> str:
        """The place is this call's; the id of the call of the same number that waited until now, or empty."""
        if not number:
            return ""
        arguments = (call_id, seat_id, repr(joined_at), KEPT_S)
        return str(await _TAKE.run(self._redis, (self._key(number, "place"),), *arguments))

    async def leave(self, number: str, call_id: str, *, may_come_back: bool) -> bool:
        """The call has left the line. False when the place was another call's already."""
        if not number:
            return False
        grace = str(int(self._grace_s)) if may_come_back else "0"
        return bool(await _LEAVE.run(self._redis, (self._key(number, "place"),), call_id, self._clock(), grace))

    async def find(self, number: str, call_id: str) -> Place | None:
        """The place that this number holds by another call than this one."""
        if not number:
            return None
        fields: Any = await self._redis.hgetall(self._key(number, "place"))
        if not fields or fields["call_id"] == call_id:
            return None
        left_at = float(fields["left_at"] or 0)
        if left_at and self._clock() - left_at > self._grace_s:
            return None
        return Place(fields["call_id"], fields["seat_id"], float(fields["joined_at"]), left_at)

    async def count(self, number: str, call_id: str) -> int:
        """Calls of this number in the last minutes, this one counted once. 0 for a withheld number."""
        if not number:
            return 0
        arguments = (call_id, self._clock(), self._window_s)
        return int(await _COUNT.run(self._redis, (self._key(number, "calls"),), *arguments))

    def _key(self, number: str, name: str) -> str:
        return shard_key(self._prefix, f"number:{self._cipher.hash_number(number)[:_HASH_LENGTH]}", name)
