"""Jobs, the cron table and whole calls on a real Redis and an SQLite file, workers as real processes."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from calls.assembly import Core, build
from config.columns import from_unix
from config.settings import Settings
from sessions.calendar import Calendar
from sessions.model import Session
from sessions.plan import Plan, PlannedSeat
from tests.clocks import SetClock
from tests.tables import bring_up

#: Of a session.
LENGTH_S = 7200.0


@pytest.fixture
async def core(settings: Settings, redis: Redis, clock: SetClock) -> AsyncIterator[Core]:
    """Everything a process works with, on an empty Redis and a database with all tables."""
    settings.recordings.mkdir(parents=True)
    core = build(settings, clock)
    await bring_up(core.database)
    yield core
    await core.close()


@pytest.fixture
async def session(core: Core, clock: SetClock) -> Session:
    """A session that is due in ten seconds."""
    opens = from_unix(clock() + 10)
    seat = PlannedSeat(unit="市住建局", leader="王局长", line_asterisk="sip:leader@127.0.0.1:5080")
    return await Calendar(core.database, clock).plan(
        Plan(opens_at=opens, closes_at=opens + timedelta(seconds=LENGTH_S), seats=(seat,))
    )
