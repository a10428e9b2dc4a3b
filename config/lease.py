"""A lease in Redis: of all processes that want the same part, one has it, and loses it when it falls silent."""

import os
import secrets
import socket

from redis.asyncio import Redis

from config import scripts

_HOLD = scripts.load(__file__, "hold-1")
_RELEASE = scripts.load(__file__, "release-1")


class Lease:
    """One process's claim to the part `name`. Every method raises redis.exceptions.RedisError while Redis is away."""

    def __init__(self, redis: Redis, name: str, seconds: float) -> None:
        self._redis, self._name, self._milliseconds = redis, name, max(1, int(seconds * 1000))
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"

    async def hold(self) -> bool:
        """Take it, or keep it: True while it is ours for another `seconds`."""
        return bool(await _HOLD.run(self._redis, (self._name,), self.owner, self._milliseconds))

    async def release(self) -> None:
        """Give it back at once, so that a standby need not wait."""
        await _RELEASE.run(self._redis, (self._name,), self.owner)
