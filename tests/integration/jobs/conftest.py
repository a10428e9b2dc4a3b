"""Jobs, the cron table and whole calls on a real Redis and an SQLite file, workers as real processes."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from calls.assembly import Core, build
from config.migrate import bring_up
from config.settings import Settings
from tests.clocks import SetClock


@pytest.fixture
async def core(settings: Settings, redis: Redis, clock: SetClock) -> AsyncIterator[Core]:
    """Everything a process works with, on an empty Redis and a database with all tables."""
    settings.recordings.mkdir(parents=True)
    core = build(settings, clock)
    await bring_up(core.database)
    yield core
    await core.close()
