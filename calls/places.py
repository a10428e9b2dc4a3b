"""The place a telephone number holds in a line: one a number, on whichever carrier, kept for a moment when the call drops.

The number is a keyed hash here and nothing else; withheld numbers hold no place that can be found again.
"""

from collections.abc import Awaitable
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
#: Whoever came back in time has the place as long as they listen to the question, at least.
ASKED_S = 600
#: So much of the hash names a number; nobody meets another one in it by chance.
_HASH_LENGTH = 32

_TAKE = load(__file__, "take_place-1")
_TOLD = load(__file__, "told_place-1")
_LOOK_UP = load(__file__, "look_up-2")
_LEAVE = load(__file__, "leave_place-1")


class Places:
    """Raises redis.exceptions.RedisError when Redis is away. Every act may be repeated."""

    def __init__(self, redis: Redis, settings: Settings, clock: Clock) -> None:
        self._redis, self._clock = redis, clock
        self._prefix = settings.redis_prefix
        self._grace_s, self._window_s = settings.redial_grace_s, settings.burst_window_s
        self._cipher = open_cipher(settings)

    async def take(self, number: str, call_id: str, seat_id: str, joined_at: float) -> list[str]:
        """The place is this call's; the ids of the calls of the same number that waited until now and have to be told, the same
        ones again until `told`."""
        if not number:
            return []
        arguments = (call_id, seat_id, repr(joined_at), KEPT_S)
        return str(await _TAKE.run(self._redis, (self._key(number, "place"),), *arguments)).split()

    async def told(self, number: str, call_id: str) -> None:
        """Whom `take` named for this call knows that the place is another call's now."""
        await _TOLD.run(self._redis, (self._key(number, "place"),), call_id)

    async def leave(self, number: str, call_id: str, *, may_come_back: bool) -> bool:
        """The call has left the line. False when the place was another call's already."""
        if not number:
            return False
        grace = str(int(self._grace_s + ASKED_S)) if may_come_back else "0"
        return bool(await _LEAVE.run(self._redis, (self._key(number, "place"),), call_id, self._clock(), grace))

    def begin_look(self, number: str, call_id: str, *, counted: bool) -> Awaitable[Any]:
        """Asks what `read_look` reads: a call that is `counted` counts once, however often it is asked."""
        tag = self._tag(number)
        keys = (shard_key(self._prefix, tag, "place"), shard_key(self._prefix, tag, "calls"))
        return _LOOK_UP.begin(self._redis, keys, call_id, self._clock(), self._window_s, "1" if counted else "0")

    def read_look(self, call_id: str, row: list[Any], since: float) -> tuple[Place | None, int]:
        """The place that the number holds by another call than this one, which came at `since` (Unix seconds), and its calls in
        the last minutes, this one included; 0 when this one was not counted."""
        count, other, seat_id, joined_at, left = row
        if not other or other == call_id:
            return None, count
        left_at = float(left or 0)
        if left_at and since - left_at > self._grace_s:
            return None, count
        return Place(other, seat_id, float(joined_at), left_at), count

    def _key(self, number: str, name: str) -> str:
        return shard_key(self._prefix, self._tag(number), name)

    def _tag(self, number: str) -> str:
        return f"number:{self._cipher.hash_number(number)[:_HASH_LENGTH]}"
