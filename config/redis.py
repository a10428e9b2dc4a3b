"""Connections to Redis or Valkey: one server, Sentinel or Cluster, each with a time limit on every call.

The URL decides: `redis://` `rediss://` `unix://`, `redis+sentinel://host:port,host:port/service/db`,
`redis+cluster://host:port,host:port`. A command may be sent twice after a lost connection, so every script of ours
can be repeated without harm, and answers the same (docs/adr/0042).
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import redis as blocking
from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ConnectionError as Unreachable
from redis.exceptions import RedisClusterException, RedisError

from config.settings import Settings
from config.shared import SharedRedis
from config.wire import Wire

#: A server on the same network that has not answered by then is not going to.
ANSWER_WITHIN_S = 3.0
CONNECT_WITHIN_S = 2.0
#: Repeats after a lost connection: together about a second, the time a server needs to restart.
RETRIES = 5
RETRY_FIRST_S = 0.02
RETRY_LONGEST_S = 0.5
#: A connection that was idle this long is tried before it is used.
IDLE_CHECK_S = 15
#: Of one process where tasks do not share one connection (TLS). Whoever finds none free waits for one: five hundred callers
#: who press a key at the same moment share these.
CONNECTIONS = 48
#: Where the pool cannot make them wait.
CONNECTIONS_WITHOUT_WAITING = 2000
DEFAULT_PORT = 6379
SENTINEL_PORT = 26379


def connect(settings: Settings) -> Redis:
    """The connection pool of this process; nothing is sent yet. Raises ValueError for a URL that is not understood."""
    return connect_url(settings.effective_redis_url)


def connect_url(url: str) -> Redis:
    """The same for a URL. A Cluster connection has the commands that we use of `Redis` and is returned as one."""
    parts = urlsplit(url)
    match parts.scheme:
        case "redis" | "unix":
            wire = Wire(_untyped(parse_url)(url), ANSWER_WITHIN_S, CONNECT_WITHIN_S)
            return SharedRedis(_waiting_pool(url, protocol=2), wire, _retry())
        case "rediss":
            return Redis.from_pool(_waiting_pool(url))
        case "redis+sentinel" | "rediss+sentinel":
            return _through_sentinel(parts)
        case "redis+cluster" | "rediss+cluster":
            return _to_cluster(parts)
        case other:
            raise ValueError(f"HOTLINE_REDIS_URL: the scheme {other!r} is not understood")


def connect_for_jobs(settings: Settings) -> blocking.Redis:
    """The blocking connection that RQ wants: raw bytes, one server or Sentinel. Raises ValueError for a Cluster."""
    parts = urlsplit(settings.effective_jobs_redis_url)
    limits: dict[str, Any] = {"socket_connect_timeout": CONNECT_WITHIN_S, "health_check_interval": IDLE_CHECK_S}
    if parts.scheme.endswith("+cluster"):
        raise ValueError("HOTLINE_JOBS_REDIS_URL: the job queue needs one server or Sentinel, not a Cluster")
    if parts.scheme.endswith("+sentinel"):
        service, database = _service(parts)
        watchers: Any = _untyped(blocking.Sentinel)(_nodes(parts, SENTINEL_PORT), sentinel_kwargs=limits)
        login = {"username": _text(parts.username), "password": _text(parts.password)}
        master: blocking.Redis = watchers.master_for(service, db=database, **login, **limits)
        return master
    return blocking.Redis.from_url(settings.effective_jobs_redis_url, **limits)


async def health(connection: Redis) -> str:
    """`ok`, or in one word what is wrong. Never raises for a server that is away."""
    try:
        await _untyped(connection.execute_command)("PING")
    except (RedisError, OSError) as error:
        return type(error).__name__
    return "ok"


def shard_key(prefix: str, tag: str, *names: str) -> str:
    """`hotline:{c07}:call:x`: keys with the same tag live in the same slot of a Cluster."""
    return f"{prefix}{{{tag}}}:{names[0] if len(names) == 1 else ':'.join(names)}"


def _waiting_pool(url: str, **more: Any) -> BlockingConnectionPool:
    options = {**_options(), **more}
    return BlockingConnectionPool.from_url(url, max_connections=CONNECTIONS, timeout=ANSWER_WITHIN_S, **options)


class _ThroughSentinel(Redis):
    """The master of the moment. Closing it closes the connections to the sentinels, too."""

    watchers: Sequence[Redis] = ()

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        await super().aclose(close_connection_pool)
        for watcher in self.watchers:
            await watcher.aclose()


def _through_sentinel(parts: SplitResult) -> Redis:
    service, database = _service(parts)
    limits = {"socket_timeout": ANSWER_WITHIN_S, "socket_connect_timeout": CONNECT_WITHIN_S}
    watchers: Any = _untyped(Sentinel)(_nodes(parts, SENTINEL_PORT), sentinel_kwargs=limits)
    login = {"username": _text(parts.username), "password": _text(parts.password)}
    encrypted = {"ssl": True} if parts.scheme.startswith("rediss") else {}
    master: _ThroughSentinel = watchers.master_for(
        service,
        redis_class=_ThroughSentinel,
        db=database,
        max_connections=CONNECTIONS_WITHOUT_WAITING,
        **login,
        **encrypted,
        **_options(),
    )
    master.watchers = watchers.sentinels
    return master


class _Cluster(RedisCluster):
    """Says that nobody answers as a single server does: redis-py's own error for it is no RedisError."""

    async def initialize(self, *given: Any, **named: Any) -> Any:
        try:
            await super().initialize(*given, **named)
        except RedisClusterException as error:
            raise Unreachable(str(error)) from error
        return self


