"""One prepared folder of prompts for all installations, one installation for each test that asks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from config.native import native_dir
from tests.system.installation import Installation, prepare_shared
from tests.system.watch import BRISK


@pytest.fixture(scope="session")
def shared() -> Path:
    return asyncio.run(prepare_shared(native_dir().parent / "tests"))


@pytest.fixture
async def house(tmp_path: Path, shared: Path) -> AsyncIterator[Installation]:
    async with Installation(tmp_path / "hotline", shared) as installation:
        yield installation


@asynccontextmanager
async def brisk(folder: Path, shared: Path, **extra: str) -> AsyncIterator[Installation]:
    """An installation whose callers need not be silent for long."""
    async with Installation(folder / "hotline", shared, {**BRISK, **extra}) as installation:
        yield installation


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def brisk_house(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> AsyncIterator[Installation]:
    """One for all tests of a module; each holds a session of its own."""
    async with brisk(tmp_path_factory.mktemp("house"), shared) as installation:
        yield installation
