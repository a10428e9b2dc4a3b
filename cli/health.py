"""`hotline health <part>`: exit code 0 when that part does its work. For the health checks of containers and services."""

import asyncio

from redis.exceptions import RedisError

from api.health import WORKER_SILENT_S, is_worked_on
from calls.enqueue import SLOW_TIMEOUT_S, queue_names
from cli.parts import ask, local_url, manager_greets
from config.redis import connect
from config.settings import Settings

PARTS = ("api", "asterisk", "bridge", "worker", "fetcher", "cron")

#: The word that /readyz has for a part of ours.
_READYZ = {"bridge": "asterisk", "worker": "worker"}


def run(settings: Settings, name: str) -> int:
    """0 healthy, 1 not."""
    return 0 if asyncio.run(is_healthy(settings, name)) else 1


async def is_healthy(settings: Settings, name: str) -> bool:
    """Asks the part itself where it listens, else whoever hears its heartbeat. Raises ValueError for an unknown one."""
    match name:
        case "api":
            return await ask(f"{local_url(settings)}/healthz") is not None
        case "asterisk":
            return await manager_greets("127.0.0.1", settings.effective_ami_port)
        case "bridge" | "worker":
            answer = await ask(f"{local_url(settings)}/readyz")
            return answer is not None and answer.json().get(_READYZ[name]) == "ok"
        case "fetcher":
            return await _fetches(settings)
        case "cron":
            return await _somebody_holds_the_lease(settings)
        case unknown:
            raise ValueError(f"no such part: {unknown}")


async def _fetches(settings: Settings) -> bool:
    """A worker that fetches recordings says nothing while it is at one."""
    _, slow = queue_names(settings)
    connection = connect(settings)
    try:
        return await is_worked_on(settings, connection, slow, SLOW_TIMEOUT_S + WORKER_SILENT_S)
    except (RedisError, OSError):
        return False
    finally:
        await connection.aclose()


async def _somebody_holds_the_lease(settings: Settings) -> bool:
    connection = connect(settings)
    try:
        return bool(await connection.exists(f"{settings.redis_prefix}cron"))
    except (RedisError, OSError):
        return False
    finally:
        await connection.aclose()
