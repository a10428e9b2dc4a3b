"""Worker and cron as processes: they wait for Redis, survive its restart, and end when they are told to."""

import asyncio
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from calls.assembly import Core, build
from calls.job_names import FINISH_RECORDING
from config.clock import now
from config.columns import from_unix
from config.settings import Settings
from sessions.calendar import Calendar
from sessions.plan import Plan, PlannedSeat
from tests.parts import start_part
from tests.servers import RedisServer
from tests.tables import bring_up
from tests.waiting import until
from workorders import register
from workorders.intake import NewOrder, make_order


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that this test may kill."""
    server = RedisServer(tmp_path / "redis")
    server.start()
    yield server
    server.kill()


@pytest.fixture
def settings(own_redis: RedisServer, tmp_path: Path) -> Settings:
    return Settings(redis_url=own_redis.url, state_dir=tmp_path / "state", _env_file=None)


class Process:
    """`hotline <part>` as it runs in production."""

    def __init__(self, part: str, settings: Settings) -> None:
        settings.recordings.mkdir(parents=True, exist_ok=True)
        env = os.environ | {"HOTLINE_REDIS_URL": settings.redis_url, "HOTLINE_STATE_DIR": str(settings.state_dir)}
        self.part = start_part(part, environment=env, folder=settings.state_dir)

    async def end(self) -> int:
        self.part.terminate()
        return await asyncio.to_thread(self.part.wait, 60)

    def kill(self) -> None:
        self.part.kill()
        self.part.wait()


async def is_done_by_the_worker(core: Core, command_id: str) -> bool:
    """Makes an order and waits until it is dispatched."""
    order = await make_order(core.database, NewOrder(command_id=command_id, at=now(), source="web", unit="市水务局"))
    await core.queue.enqueue(FINISH_RECORDING, order.id)

    async def is_dispatched() -> bool:
        return (await register.get(core.database, order.id)).status == "dispatched"

    return await until(is_dispatched, 40, "the order dispatched")


async def test_cron_opens_what_is_due_also_after_redis_was_killed(settings: Settings, own_redis: RedisServer) -> None:
    core = build(settings)
    await bring_up(core.database)
    calendar = Calendar(core.database)
    own_redis.kill()
    cron = Process("cron", settings)
    try:
        seat = PlannedSeat(unit="市住建局", leader="王局长")
        opens = from_unix(now())
        session = await calendar.plan(Plan(opens_at=opens, closes_at=opens + timedelta(hours=2), seats=(seat,)))
        own_redis.start()

        async def is_open() -> bool:
            return (await calendar.get(session.id)).state == "open"

        await until(is_open, 30, "the session open")
        assert await cron.end() == 0
    finally:
        cron.kill()
        await core.close()


async def test_a_worker_goes_on_after_redis_was_killed_and_restarted(
    settings: Settings, own_redis: RedisServer
) -> None:
    core = build(settings)
    await bring_up(core.database)
    worker = Process("worker", settings)
    try:
        assert await is_done_by_the_worker(core, "c1")
        own_redis.kill()
        own_redis.start()
        assert await is_done_by_the_worker(core, "c2")
        assert await worker.end() == 0
    finally:
        worker.kill()
        await core.close()
