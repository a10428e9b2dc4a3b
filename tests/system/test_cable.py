"""A bridge that lives and loses its Asterisk: the cable between them is cut, for a moment and for longer than the lease."""

from pathlib import Path

from telephony.demo.scenarios import Citizen, Leader
from tests.cable import Cable
from tests.system.callers import (
    WatchedLeader,
    end_all,
    in_bridges,
    line_of,
    nodes,
    outlive,
    until_closed,
    until_nodes,
    until_order,
    until_orders,
)
from tests.system.crowd import citizens, numbers
from tests.system.installation import PARTS, Installation
from tests.waiting import until
from workorders.register import get

#: The lease is longer than a bridge needs to find its way back, also on a machine that is busy.
SHORT = {
    "HOTLINE_CHANNEL_LEASE_S": "20",
    "HOTLINE_FIRST_LEASE_S": "6",
    "HOTLINE_MESSAGE_MAX_S": "180",
    "HOTLINE_MESSAGE_SILENCE_S": "180",
    "HOTLINE_ANNOUNCE_EVERY_S": "600",
}
#: Two seconds of 16 bits at 8 kHz.
LEAST_BYTES = 2 * 2 * 8000
WAITS, SPEAKS = ((1.0, "1"),), ((1.0, "2"),)


def times_taken_up(house: Installation) -> int:
    return (house.folder / "bridge.log").read_text().count('"asterisk is driven"')


async def is_unready(house: Installation) -> bool:
    return (await house.http.get("/readyz")).status_code == 503


async def test_given_a_bridge_that_lives_when_its_cable_is_cut_then_nobody_is_moved_and_if_it_stays_cut_nobody_is_lost(
    tmp_path: Path, shared: Path
) -> None:
    leader = WatchedLeader(tmp_path / "leader", Leader(ring_s=0.2, talk_s=300))
    parts = tuple(part for part in PARTS if part != "bridge")
    async with (
        Installation(tmp_path / "hotline", shared, SHORT, parts) as house,
        Cable(house.settings.effective_ami_port) as cable,
        leader.phone,
    ):
        await house.start("bridge", HOTLINE_AMI_PORT=str(cable.port))
        await house.until_driven()
        session_id, seat_id = await house.open_session(leader.address)
        talking = Citizen(callers=numbers(0, 1), keys=WAITS, stay_s=300)
        waiting = Citizen(callers=numbers(10, 3), keys=WAITS, stay_s=300)
        speaking = Citizen(callers=numbers(20, 1), keys=SPEAKS, stay_s=300)
        async with citizens(house, tmp_path / "t", talking, 1):
            await until_nodes(house, talking=1)
            async with citizens(house, tmp_path / "w", waiting, 3), citizens(house, tmp_path / "m", speaking, 1):
                before = await until_nodes(house, talking=1, waiting=3, message=1)
                line, taken = await line_of(house, seat_id, 3), times_taken_up(house)
                token = (await house.core.seats.state(seat_id)).token

                # for a moment: everybody is where they were, and driven for longer than the lease that they had then
                await cable.cut()
                await until(lambda: is_unready(house), 20, "the bridge without Asterisk")
                await cable.mend()
                await until(lambda: times_taken_up(house) == taken + 1, 20, "the bridge back")
                await outlive(house, before, house.settings.channel_lease_s + 1)
                await until_order(house, seat_id, line)
                assert (await house.core.seats.state(seat_id)).token == token
                assert (leader.rung, await in_bridges(house, 2)) == (1, True)

                # for longer than the lease: the dialplan has everybody but those who talk
                await cable.cut()
                await until(lambda: in_fallback(house, 4), 60, "everybody in the fallback")
                assert await in_bridges(house, 2)
                await cable.mend()
                await until(lambda: times_taken_up(house) == taken + 2, 20, "the bridge back again")
                after = await until_nodes(house, talking=1, fallback=3, goodbye=1)
                assert {one for one, node in after.items() if node == "talking"} == {
                    one for one, node in before.items() if node == "talking"
                }
                await until_order(house, seat_id, [])
                assert leader.rung == 1
                await end_all(house)
        outcomes = await until_closed(house, session_id, 5)
        assert outcomes == {"talked": 1, "fallback": 3, "work_order": 1}
        orders = await until_orders(house, 5, "dispatched")
        assert await nodes(house) == {}
        [spoke] = [call_id for call_id, node in before.items() if node == "message"]
        [made] = [one for one in orders if one["call_id"] == spoke]
        # What was said to the dialplan, when the order was made already, is in it all the same.
        await until(lambda: recordings_are(house, made["id"], ["ready", "ready"]), 60, "both parts of the message")


async def recordings_are(house: Installation, order_id: str, states: list[str]) -> bool:
    found = await get(house.core.database, order_id)
    return [recording.state for recording in found.recordings] == states


async def in_fallback(house: Installation, callers: int) -> bool:
    """So many record a message that no bridge asked them for, and have said more than would count as nothing."""
    said = [path.stat().st_size for path in (house.folder / "spool").glob("a-*.wav")]
    return len(said) == callers and min(said) > LEAST_BYTES
