"""A lease in Redis: of all processes that want the same part, one has it, and loses it when it falls silent."""

import os
import secrets
import socket

from redis.asyncio import Redis

from config import scripts

_HOLD = scripts.load(__file__, "hold-1")
_RELEASE = scripts.load(__file__, "release-1")


async def is_first(redis: Redis, name: str, seconds: float, mine: str) -> bool:
    """True for one of all who come to `name` within `seconds`, each with a name of its own (`mine`); also when the question is
    repeated because the answer was lost, which a plain SET NX would answer untruly. Raises redis.exceptions.RedisError."""
    return bool(await _HOLD.run(redis, (name,), mine, max(1, int(seconds * 1000))))


async def give_back(redis: Redis, name: str, mine: str) -> None:
    """Whoever comes next is the first again; nothing when `mine` is not. Raises redis.exceptions.RedisError."""
    await _RELEASE.run(redis, (name,), mine)


class Lease:
    """One process's claim to the part `name`. Every method raises redis.exceptions.RedisError while Redis is away."""

    def __init__(self, redis: Redis, name: str, seconds: float) -> None:
        self._redis, self._name, self._seconds = redis, name, seconds
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"

    async def hold(self) -> bool:
        """Take it, or keep it: True while it is ours for another `seconds`."""
        return await is_first(self._redis, self._name, self._seconds, self.owner)

    async def release(self) -> None:
        """Give it back at once, so that a standby need not wait."""
        await give_back(self._redis, self._name, self.owner)
