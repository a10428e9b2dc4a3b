"""Two bridges on one Asterisk: one drives; when it falls silent the other takes over, and no caller notices."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from telephony.demo.scenarios import Citizen, Leader
from tests.phones import hearing
from tests.phones.baresip import Phone
from tests.system.callers import WatchedLeader, line_of, nodes, until_closed, until_nodes, until_order
from tests.system.crowd import citizens, numbers
from tests.system.installation import Installation
from tests.waiting import until

#: Guards against waiting for ever. That it takes five seconds at most is measured by `make bench`, on a machine of its own.
TAKEN_OVER_WITHIN_S = 20.0
LONGEST_GAP_S = 0.3
WAITS = ((1.0, "1"),)


@pytest.fixture
async def house(tmp_path: Path, shared: Path) -> AsyncIterator[Installation]:
    async with Installation(tmp_path / "hotline", shared, {"HOTLINE_CHANNEL_LEASE_S": "60"}) as installation:
        await installation.start("bridge", "second")
        log = installation.folder / "second.log"
        await until(lambda: "stands by" in log.read_text(), 30, "the second standing by")
        yield installation


def times_taken(house: Installation, name: str) -> int:
    return (house.folder / f"{name}.log").read_text().count('"asterisk is driven"')


async def until_taken(house: Installation, name: str, times: int) -> None:
    await until(lambda: times_taken(house, name) == times, TAKEN_OVER_WITHIN_S, f"{name} driving")


def longest_silence(samples: hearing.Samples) -> float:
    """Seconds, in stretches of 20 ms."""
    frames = samples[: samples.size // 160 * 160].reshape(-1, 160)
    longest = run = 0
    for loud in np.sqrt((frames**2).mean(axis=1)) > 1.0:
        run = 0 if loud else run + 1
        longest = max(longest, run)
    return longest * 0.02


async def test_given_two_bridges_when_the_one_that_drives_is_killed_then_the_other_takes_over_and_the_music_goes_on(
    house: Installation, tmp_path: Path
) -> None:
    leader = WatchedLeader(tmp_path / "leader", Leader(ring_s=0.2, talk_s=300))
    session_id, seat_id = await house.open_session(leader.address)
    waiting = Citizen(callers=numbers(0, 4), keys=WAITS, stay_s=200)
    async with (
        leader.phone,
        citizens(house, tmp_path / "w", waiting, 4),
        Phone(tmp_path / "citizen", "13812345678") as citizen,
    ):
        await until_nodes(house, talking=1, waiting=3)
        await citizen.dial(house.service)
        await citizen.until("CALL_ESTABLISHED")
        await citizen.listen(1.0)
        await citizen.press("1")
        before = await until_nodes(house, talking=1, waiting=4)
        line = await line_of(house, seat_id, 4)
        await citizen.listen(12.0)  # what is said on joining is over, music plays
        mark = citizen.heard().size
        await house.kill("bridge")
        await until_taken(house, "second", 1)
        await citizen.listen(6.0)
        assert longest_silence(citizen.heard()[mark:]) < LONGEST_GAP_S
        assert await nodes(house) == before
        await until_order(house, seat_id, line)
        assert leader.rung == 1
        await citizen.press("2")  # and it is really driven
        await until_nodes(house, talking=1, waiting=3, message=1)
        await citizen.hang_up()
        await house.asterisk.command("channel request hangup all")
        assert await until_closed(house, session_id, 5) == {"talked": 1, "abandoned": 3, "work_order": 1}


async def test_given_two_bridges_when_the_one_that_drives_is_stopped_then_it_hands_over_at_once(
    house: Installation, tmp_path: Path
) -> None:
    await house.open_session("sip:nobody@127.0.0.1:9", sign_in=False)
    async with citizens(house, tmp_path / "w", Citizen(callers=numbers(0, 3), keys=WAITS, stay_s=200), 3):
        before = await until_nodes(house, waiting=3)
        house.processes["bridge"].terminate()
        await until_taken(house, "second", 1)
        assert await asyncio.to_thread(house.processes["bridge"].wait) == 0
        assert await nodes(house) == before


async def test_given_a_bridge_that_was_frozen_for_longer_than_its_lease_when_it_goes_on_then_it_does_nothing_more(
    house: Installation, tmp_path: Path
) -> None:
    leader = WatchedLeader(tmp_path / "leader", Leader(ring_s=0.2, talk_s=300))
    session_id, seat_id = await house.open_session(leader.address, sign_in=False)
    waiting = Citizen(callers=numbers(0, 4), keys=((1.0, "1"), (20.0, "2")), stay_s=90)
    async with leader.phone, citizens(house, tmp_path / "w", waiting, 4):
        await until_nodes(house, waiting=4)
        # A process that is frozen in the middle of a write holds the lock of SQLite's one file; that is not asked here.
        await until(lambda: books_are_written(house), 20, "the books written")
        frozen = house.processes["bridge"].pid
        os.kill(frozen, signal.SIGSTOP)
        await until_taken(house, "second", 1)
        await house.post(f"/api/seats/{seat_id}/open")
        await until_nodes(house, talking=1, waiting=3)
        # Keys come while it is frozen: it finds them in its socket when it goes on.
        before = await until_nodes(house, 45, talking=1, message=3)
        os.kill(frozen, signal.SIGCONT)
        log = house.folder / "bridge.log"
        await until(lambda: "gives the node back" in log.read_text(), 20)
        turns = {call_id: await seq(house, call_id) for call_id in before}
        assert {call_id: await seq(house, call_id) for call_id in before} == turns
        assert times_taken(house, "bridge") == 1
        assert leader.rung == 1
        await house.asterisk.command("channel request hangup all")
        assert await until_closed(house, session_id, 4) == {"talked": 1, "work_order": 3}
        assert times_taken(house, "bridge") == 1


async def books_are_written(house: Installation) -> bool:
    return (await house.core.outbox.lag()).lanes == 0


async def seq(house: Installation, call_id: str) -> int:
    call = await house.core.calls.get(call_id)
    assert call is not None
    return call.seq
