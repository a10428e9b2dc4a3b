"""Being the one bridge that drives a node: the lease in Redis, and the certainty that this process was not stopped meanwhile."""

import asyncio

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from config.clock import pause
from config.lease import Lease
from config.settings import Settings

log = structlog.get_logger()

#: How often the process sees that it was not stopped itself.
AWAKE_EVERY_S = 0.1


class Tenure:
    """One bridge's. `driving` is set by the bridge while it drives."""

    def __init__(self, redis: Redis, key: str, settings: Settings) -> None:
        self._lease = Lease(redis, key, settings.bridge_lease_s)
        self._lease_s, self._node = settings.bridge_lease_s, settings.pbx_node
        self._awake_at = 0.0
        self.driving = False

    @property
    def owner(self) -> str:
        """Who we are, among all bridges."""
        return self._lease.owner

    def begin(self) -> None:
        """From now on this process drives."""
        self.driving, self._awake_at = True, asyncio.get_running_loop().time()

    async def hold(self) -> bool:
        """Ours? While Redis is away nobody else can take the node either: an active bridge goes on, and a standby gives it the
        time of a lease to come back first."""
        try:
            return await self._lease.hold()
        except (RedisError, OSError):
            if not self.driving:
                await asyncio.sleep(self._lease_s)
            return self.driving

    async def release(self) -> None:
        """For whoever stands by. Raises what Redis raises."""
        await self._lease.release()

    def may_act(self) -> bool:
        """False from the moment this process may have been stopped (or its machine have slept) for longer than its lease:
        another bridge may drive by now, and what was about to be said or done here is of yesterday."""
        return asyncio.get_running_loop().time() - self._awake_at < self._lease_s * 2 / 3

    async def stay_awake(self, lost: asyncio.Event) -> None:
        """Returns when this process did not run for too long."""
        while not await pause(lost, AWAKE_EVERY_S):
            if not self.may_act():
                log.warning("this bridge did not run for a while and gives the node back", node=self._node)
                return
            self._awake_at = asyncio.get_running_loop().time()

    async def keep(self, lost: asyncio.Event) -> None:
        """Returns when the node is somebody else's."""
        while not await pause(lost, self._lease_s / 3):
            if not await self.hold():
                log.warning("another bridge drives this node now", node=self._node)
                return
