"""kill -9 of Asterisk: its calls end, the ledger says so, and it takes calls again as soon as it is back."""

from pathlib import Path

from telephony.demo.scenarios import Citizen, Leader
from tests.system.callers import WatchedLeader, until_closed, until_nodes, until_orders
from tests.system.crowd import citizens, numbers
from tests.system.installation import Installation
from tests.waiting import until

WAITS = ((1.0, "1"),)


async def test_given_a_talk_and_a_line_when_asterisk_is_killed_then_who_waited_has_an_order_and_the_seat_is_free(
    house: Installation, tmp_path: Path
) -> None:
    leader = WatchedLeader(tmp_path / "leader", Leader(ring_s=0.2, talk_s=300))
    session_id, seat_id = await house.open_session(leader.address)
    waiting = Citizen(callers=numbers(0, 5), keys=WAITS, stay_s=200)
    speaking = Citizen(callers=numbers(50, 2), keys=((1.0, "2"), (4.0, "#")), stay_s=200)
    async with (
        leader.phone,
        citizens(house, tmp_path / "w", waiting, 5),
        citizens(house, tmp_path / "m", speaking, 2),
    ):
        await until_nodes(house, talking=1, waiting=4, message=2)
        await until(lambda: len(list(house.settings.recordings.glob("*-m*.wav"))) == 2, 30, "two messages spoken")
        await house.kill_asterisk()
        await house.start_asterisk()
        assert await until_closed(house, session_id, 7) == {"talked": 1, "abandoned": 4, "work_order": 2}

    async def free() -> bool:
        return (await house.core.seats.state(seat_id)).state == "free"

    await until(free, 30, "the seat free")
    assert len(await until_orders(house, 7, "dispatched", 60)) == 7
    async with citizens(
        house, tmp_path / "n", Citizen(callers=numbers(90, 1), keys=((1.0, "2"),), stay_s=8), 1
    ) as late:
        await until_nodes(house, message=1)
        await late.done(70)
