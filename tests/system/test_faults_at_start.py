"""What is wrong at the start is said in words: in the log, and by /readyz, which names the part."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from cli.parts import hotline_argv
from tests.servers import free_port
from tests.system.installation import Installation
from tests.system.watch import BRISK
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> AsyncIterator[Installation]:
    """Without a bridge: each test starts one of its own."""
    folder = tmp_path_factory.mktemp("house") / "hotline"
    async with Installation(folder, shared, BRISK, parts=("api", "worker")) as installation:
        await until(lambda: failed_parts(installation, ["asterisk"]), 30)
        yield installation


async def readiness(house: Installation) -> tuple[int, Any]:
    response = await house.http.get("/readyz")
    return response.status_code, response.json()


async def failed_parts(house: Installation, parts: list[str]) -> bool:
    status, answer = await readiness(house)
    return answer.get("failed", []) == parts and status == (503 if parts else 200)


async def says(house: Installation, part: str, *words: str) -> bool:
    """/readyz fails, and for this part it says so."""
    status, answer = await readiness(house)
    return status == 503 and part in answer["failed"] and all(word in answer["detail"] for word in words)


async def drives(house: Installation) -> None:
    """A bridge as it should be: the fault was the only thing wrong."""
    await house.start("bridge")
    await until(lambda: failed_parts(house, []), 40)
    await house.kill("bridge")
    await house.core.redis.delete(f"{house.settings.redis_prefix}health:bridge:{house.settings.pbx_node}")


async def test_given_a_wrong_manager_password_then_it_says_which_setting_to_check(house: Installation) -> None:
    await house.start("bridge", "stranger", HOTLINE_AMI_SECRET="wrong")
    await until(lambda: says(house, "asterisk", "HOTLINE_AMI_SECRET"), 30)
    assert "HOTLINE_AMI_SECRET" in (house.folder / "stranger.log").read_text()
    await house.kill("stranger")
    await drives(house)


async def test_given_no_asterisk_then_it_says_where_it_looked(house: Installation) -> None:
    port = str(free_port())
    await house.start("bridge", "seeker", HOTLINE_AMI_PORT=port)
    await until(lambda: says(house, "asterisk", port, "does not answer"), 30)
    assert "asterisk is out of reach" in (house.folder / "seeker.log").read_text()
    await house.kill("seeker")


async def test_given_no_place_for_recordings_then_it_says_so(house: Installation, tmp_path: Path) -> None:
    place = tmp_path / "recordings"
    place.write_text("a file, no folder")
    await house.start("bridge", "mute", HOTLINE_RECORDINGS_DIR=str(place))
    await until(lambda: says(house, "asterisk", "recordings", "HOTLINE_RECORDINGS_DIR"), 30)
    assert "recordings cannot be kept" in (house.folder / "mute.log").read_text()
    await house.kill("mute")


async def test_given_a_taken_port_then_the_api_does_not_start_and_names_it(house: Installation) -> None:
    process = await asyncio.create_subprocess_exec(
        *hotline_argv(), "api", env=house.environment(), stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(30):
        output, errors = await process.communicate()
    assert process.returncode
    assert str(house.settings.http_port) in (output + errors).decode()
    assert "Traceback" not in (output + errors).decode()


async def test_given_a_locked_database_then_it_says_so(house: Installation) -> None:
    holder = sqlite3.connect(house.folder / "hotline.db", isolation_level=None)
    try:
        holder.execute("BEGIN EXCLUSIVE")
        await until(lambda: says(house, "database", "locked"), 30)
    finally:
        holder.close()

    async def unlocked() -> bool:
        return bool((await readiness(house))[1].get("database") == "ok")

    await until(unlocked, 30)


async def test_given_no_redis_at_the_start_then_it_says_so_and_goes_on_when_it_comes(house: Installation) -> None:
    house.redis.stop()
    await house.start("bridge", "early")
    await until(lambda: says(house, "redis", "HOTLINE_REDIS_URL"), 30)
    house.redis.start()
    await until(lambda: failed_parts(house, []), 60)
    await house.kill("early")
