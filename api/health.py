"""Is each part there? Every check answers within two seconds and says what to do when it does not."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import msgspec
from msgspec import Struct
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from calls.enqueue import queue_names
from config.database import Database, DatabaseUnavailable
from config.migrate import check
from config.redis import connect_url
from config.settings import Settings

#: A load balancer asks every few seconds and gives up soon.
CHECK_S = 2.0
#: A worker writes its heartbeat at least this often (RQ's default maintenance and job timeouts allow 7 minutes).
WORKER_SILENT_S = 480.0

Check = Callable[[], Awaitable[str]]


class Unready(Exception):
    """A part is not ready; the text says what to do."""


class Heartbeat(Struct):
    """What a bridge writes into `<prefix>health:bridge:<node>`, with an expiry."""

    at: float
    state: str
    detail: str = ""


async def check_parts(settings: Settings, redis: Redis, database: Database) -> tuple[dict[str, str], dict[str, str]]:
    """State of each part (`ok`, `off` or `failed`), and for each failed part what to do."""
    checks: dict[str, Check] = {
        "database": lambda: _check_database(database),
        "redis": lambda: _check_redis(redis),
        "asterisk": lambda: _check_asterisk(settings, redis),
        "worker": lambda: _check_worker(settings, redis),
    }
    answers = await asyncio.gather(*(_run(check) for check in checks.values()))
    states = {name: state for name, (state, _) in zip(checks, answers, strict=True)}
    todo = {name: advice for name, (_, advice) in zip(checks, answers, strict=True) if advice}
    return states, todo


async def _run(check: Check) -> tuple[str, str]:
    try:
        async with asyncio.timeout(CHECK_S):
            return await check(), ""
    except Unready as reason:
        return "failed", str(reason)
    except TimeoutError:
        return "failed", f"no answer within {CHECK_S:.0f} s; see `hotline doctor`"
    except (RedisError, OSError):
        return "failed", "Redis does not answer; start it or set HOTLINE_REDIS_URL, see `hotline doctor`"
    except SQLAlchemyError:
        return "failed", "the database does not answer or has no tables; see `hotline doctor`"


async def _check_database(database: Database) -> str:
    try:
        await check(database)
        await database.check_writable()
    except DatabaseUnavailable as error:
        raise Unready(str(error)) from error
    return "ok"


async def _check_redis(redis: Redis) -> str:
    await redis.ping()
    return "ok"


async def _check_asterisk(settings: Settings, redis: Redis) -> str:
    if settings.asterisk == "off":
        return "off"
    heartbeat = await redis.get(f"{settings.redis_prefix}health:bridge:{settings.pbx_node}")
    if heartbeat is None:
        raise Unready("no bridge has reported; start `hotline bridge` (or `hotline up`)")
    beat = msgspec.json.decode(heartbeat, type=Heartbeat)
    if beat.state != "ok":
        raise Unready(f"the bridge reports {beat.state}: {beat.detail}"[:300])
    return "ok"


async def _check_worker(settings: Settings, redis: Redis) -> str:
    quick, _ = queue_names(settings)
    if not await is_worked_on(settings, redis, quick, WORKER_SILENT_S):
        raise Unready("no worker is alive; start `hotline worker` (or `hotline up`)")
    return "ok"


async def is_worked_on(settings: Settings, redis: Redis, queue: str, silent_s: float) -> bool:
    """Whether a worker that takes from this queue was heard of lately. Raises RedisError."""
    if not settings.jobs_redis_url:
        return await _is_heard(redis, queue, silent_s)
    async with connect_url(settings.jobs_redis_url) as connection:
        return await _is_heard(connection, queue, silent_s)


async def _is_heard(redis: Redis, queue: str, silent_s: float) -> bool:
    for name in await redis.smembers("rq:workers"):
        queues, beat = [_text(raw) for raw in await redis.hmget(name, "queues", "last_heartbeat")]
        if queue in queues.split(",") and time.time() - _read_moment(beat) <= silent_s:
            return True
    return False


def _text(raw: bytes | str | None) -> str:
    return raw.decode() if isinstance(raw, bytes) else raw or ""


def _read_moment(text_of_time: str) -> float:
    try:
        moment = datetime.fromisoformat(text_of_time)
    except ValueError:
        return 0.0
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
