"""Real SIP callers and the cloud's in one line: one leader, the order of joining."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from telephony.demo.scenarios import Citizen, Leader
from telephony.twilio.exchange import call_id_of
from tests.cloud import Callee, When
from tests.cloud.leg import Leg
from tests.integration.twilio.town import LEADER, NUMBER
from tests.system.both import Both, both_carriers
from tests.system.crowd import a_leader, citizens, numbers
from tests.system.watch import accounted, session
from tests.waiting import until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

IN_LINE = 50
#: A second of message is enough; the worker, who would finish the recordings, is not asked here.
SETTINGS = {
    "HOTLINE_MESSAGE_MAX_S": "2", "HOTLINE_ANNOUNCE_EVERY_S": "600", "HOTLINE_ASK_TIMEOUT_S": "3",
    "HOTLINE_TWILIO_HOLD_S": "120", "HOTLINE_HANDLE_TIME_S": "5", "HOTLINE_LOG_LEVEL": "warning",
}  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Both]:
    async with both_carriers(tmp_path_factory.mktemp("both"), SETTINGS, parts=("api", "bridge", "cron")) as running:
        yield running


def cloud_callers(both: Both, first: int, count: int, *then: When) -> list[Leg]:
    """Each presses 1 as soon as asked to."""
    script = (When("请按一", press="1"), *then)
    return [both.cloud.place_call(f"+86138{first + n:08}", NUMBER, script=script) for n in range(count)]


async def until_depth(both: Both, seat_id: str, depth: int) -> None:
    async def so() -> bool:
        return await both.house.core.line.depth(seat_id) == depth

    await until(so, 60, f"{depth} in the line")


async def test_given_callers_of_both_carriers_in_one_line_then_one_leader_serves_them_in_the_order_they_joined(
    both: Both, tmp_path: Path
) -> None:
    house = both.house
    phone, address = a_leader(tmp_path / "leader", Leader(ring_s=0.05, talk_s=0.2))
    both.cloud.callees[LEADER] = Callee(answer_after_s=1, script=(When("", press="1"),), talk_s=3)
    crowd = Citizen(numbers(4000, IN_LINE), keys=((0.5, "1"),), stay_s=200)
    async with (
        phone,
        session(house, address, cloud_line=LEADER) as (session_id, seat_id),
        citizens(house, tmp_path / "crowd", crowd, IN_LINE, 10),
    ):
        await house.post(f"/api/seats/{seat_id}/pause", {"reason": "not yet"})
        legs = cloud_callers(both, 1, IN_LINE)
        await until_depth(both, seat_id, 2 * IN_LINE)
        line = await house.core.line.callers(seat_id)
        await house.post(f"/api/seats/{seat_id}/resume")
        assert await accounted(house, session_id, 2 * IN_LINE, 120) == {"talked": 2 * IN_LINE}
    facts = await house.core.ledger.of_session(session_id)
    joined = [caller.call_id for caller in line]
    times = [int(caller.joined_at * 100) for caller in line]
    assert times == sorted(times)  # two who join in the same moment follow each other in either order
    assert {call_id_of(leg.sid) for leg in legs} < set(joined)
    ends = [
        (one.kind, one.call_id) for one in sorted(facts, key=lambda one: one.at) if one.kind in ("connected", "talked")
    ]
    assert ends == [(kind, call_id) for call_id in joined for kind in ("connected", "talked")]
    both.cloud.assert_faultless()
