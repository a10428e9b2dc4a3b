"""The bridge dies around the moment at which a leader is rung: one INVITE, one talk, nobody loses the place."""

from pathlib import Path

import pytest

from telephony.asterisk import cdr
from telephony.demo.scenarios import Citizen, Leader
from tests.system.callers import (
    WatchedLeader,
    in_bridges,
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
from tests.system.watch import recording_of
from tests.waiting import until

WAITS = ((1.0, "1"),)


@pytest.mark.parametrize(("ring_s", "whispers"), [(5.0, False), (0.2, True)])
async def test_given_a_leader_who_is_rung_or_whispered_to_when_the_bridge_is_killed_then_they_talk_after_one_invite(
    house: Installation, tmp_path: Path, ring_s: float, *, whispers: bool
) -> None:
    leader = WatchedLeader(tmp_path / "leader", Leader(ring_s=ring_s, talk_s=12.0 if whispers else 6.0))
    session_id, _ = await house.open_session(leader.address)
    async with leader.phone, citizens(house, tmp_path / "w", Citizen(numbers(0, 1), WAITS, 90), 1) as crowd:
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


async def whisper_plays(house: Installation) -> bool:
    """The leader has answered and hears what nobody else does."""
    rows = (await house.asterisk.command("core show channels concise")).splitlines()
    return any(row.split("!")[1:2] == ["whisper"] and "!Playback!" in row for row in rows)


async def test_given_a_leader_who_answers_without_a_bridge_when_it_comes_back_then_the_talk_is_known(
    house: Installation, tmp_path: Path
) -> None:
    leader = WatchedLeader(tmp_path / "leader", Leader(ring_s=2.0, talk_s=15.0))
    _, seat_id = await house.open_session(leader.address)
    async with leader.phone, citizens(house, tmp_path / "w", Citizen(numbers(0, 2), WAITS, 90), 2):
        await until_nodes(house, ringing=1, waiting=1)
        waiting = await line_of(house, seat_id, 2)
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
    async with leader.phone, citizens(house, tmp_path / "w", Citizen(numbers(0, 3), WAITS, 90), 3, rate=2):
        await until_nodes(house, waiting=3)
        before = await line_of(house, seat_id, 3)
        await house.kill("bridge")
        await house.post(f"/api/seats/{seat_id}/open")
        claim = await house.core.line.claim_next(seat_id, "dead", 3.0)
        assert claim is not None
        assert claim.call_id == before[0][0]
        await house.start("bridge")
        assert await order(house, seat_id) == before
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
    async with leader.phone, citizens(house, tmp_path / "w", Citizen(numbers(0, 1), WAITS, 12), 1) as crowd:
        await until(lambda: leader.rung == 1, 30)
        await until_nodes(house, ringing=1)
        await house.kill("bridge")
        await until(lambda: in_bridges(house, 2), 20)
        await crowd.done(60)  # the citizen hangs up first
        await until_nodes(house, ringing=1)
    await house.start("bridge")
    assert await until_closed(house, session_id, 1) == {"talked": 1}
    [made] = await until_orders(house, 1, "dispatched")
    assert (made["source"], (await recording_of(house, made)).state) == ("talked", "ready")
    [call_id] = cdr.calls(cdr.read(house.files.cdr)[0])
    [seconds] = [event.data["seconds"] for event in await house.core.ledger.events(call_id) if event.kind == "talked"]
    assert 0 < seconds < 30
    assert (await house.core.seats.state(seat_id)).state == "free"
    assert leader.rung == 1
