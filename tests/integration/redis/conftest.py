"""What tests of calls in Redis share."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from calls.assembly import Core, build
from config.settings import Settings
from tests.clocks import SetClock
from tests.doubles.bench import Process, process
from tests.doubles.books import Books
from tests.tables import upgrade


@pytest.fixture
async def core(redis: Redis, settings: Settings, clock: SetClock) -> AsyncIterator[Core]:
    """All of it over an empty Redis and a database with all tables."""
    settings.state_dir.mkdir(parents=True)
    await asyncio.to_thread(upgrade, settings.effective_database_url)
    made = build(settings, clock)
    yield made
    await made.close()


@pytest.fixture
def books() -> Books:
    """What was performed, for tests without a database."""
    return Books()


@pytest.fixture
async def ours(redis: Redis, settings: Settings, clock: SetClock, books: Books) -> AsyncIterator[Process]:
    """A process that writes into these books."""
    made = process(redis, settings, clock, books)
    yield made
    await made.outbox.idle()
