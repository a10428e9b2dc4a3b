"""One prepared folder of prompts for all installations, one installation for each test that asks."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from config.native import native_dir
from tests.system.installation import Installation, prepare_shared


@pytest.fixture(scope="session")
def shared() -> Path:
    return asyncio.run(prepare_shared(native_dir().parent / "tests"))


@pytest.fixture
async def house(tmp_path: Path, shared: Path) -> AsyncIterator[Installation]:
    async with Installation(tmp_path / "hotline", shared) as installation:
        yield installation
