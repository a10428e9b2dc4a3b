"""No bridge for longer than the lease: everybody is served by Asterisk alone, and is accounted for afterwards."""

from pathlib import Path

from telephony.asterisk import cdr
from telephony.asterisk.spool import seconds_of
from telephony.demo.scenarios import Citizen, Leader
from tests.performed import performed
from tests.system.callers import WatchedLeader, until_closed, until_nodes, until_orders
from tests.system.crowd import citizens, numbers
from tests.system.installation import Installation
from tests.system.watch import petitioner_of, recording_of, seat_is
from tests.waiting import until

SHORT = {
    "HOTLINE_CHANNEL_LEASE_S": "10",
    "HOTLINE_FIRST_LEASE_S": "5",
    "HOTLINE_MESSAGE_MAX_S": "5",
    "HOTLINE_ASK_TIMEOUT_S": "60",
}


async def test_given_no_bridge_for_longer_than_the_lease_then_everybody_leaves_a_message_that_becomes_an_order(
    tmp_path: Path, shared: Path
) -> None:
    waiting = Citizen(callers=numbers(0, 3), keys=((1.0, "1"),), stay_s=100)
    asked, late = Citizen(callers=numbers(10, 2), stay_s=100), Citizen(callers=numbers(20, 3), stay_s=100)
    talking = Citizen(callers=numbers(30, 1), keys=((1.0, "1"),), stay_s=100)
    speaking = Citizen(callers=numbers(40, 1), keys=((1.0, "2"),), stay_s=100)
    leader = WatchedLeader(tmp_path / "leader", Leader(ring_s=0.2, talk_s=38.0))
    async with Installation(tmp_path / "hotline", shared, SHORT) as house, leader.phone:
        session_id, seat_id = await house.open_session(leader.address)
        async with citizens(house, tmp_path / "t", talking, 1) as talk:
            [talked] = await until_nodes(house, talking=1)
            async with (
                citizens(house, tmp_path / "w", waiting, 3) as first,
                citizens(house, tmp_path / "q", asked, 2) as second,
                citizens(house, tmp_path / "m", speaking, 1) as message,
            ):
                at = await until_nodes(house, talking=1, waiting=3, question=2, message=1)
                [spoke] = [call_id for call_id, node in at.items() if node == "message"]
                await until(lambda: said_s(house, spoke) > 1, 40, "somebody in mid-message")
                await house.kill("bridge")
                async with citizens(house, tmp_path / "l", late, 3) as third:
                    for crowd in (first, second, third, message, talk):
                        await crowd.done(80)
        spool = house.folder / "spool"
        await until(lambda: len(list(spool.glob("a-*.wav"))) == 9, 20, "nine messages")  # who has talked was thanked, and that was all
        await house.start("bridge")
        assert await until_closed(house, session_id, 10) == {"fallback": 8, "work_order": 1, "talked": 1}
        orders = await until_orders(house, 10, "dispatched")
        petitioners = [await petitioner_of(house, order) for order in orders]
        assert {one.number for one in petitioners} == {
            f"+86{number}" for who in (waiting, asked, late, talking, speaking) for number, _ in who.callers
        }
        for order in orders:
            assert (order["session_id"], order["tags"]) == (session_id, ["熱線問政"])
            recording = await recording_of(house, order)
            # What somebody said before the bridge died and what they said after it are one message.
            least_s = {talked: 20, spoke: 6}.get(order["call_id"], 3)
            assert (recording.state, (recording.duration_s or 0) > least_s) == ("ready", True)
        [seconds] = [fact.data["seconds"] for fact in await house.core.ledger.events(talked) if fact.kind == "talked"]
        assert 30 < seconds < 60  # and not those until the bridge was back
        await seat_is(house, seat_id, "free")
        assert leader.rung == 1
        await until(lambda: not list(spool.iterdir()), 20, "nothing left in the spool")
        database = b"".join(path.read_bytes() for path in house.folder.glob("*.db*"))
        assert database
        assert not [number for number, _ in late.callers if number.encode() in database]


def said_s(house: Installation, call_id: str) -> float:
    """Seconds of this caller's message on the disk so far."""
    return max((seconds_of(file) for file in house.settings.recordings.glob(f"{call_id}-m*.wav")), default=0.0)


async def test_given_operators_and_no_bridge_then_everybody_is_put_through_to_them_and_the_ledger_says_so(
    tmp_path: Path, shared: Path
) -> None:
    operators = WatchedLeader(tmp_path / "operators", Leader(ring_s=0.3, talk_s=3.0))
    waiting = Citizen(callers=numbers(0, 2), keys=((1.0, "1"),), stay_s=100)
    late = Citizen(callers=numbers(20, 2), stay_s=100)
    settings = {**SHORT, "HOTLINE_OPERATORS_LINE": operators.address}
    async with Installation(tmp_path / "hotline", shared, settings) as house, operators.phone:
        session_id, _ = await house.open_session("sip:nobody@127.0.0.1:9", sign_in=False)
        async with citizens(house, tmp_path / "w", waiting, 2) as first:
            await until_nodes(house, waiting=2)
            await house.kill("bridge")
            async with citizens(house, tmp_path / "l", late, 2) as second:
                await first.done(80)
                await second.done(80)
        assert operators.rung == 4
        await house.start("bridge")
        assert await until_closed(house, session_id, 4) == {"fallback": 4}  # our part failed, whoever helped then
        await performed(house.core)
        recorded = cdr.calls(cdr.read(house.files.cdr)[0])
        assert len(recorded) == 4
        for call_id in recorded:
            said = {event.kind for event in await house.core.ledger.events(call_id)}
            assert said >= {"fallback", "operator", "transferred", "operator_talked", "closed"}
        assert await house.orders() == []
