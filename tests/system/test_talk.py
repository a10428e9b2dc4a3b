"""A citizen and a leader with two real SIP phones: question, key, music, ring, talk, recording, ledger."""

from pathlib import Path
from typing import Any

from tests.phones import hearing
from tests.phones.baresip import Phone
from tests.system.installation import Installation
from tests.waiting import until

CITIZEN_HZ, LEADER_HZ = 500.0, 900.0


async def test_given_a_free_leader_when_a_citizen_presses_1_then_both_hear_each_other(
    house: Installation, tmp_path: Path
) -> None:
    async with (
        Phone(tmp_path / "leader", "leader", tone_hz=LEADER_HZ) as leader,
        Phone(tmp_path / "citizen", "13812345678", tone_hz=CITIZEN_HZ) as citizen,
    ):
        session_id, _ = await house.open_session(leader.address)
        await citizen.dial(house.service)
        await citizen.until("CALL_ESTABLISHED")
        question = await citizen.listen(3.0)
        assert hearing.describe(question).is_speech_like
        await citizen.press("1")
        await leader.until("CALL_INCOMING")
        await leader.answer()
        await until(lambda: talking(house), 15)
        heard_by_citizen, heard_by_leader = await citizen.listen(2.0), await leader.listen(2.0)
        assert hearing.tone_share(heard_by_citizen, LEADER_HZ) > 0.8
        assert hearing.tone_share(heard_by_leader, CITIZEN_HZ) > 0.8
        await leader.hang_up()
        await citizen.until("CALL_CLOSED")
    ledger = await until(lambda: closed(house, session_id), 15)
    assert (ledger["calls"], ledger["outcomes"], ledger["unaccounted"]) == (1, {"talked": 1}, 0)


async def talking(house: Installation) -> bool:
    line = await house.line()
    return bool(line["seats"]) and line["seats"][0]["state"] == "talking"


async def closed(house: Installation, session_id: str) -> Any:
    ledger = await house.ledger(session_id=session_id)
    return ledger if sum(ledger["outcomes"].values()) else None
