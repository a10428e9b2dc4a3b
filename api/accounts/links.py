"""One-time sign-in links: expire, and work once."""

import secrets
from hashlib import sha256

from redis.asyncio import Redis

from config.settings import Settings


class Links:
    """Only the digest of a link is kept."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._redis, self._settings = redis, settings

    async def issue(self, account_id: str) -> str:
        """The address of a new link."""
        token = secrets.token_urlsafe(24)
        await self._redis.set(self._key(token), account_id, ex=int(self._settings.link_valid_s))
        return f"{self._settings.effective_public_url}/sign-in/link/{token}"

    async def is_good(self, token: str) -> bool:
        """It would work now. Looking does not use it up: programs that preview links look, too."""
        return bool(await self._redis.exists(self._key(token)))

    async def use(self, token: str) -> str:
        """The account it is for; empty when it was used or has expired."""
        return str(await self._redis.getdel(self._key(token)) or "")

    def _key(self, token: str) -> str:
        return f"{self._settings.redis_prefix}link:{sha256(token.encode()).hexdigest()}"
