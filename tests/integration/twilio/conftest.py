"""The second carrier against the strict cloud double: real Redis, real SQLite, real HTTP, no telephone."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from config.settings import Settings
from tests.integration.twilio.town import Town, town


@pytest.fixture
async def here(settings: Settings, redis: Redis) -> AsyncIterator[Town]:
    """A town in which nothing went wrong: the cloud found no fault with us."""
    async with town(settings) as running:
        yield running
        running.cloud.assert_faultless()
