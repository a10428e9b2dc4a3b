"""The second carrier against the strict cloud double: real Redis, real SQLite, real HTTP, no telephone."""

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import httpx
import pytest
from redis.asyncio import Redis

from config.settings import Settings
from tests.integration.twilio.town import ACCOUNT, ADMIN, NUMBER, TOKEN, Town, town
from tests.parts import run_part, start_part
from tests.servers import free_port, redis_server
from tests.waiting import until_now


@pytest.fixture
async def here(settings: Settings, redis: Redis) -> AsyncIterator[Town]:
    """A town in which nothing went wrong: the cloud found no fault with us."""
    async with town(settings) as running:
        yield running
        running.cloud.assert_faultless()


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """A whole api process that may be asked anything."""

    url: str
    token: str


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    port = free_port()
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        environment = {
            **os.environ, "HOTLINE_STATE_DIR": str(tmp_path_factory.mktemp("state")), "HOTLINE_REDIS_URL": server.url,
            "HOTLINE_HTTP_PORT": str(port), "HOTLINE_ADMIN_TOKEN": ADMIN, "HOTLINE_ASTERISK": "off",
            "HOTLINE_TWILIO_ACCOUNT_SID": ACCOUNT, "HOTLINE_TWILIO_AUTH_TOKEN": TOKEN, "HOTLINE_TWILIO_NUMBER": NUMBER,
            "HOTLINE_TWILIO_API_URL": "http://127.0.0.1:9", "HOTLINE_LOG_LEVEL": "error",
            "HOTLINE_OPERATORS_LINE": "sip:operators@127.0.0.1:9",
        }  # fmt: skip
        run_part("migrate", environment=environment)
        running = start_part("api", environment=environment)
        url = f"http://127.0.0.1:{port}"

        def answers() -> bool:
            try:
                return httpx.get(f"{url}/healthz", trust_env=False).is_success
            except httpx.TransportError:
                return False

        try:
            until_now(answers, 30.0, "the api")
            yield Fuzzed(url, ADMIN)
        finally:
            running.terminate()
            running.wait(15)
