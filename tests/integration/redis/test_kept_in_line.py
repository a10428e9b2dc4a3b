"""Callers who keep their place: how many there are is known for the forecast, and they are not counted as waiting on the phone."""

import pytest
from redis.asyncio import Redis

from calls.outlook import LineNow, Outlook
from config.settings import Settings
from queueing.depth import Depths
from queueing.line import Line
from tests.clocks import SetClock

SEAT = "s1"


async def test_those_who_keep_a_place_are_known_until_they_leave(redis: Redis, settings: Settings, clock: SetClock) -> None:
    line, outlook, depths = Line(redis, settings, clock), Outlook(redis, settings, clock), Depths(redis, settings, clock)

    async def look() -> LineNow:
        return (await outlook.look([SEAT]))[0]

    for number in range(3):
        await line.join(SEAT, f"a-{number}", 1000.0 + number, 1)
    for number in (0, 1):
        await line.mark(SEAT, f"a-{number}", "callback")
        await line.mark(SEAT, f"a-{number}", "callback")  # told twice
    assert ((await look()).depth, (await look()).kept, (await look()).pace.kept) == (3, 2, 2)
    await depths.sample(SEAT)
    clock.pass_by(10.0)
    await depths.sample(SEAT)
    assert (await look()).pace.waited_s == pytest.approx(10.0), "of the three, one is on the phone"
    await line.mark(SEAT, "a-1", "")
    assert (await look()).kept == 1, "back on the phone"
    await line.leave(SEAT, "a-0", "callback", 2)
    assert ((await look()).depth, (await look()).kept, (await look()).pace.kept) == (2, 0, 2)