def _to_cluster(parts: SplitResult) -> Redis:
    nodes = [ClusterNode(host, port) for host, port in _nodes(parts, DEFAULT_PORT)]
    options = _options()
    cluster: Any = _Cluster(
        startup_nodes=nodes,
        username=_text(parts.username),
        password=_text(parts.password),
        ssl=parts.scheme.startswith("rediss"),
        decode_responses=True,
        max_connections=CONNECTIONS_WITHOUT_WAITING,
        socket_timeout=options["socket_timeout"],
        socket_connect_timeout=options["socket_connect_timeout"],
    )
    connection: Redis = cluster
    return connection


def _options() -> dict[str, Any]:
    return {
        "decode_responses": True,
        # A value that somebody damaged must reach the code that recognises it, not break the connection's reader.
        "encoding_errors": "replace",
        "socket_timeout": ANSWER_WITHIN_S,
        "socket_connect_timeout": CONNECT_WITHIN_S,
        "health_check_interval": IDLE_CHECK_S,
        "retry": _retry(),
    }


def _retry() -> Retry:
    return Retry(ExponentialWithJitterBackoff(base=RETRY_FIRST_S, cap=RETRY_LONGEST_S), RETRIES)


def _nodes(parts: SplitResult, default_port: int) -> list[tuple[str, int]]:
    hosts = parts.netloc.rpartition("@")[2]
    nodes = []
    for host in filter(None, hosts.split(",")):
        name, colon, port = host.rpartition(":")
        nodes.append((name, int(port)) if colon else (host, default_port))
    if not nodes:
        raise ValueError("HOTLINE_REDIS_URL names no host")
    return nodes


def _service(parts: SplitResult) -> tuple[str, int]:
    service, _, database = parts.path.strip("/").partition("/")
    if not service:
        raise ValueError("HOTLINE_REDIS_URL: redis+sentinel:// needs the service's name after the hosts")
    return service, int(database or 0)


def _untyped(callable_without_types: Any) -> Any:
    """redis-py has no types for these."""
    return callable_without_types


def _text(value: str | None) -> str | None:
    return unquote(value) if value else None
