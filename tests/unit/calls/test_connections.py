"""Redis URLs, and servers that are away or never answer."""

import asyncio
import time

import pytest
from redis.asyncio import RedisCluster
from redis.asyncio.sentinel import SentinelConnectionPool

from config import redis as connections
from config.redis import connect_for_jobs, connect_url, health
from config.settings import Settings
from tests.servers import free_port


@pytest.mark.parametrize("url", ["redis://127.0.0.1:7000/2", "rediss://u:p@host/0", "unix:///run/redis.sock?db=1"])
async def test_one_server(url: str) -> None:
    connection = connect_url(url)
    options = connection.connection_pool.connection_kwargs
    assert options["socket_timeout"] == connections.ANSWER_WITHIN_S
    assert options["decode_responses"]
    await connection.aclose()


async def test_sentinel() -> None:
    connection = connect_url("redis+sentinel://:se%40cret@10.0.0.1:26379,10.0.0.2/hotline/3")
    pool = connection.connection_pool
    assert isinstance(pool, SentinelConnectionPool)
    assert pool.service_name == "hotline"
    assert pool.connection_kwargs["db"] == 3
    assert pool.connection_kwargs["password"] == "se@cret"
    await connection.aclose()


async def test_cluster() -> None:
    connection: object = connect_url("redis+cluster://127.0.0.1:7000,127.0.0.1:7001")
    assert isinstance(connection, RedisCluster)


@pytest.mark.parametrize("url", ["http://x", "redis+sentinel://host:1", "redis+cluster://"])
def test_a_url_that_cannot_work_names_the_setting(url: str) -> None:
    with pytest.raises(ValueError, match="HOTLINE_REDIS_URL"):
        connect_url(url)


def test_jobs_refuse_a_cluster() -> None:
    with pytest.raises(ValueError, match="HOTLINE_JOBS_REDIS_URL"):
        connect_for_jobs(Settings(redis_url="redis+cluster://h:1", _env_file=None))


async def test_a_server_that_is_away_is_reported_and_not_raised() -> None:
    connection = connect_url(f"redis://127.0.0.1:{free_port()}/0")
    started = time.monotonic()
    assert await health(connection) == "ConnectionError"
    assert time.monotonic() - started < 5
    await connection.aclose()


async def test_a_server_that_never_answers_does_not_hold_up_anybody_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "ANSWER_WITHIN_S", 0.1)
    monkeypatch.setattr(connections, "RETRIES", 1)
    gone = asyncio.Event()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await gone.wait()
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    connection = connect_url(f"redis://127.0.0.1:{port}/0")
    assert await health(connection) == "TimeoutError"
    await connection.aclose()
    gone.set()
    server.close()
    await server.wait_closed()
