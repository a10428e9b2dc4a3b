"""Redis dies, stays away, or comes back empty, with callers in the middle of it."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from redis.exceptions import RedisError

from telephony.demo.scenarios import Citizen, Leader
from tests.system.callers import (
    WatchedLeader,
    by_moment,
    channels,
    end_all,
    line_of,
    nodes,
    order,
    until_closed,
    until_nodes,
    until_order,
    until_orders,
)
from tests.system.crowd import citizens, numbers
from tests.system.installation import Installation
from tests.waiting import until

WAITS = ((1.0, "1"),)


@pytest.fixture
async def house(tmp_path: Path, shared: Path) -> AsyncIterator[Installation]:
    extra = {"HOTLINE_ASK_TIMEOUT_S": "90", "HOTLINE_MESSAGE_MAX_S": "5", "HOTLINE_FIRST_LEASE_S": "8",
             "HOTLINE_CHANNEL_LEASE_S": "60"}  # fmt: skip
    async with Installation(tmp_path / "hotline", shared, extra) as installation:
        yield installation


async def ready(house: Installation) -> bool:
    return (await house.http.get("/readyz")).status_code == 200


async def unready(house: Installation) -> dict[str, str] | None:
    """What `/readyz` says is missing."""
    response: httpx.Response = await house.http.get("/readyz")
    return response.json() if response.status_code == 503 else None


async def alive(house: Installation) -> bool:
    try:
        return bool(await house.core.redis.ping())
    except (RedisError, OSError):
        return False


async def test_given_a_talk_and_a_line_when_redis_dies_and_comes_back_then_nobody_notices(
    house: Installation, tmp_path: Path
) -> None:
    leader = WatchedLeader(tmp_path / "leader", Leader(ring_s=0.2, talk_s=300))
    session_id, seat_id = await house.open_session(leader.address)
    waiting = Citizen(callers=numbers(0, 5), keys=WAITS, stay_s=200)
    asked = Citizen(callers=numbers(50, 2), stay_s=200)
    async with (
        leader.phone,
        citizens(house, tmp_path / "w", waiting, 5),
        citizens(house, tmp_path / "q", asked, 2),
    ):
        before = await until_nodes(house, talking=1, waiting=4, question=2)
        line = await line_of(house, seat_id, 4)
        house.redis.kill()
        await until(lambda: unready(house), 40)
        await asyncio.to_thread(house.redis.start)
        await until(lambda: alive(house), 30)
        await until(lambda: ready(house), 40)
        await until(lambda: same(house, before), 40, "everybody where they were")
        await until_order(house, seat_id, line)
        await until(lambda: on_the_line(house, 8), 20, "eight channels")
        assert leader.rung == 1
        await end_all(house)
        assert await until_closed(house, session_id, 7) == {"talked": 1, "abandoned": 6}
        await until_orders(house, 5)


async def test_given_redis_away_for_long_when_new_callers_come_then_they_hear_an_apology_and_are_accounted_for(
    house: Installation, tmp_path: Path
) -> None:
    session_id, seat_id = await house.open_session("sip:nobody@127.0.0.1:9", sign_in=False)
    waiting = Citizen(callers=numbers(0, 4), keys=WAITS, stay_s=200)
    late = Citizen(callers=numbers(80, 3), stay_s=90)
    async with citizens(house, tmp_path / "w", waiting, 4):
        before = await until_nodes(house, waiting=4)
        line = await line_of(house, seat_id, 4)
        house.redis.kill()
        async with citizens(house, tmp_path / "l", late, 3) as newcomers:
            said = await until(lambda: unready(house), 40) or {}
            assert said["redis"] != "ok"
            assert said["database"] == "ok"
            await newcomers.done(80)  # sorry, message, thanks: more than twenty seconds
        await until(lambda: len(list((house.folder / "spool").glob("a-*.wav"))) == 3, 20, "three messages")
        await until(lambda: on_the_line(house, 4), 20, "four channels")
        await asyncio.to_thread(house.redis.start)
        await until(lambda: ready(house), 40)
        await until(lambda: same(house, before), 40, "everybody where they were")
        await until_order(house, seat_id, line)
        await end_all(house)
        assert await until_closed(house, session_id, 7) == {"abandoned": 4, "fallback": 3}
        await until_orders(house, 7, "dispatched")
        await until(lambda: not list((house.folder / "spool").iterdir()), 20, "nothing left in the spool")


@pytest.mark.parametrize("bridge_runs", [True, False])
async def test_given_a_talk_and_a_line_when_redis_loses_everything_then_all_is_put_back_from_the_channels(
    house: Installation, tmp_path: Path, bridge_runs: bool
) -> None:
    leader = WatchedLeader(tmp_path / "leader", Leader(ring_s=0.2, talk_s=300))
    session_id, seat_id = await house.open_session(leader.address)
    waiting = Citizen(callers=numbers(0, 5), keys=WAITS, stay_s=200)
    speaking = Citizen(callers=numbers(50, 2), keys=((1.0, "2"), (3.0, "#")), stay_s=10)
    async with (
        leader.phone,
        citizens(house, tmp_path / "w", waiting, 5),
        citizens(house, tmp_path / "q", Citizen(callers=numbers(70, 1), stay_s=200), 1),
    ):
        before = await until_nodes(house, talking=1, waiting=4, question=1)
        line = await line_of(house, seat_id, 4)
        await until(lambda: remembered(house, before), 20, "the channels know of their calls")
        if not bridge_runs:
            await house.kill("bridge")
        await house.core.redis.flushall()
        if not bridge_runs:
            await house.start("bridge")
        await until(lambda: same(house, before), 40, "everybody where they were")

        found: list[object] = []

        async def put_back() -> bool:
            seat = await house.core.seats.state(seat_id)
            found[:] = seat.state, bool(seat.session_id), by_moment(await order(house, seat_id))
            return found == ["talking", True, by_moment(line)]

        try:
            await until(put_back, 40, "line and seat as before")
        except AssertionError as error:
            raise AssertionError(f"{error}: {found}, not {line}") from None
        await until(lambda: on_the_line(house, 7), 20, "seven channels")
        assert leader.rung == 1
        async with citizens(house, tmp_path / "m", speaking, 2) as newcomers:
            await newcomers.done(80)
        await end_all(house)
        assert await until_closed(house, session_id, 8) == {"talked": 1, "abandoned": 5, "work_order": 2}
        await until_orders(house, 7, "dispatched")


async def remembered(house: Installation, before: dict[str, str]) -> bool:
    """Asterisk was told where its callers are; that takes a moment."""
    rows = (await house.asterisk.command("core show channels concise")).splitlines()
    told = [await house.asterisk.command(f"core show channel {row.split('!')[0]}") for row in rows if "!" in row]
    return Counter(node for text in told for node in re.findall(r'"node":"(\w+)"', text)) == Counter(before.values())


async def on_the_line(house: Installation, count: int) -> bool:
    return await channels(house) == count


async def same(house: Installation, before: dict[str, str]) -> bool:
    return await nodes(house) == before
