"""How often something may be tried, counted in Redis, so that all api processes count together."""

from redis.asyncio import Redis

from config import scripts
from config.ids import new_id
from config.lease import is_first
from config.settings import Settings

#: Wrong tries of one account, and of one address, within the window. An address may be a whole hall behind one router.
TRIES_OF_LOGIN, TRIES_OF_ADDRESS = 5, 30
WINDOW_S = 900
_COUNT = scripts.load(__file__, "count-1")
_GIVE_BACK = scripts.load(__file__, "give_back-1")


class TooManyTries(Exception):
    """Wait. `seconds` says how long."""

    def __init__(self, seconds: int) -> None:
        super().__init__("too many tries")
        self.seconds = seconds


class Throttle:
    """Counts tries before they are made: parallel guesses do not slip through."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._redis, self._prefix = redis, settings.redis_prefix

    async def count(self, kind: str, name: str, most: int, window_s: int = WINDOW_S) -> None:
        """Count one try of `name`. Raises TooManyTries."""
        key = f"{self._prefix}tries:{kind}:{name}"
        tries, left_s = await _COUNT.run(self._redis, (key,), window_s)
        if tries > most:
            raise TooManyTries(max(1, int(left_s)))

    async def give_back(self, kind: str, name: str) -> None:
        """The try that was counted was a good one; those before it stay counted."""
        await _GIVE_BACK.run(self._redis, (f"{self._prefix}tries:{kind}:{name}",))

    async def forget(self, kind: str, name: str) -> None:
        """It went well: counting begins anew."""
        await self._redis.delete(f"{self._prefix}tries:{kind}:{name}")

    async def was_used(self, kind: str, name: str) -> bool:
        """Somebody came with this name within the window."""
        return bool(await self._redis.exists(f"{self._prefix}used:{kind}:{name}"))

    async def first_use(self, kind: str, name: str, window_s: int) -> bool:
        """True for the first who comes with this name within the window."""
        return await is_first(self._redis, f"{self._prefix}used:{kind}:{name}", window_s, new_id())
