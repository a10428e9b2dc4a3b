"""How often something may be tried, counted in Redis, so that all api processes count together."""

from redis.asyncio import Redis

from config.settings import Settings

#: Wrong tries of one account, and of one address, within the window. An address may be a whole hall behind one router.
TRIES_OF_LOGIN, TRIES_OF_ADDRESS = 5, 30
WINDOW_S = 900


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
        tries = await self._redis.incr(key)
        if tries == 1:
            await self._redis.expire(key, window_s)
        if tries > most:
            raise TooManyTries(max(1, int(await self._redis.ttl(key))))

    async def forget(self, kind: str, name: str) -> None:
        """It went well: counting begins anew."""
        await self._redis.delete(f"{self._prefix}tries:{kind}:{name}")

    async def first_use(self, kind: str, name: str, window_s: int) -> bool:
        """True for the first who comes with this name within the window."""
        return bool(await self._redis.set(f"{self._prefix}used:{kind}:{name}", "1", nx=True, ex=window_s))
