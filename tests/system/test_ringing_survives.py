"""The bridge dies around the moment at which a leader is rung: one INVITE, one talk, nobody loses the place."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from telephony.asterisk import cdr
from telephony.demo.scenarios import Citizen, Leader
from tests.system.callers import (
    WatchedLeader,
    end_all,
    in_bridges,
    line_of,
    nodes,
    until_closed,
    until_nodes,
    until_order,
)
from tests.system.crowd import citizens, numbers
from tests.system.installation import Installation
from tests.system.watch import order_of, recording_of, seat_is
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

WAITS = ((1.0, "1"),)
#: A bridge that was killed is back by then, also on a machine that is busy.
PATIENT = {"HOTLINE_CHANNEL_LEASE_S": "60"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def installed(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> AsyncIterator[Installation]:
    """One for all tests of this file."""
    async with Installation(tmp_path_factory.mktemp("house") / "hotline", shared, PATIENT) as installation:
        yield installation


@pytest_asyncio.fixture(loop_scope="module")
async def house(installed: Installation) -> AsyncIterator[Installation]:
    """Without calls and without a session of an earlier test."""
    yield installed
    await end_all(installed)
    await until_nodes(installed)
    for session in (await installed.get("/api/sessions"))["items"]:
        if session["state"] == "open":
            await installed.post(f"/api/sessions/{session['id']}/close")


@pytest.mark.parametrize(("ring_s", "whispers"), [(5.0, False), (0.2, True)])
async def test_given_a_leader_who_is_rung_or_whispered_to_when_the_bridge_is_killed_then_they_talk_after_one_invite(
    house: Installation, tmp_path: Path, ring_s: float, *, whispers: bool
) -> None:
    leader = WatchedLeader(tmp_path / "leader", Leader(ring_s=ring_s, talk_s=12.0 if whispers else 6.0))
    session_id, _ = await house.open_session(leader.address)
    async with leader.phone, citizens(house, tmp_path / "w", Citizen(numbers(40 + whispers, 1), WAITS, 90), 1) as crowd:
        await until_nodes(house, ringing=1)
        await until(lambda: leader.rung == 1, 20)
        if whispers:
            await until(lambda: whisper_plays(house), 20, "the whisper")
        await house.kill("bridge")
        await house.start("bridge")
        await until_nodes(house, talking=1)
        await crowd.done(60)
        assert await until_closed(house, session_id, 1) == {"talked": 1}
        assert leader.rung == 1


async def is_of(house: Installation, call_id: str, session_id: str) -> bool:
    return session_id in {fact.session_id for fact in await house.core.ledger.events(call_id)}


async def whisper_plays(house: Installation) -> bool:
    """The leader has answered and hears what nobody else does."""
    rows = (await house.asterisk.command("core show channels concise")).splitlines()
    return any(row.split("!")[1:2] == ["whisper"] and "!Playback!" in row for row in rows)


async def test_given_a_leader_who_answers_without_a_bridge_when_it_comes_back_then_the_talk_is_known(
    house: Installation, tmp_path: Path
) -> None:
    leader = WatchedLeader(tmp_path / "leader", Leader(ring_s=2.0, talk_s=15.0))
    _, seat_id = await house.open_session(leader.address)
    async with leader.phone, citizens(house, tmp_path / "w", Citizen(numbers(10, 2), WAITS, 90), 2):
        await until_nodes(house, ringing=1, waiting=1)
        waiting = await line_of(house, seat_id, 2)
        await until(lambda: leader.rung == 1, 20)
        await house.kill("bridge")

        await until(lambda: in_bridges(house, 2), 20)
        await house.start("bridge")
        await until_nodes(house, talking=1, waiting=1)
        await until_order(house, seat_id, waiting[1:])
        assert leader.rung == 1
        # and the next one comes when this talk is over
        await until(lambda: leader.rung == 2, 40)
        await until_nodes(house, talking=1)
        assert await nodes(house) == {waiting[1][0]: "talking"}


async def test_given_a_claim_whose_process_died_before_it_rang_when_the_lease_is_over_then_the_caller_is_the_first(
    house: Installation, tmp_path: Path
) -> None:
    leader = WatchedLeader(tmp_path / "leader", Leader(ring_s=0.5, talk_s=8.0))
    session_id, seat_id = await house.open_session(leader.address, sign_in=False)
    async with leader.phone, citizens(house, tmp_path / "w", Citizen(numbers(20, 3), WAITS, 90), 3, rate=2):
        await until_nodes(house, waiting=3)
        before = await line_of(house, seat_id, 3)
        await house.kill("bridge")
        await house.post(f"/api/seats/{seat_id}/open")
        claim = await house.core.line.claim_next(seat_id, "dead", 3.0)
        assert claim is not None
        assert claim.call_id == before[0][0]
        await house.start("bridge")
        await until_order(house, seat_id, before)
        await until(lambda: leader.rung == 1, 30)
        ringing = await until_nodes(house, talking=1, waiting=2)
        assert ringing[before[0][0]] == "talking"
        await until_order(house, seat_id, before[1:])
        assert await until_closed(house, session_id, 3, 60) == {"talked": 3}
        assert leader.rung == 3


async def test_given_a_talk_that_begins_and_ends_without_a_bridge_when_it_comes_back_then_they_have_talked(
    house: Installation, tmp_path: Path
) -> None:
    leader = WatchedLeader(tmp_path / "leader", Leader(ring_s=3.0, talk_s=60.0))
    session_id, seat_id = await house.open_session(leader.address)
    async with leader.phone, citizens(house, tmp_path / "w", Citizen(numbers(30, 1), WAITS, 12), 1) as crowd:
        await until(lambda: leader.rung == 1, 30)
        await until_nodes(house, ringing=1)
        await house.kill("bridge")
        await until(lambda: in_bridges(house, 2), 20)
        await crowd.done(60)  # the citizen hangs up first
        await until_nodes(house, ringing=1)
    await house.start("bridge")
    assert await until_closed(house, session_id, 1) == {"talked": 1}
    [call_id] = [one for one in cdr.calls(cdr.read(house.files.cdr)[0]) if await is_of(house, one, session_id)]
    made = await order_of(house, call_id)
    assert (made["source"], (await recording_of(house, made)).state) == ("talked", "ready")
    [seconds] = [event.data["seconds"] for event in await house.core.ledger.events(call_id) if event.kind == "talked"]
    assert 0 < seconds < 30
    await seat_is(house, seat_id, "free")
    assert leader.rung == 1
