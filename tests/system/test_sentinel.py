"""Every part a process under Sentinel. The master is killed with callers everywhere, and the replica that takes over lacks what was
written last: a talk that began, a caller who joined. Nobody notices, and all are served in order."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import pytest
from redis.exceptions import RedisError

from tests.integration.growth.servers import FAILOVER_WITHIN_S, Watched, watched
from tests.phones import hearing
from tests.phones.baresip import Phone
from tests.system.callers import checked, line_of, order, until_orders
from tests.system.conftest import brisk
from tests.system.installation import Installation
from tests.system.joining import hang_up_and_keep_the_place, is_asked, put_through, wait_in_line
from tests.system.watch import accounted, kinds, reaches, seat_is, session
from tests.waiting import until

LEADER_HZ = 900.0
#: Quieter than any second of the hold music.
SILENCE = 100.0


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Watched]:
    with watched(tmp_path / "redis") as found:
        yield found


@pytest.fixture
async def citizen(tmp_path: Path) -> AsyncIterator[Phone]:
    async with Phone(tmp_path / "citizen", "13812345678") as phone:
        yield phone


@pytest.fixture
async def house(servers: Watched, citizen: Phone, tmp_path: Path, shared: Path) -> AsyncIterator[Installation]:
    settings = {
        "HOTLINE_REDIS_URL": servers.url, "HOTLINE_CALLBACK_LINE": citizen.address, "HOTLINE_ASK_TIMEOUT_S": "120",
    }  # fmt: skip
    async with brisk(tmp_path, shared, **settings) as installation:
        yield installation


async def test_given_callers_everywhere_when_a_replica_takes_over_that_lacks_the_last_turns_then_nobody_notices(
    house: Installation, servers: Watched, citizen: Phone, tmp_path: Path
) -> None:
    async with (
        Phone(tmp_path / "leader", "leader", tone_hz=LEADER_HZ) as leader,
        Phone(tmp_path / "talks", "13812340001") as talks,
        Phone(tmp_path / "presses", "13812340002") as presses,
        Phone(tmp_path / "joins", "13812340003") as joins,
        session(house, leader.address) as (session_id, seat_id),
    ):
        await house.post(f"/api/seats/{seat_id}/pause", {"reason": "not yet"})
        first = await wait_in_line(house, talks)
        second = await hang_up_and_keep_the_place(house, citizen)
        third = await wait_in_line(house, presses)
        fourth = await is_asked(house, joins)
        citizen.events.clear()

        servers.cut_replica()
        await house.post(f"/api/seats/{seat_id}/resume")
        await put_through(house, leader, seat_id)
        await joins.press("1")
        await reaches(house, fourth, "waiting")
        line = await line_of(house, seat_id, 3)
        since = presses.heard().size
        servers.master.kill()
        await until(servers.misses_master, FAILOVER_WITHIN_S, "the master is missed")
        assert quietest_second(presses.heard()[since:]) > SILENCE, "who waits hears the music go on"
        await presses.press("2")
        await until(lambda: is_at(house, third, "message"), FAILOVER_WITHIN_S, "the key is answered")
        await presses.hang_up()
        await until(lambda: is_at(house, first, "talking"), 20, "the talk as it was")
        await seat_is(house, seat_id, "talking")
        left = [one for one in line if one[0] != third]
        await until(lambda: stands(house, seat_id, left), 20, "the line as it was")
        await talks.hears_tone(LEADER_HZ)

        leader.events.clear()
        await leader.hang_up()
        await citizen.until("CALL_INCOMING", 40)
        await citizen.answer()
        await reaches(house, second, "screening", 40)
        await citizen.press("1")
        await put_through(house, leader, seat_id)
        await joins.hang_up()
        await leader.hang_up()
        ends = {"talked": 1, "callback": 1, "work_order": 1, "abandoned": 1}
        assert await accounted(house, session_id, 4, 40) == ends
        await until_orders(house, 4, "dispatched")
        assert await house.core.redis.pubsub_channels("rq:*") == [], "RQ would look for the dead master for ever"
        check = await until(lambda: checked(house, session_id), 60, "the check against Asterisk's records")
        assert (check["calls"], check["missing"], check["asterisk"]) == (4, [], "ok")
        restored = {call for call in (first, third, fourth) if "restored" in kinds(await house.get(f"/api/calls/{call}"))}
        assert restored == {first, fourth}, "what the replica lacked, and nothing else"
    report = await house.get(f"/api/sessions/{session_id}/report")
    assert (report["served_order"], report["deviations"]) == ([first, second], [])


async def is_at(house: Installation, call_id: str, node: str) -> bool:
    """Asked while there is no master."""
    try:
        call = await house.core.calls.get(call_id)
    except (RedisError, OSError):
        return False
    return call is not None and call.node == node


async def stands(house: Installation, seat_id: str, line: list[tuple[str, float]]) -> bool:
    return await order(house, seat_id) == line


def quietest_second(samples: hearing.Samples) -> float:
    """Its loudness, as the root of the mean square."""
    whole = samples[: samples.size // hearing.RATE * hearing.RATE].astype(np.float64).reshape(-1, hearing.RATE)
    return float(np.sqrt((whole**2).mean(axis=1)).min())
