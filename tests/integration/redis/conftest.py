"""What tests of calls in Redis share."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from calls.assembly import Core, build
from config.settings import Settings
from tests.clocks import SetClock
from tests.tables import upgrade


@pytest.fixture
async def core(redis: Redis, settings: Settings, clock: SetClock) -> AsyncIterator[Core]:
    """All of it over an empty Redis and a database with all tables."""
    settings.state_dir.mkdir(parents=True)
    await asyncio.to_thread(upgrade, settings.effective_database_url)
    made = build(settings, clock)
    yield made
    await made.close()
