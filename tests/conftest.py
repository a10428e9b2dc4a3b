"""What every test may ask for: a Redis of its own (emptied for each test), settings that point to it, a clock to set."""

import os
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as examples
from redis.asyncio import Redis

from config.memory import look_seldom, settle
from config.redis import connect
from config.settings import Settings
from tests.clocks import SetClock
from tests.servers import RedisServer, redis_server

#: No test measures time: how long an example takes, or its making, says something of the machine only.
examples.register_profile("hotline", deadline=None, suppress_health_check=[HealthCheck.too_slow])
examples.load_profile("hotline")

#: Every server of the tests writes to disk at once. Where there is memory for it, they do not wait for the disk.
_MEMORY, _ROOM = Path("/dev/shm"), 4 << 30


look_seldom()  # hundreds of modules are imported next


def pytest_configure(config: pytest.Config) -> None:
    if not (config.option.basetemp or hasattr(config, "workerinput")) and _has_room():
        config.option.basetemp = _MEMORY / f"tests-{os.getpid()}"
        config.add_cleanup(lambda: shutil.rmtree(config.option.basetemp, ignore_errors=True))
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as in the background of a shell: what tests start would never hear Ctrl-C
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _has_room() -> bool:
    return _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM


#: Folders of tests that mostly wait: for people who speak, for leases that end, for servers that come back. Those with the
#: longest files come first, so that the run does not end with one worker that is not done.
WAITING = ("platform", "asterisk", "twilio", "growth", "system", "jobs")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that wait, files with a browser and all others are spread evenly over the run, so that those who run side by side
    want different things of the machine."""
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    kinds: dict[str, list[list[pytest.Item]]] = {}
    for path, file in files.items():
        kinds.setdefault(_kind(path), []).append(file)
    if "waits" in kinds:
        kinds["waits"].sort(key=lambda file: WAITING.index(file[0].path.parent.name))
    placed = [((n + 0.5) / len(alike), file) for alike in kinds.values() for n, file in enumerate(alike)]
    items[:] = chain.from_iterable(file for _, file in sorted(placed, key=lambda one: one[0]))


def pytest_collection_finish() -> None:
    """Modules and tests stay for the whole run: the collector need not look at them after each of 2,500 tests."""
    settle()


def _kind(path: Path) -> str:
    if path.parent.name in WAITING and "unit" not in path.parts:
        return "waits"
    return "browser" if path.parent.name == "console" else "computes"


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One server for all tests of this process; a test that kills its server starts one of its own."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def settings(shared_redis: RedisServer, tmp_path: Path) -> Settings:
    """Settings of an instance with a state directory and a Redis for this test alone."""
    return Settings(redis_url=shared_redis.url, state_dir=tmp_path / "state", _env_file=None)


@pytest.fixture
async def redis(settings: Settings) -> AsyncIterator[Redis]:
    """A connection to a server that holds nothing."""
    connection = connect(settings)
    await connection.flushall()
    yield connection
    await connection.aclose()


@pytest.fixture
def clock() -> SetClock:
    """A clock that stands still until the test moves it."""
    return SetClock()
