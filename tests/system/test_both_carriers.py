"""Real SIP callers and the cloud's in one line: one leader, the order of joining; and closing time with two hundred waiting."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
import pytest_asyncio

from telephony.demo.scenarios import Citizen, Leader
from telephony.twilio.exchange import call_id_of
from tests.cloud import Callee, When
from tests.cloud.leg import Leg
from tests.integration.twilio.town import LEADER, NUMBER, said
from tests.performed import performed
from tests.phones.baresip import Phone
from tests.system.both import Both, both_carriers
from tests.system.callers import checked
from tests.system.crowd import a_leader, citizens, numbers
from tests.system.joining import say_yes
from tests.system.watch import accounted, ended, live, reaches, seat_is, session
from tests.waiting import until
from workorders.register import count_by_source

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

IN_LINE, AT_CLOSING, KEEPING = 50, 100, 2
#: Of who waits at closing time, on the phone or not any more.
ENDS = {"work_order": 2 * AT_CLOSING, "callback": 2 * KEEPING}
LEADER_HZ = 900.0
#: Calls by both carriers; what its older call is told.
ONE_NUMBER, TOLD = "+8613800008999", "goodbye_other_call"
#: A second of message is enough; the worker, who would finish the recordings, is not asked here.
SETTINGS = {
    "HOTLINE_MESSAGE_MAX_S": "2", "HOTLINE_ANNOUNCE_EVERY_S": "600", "HOTLINE_ASK_TIMEOUT_S": "3",
    "HOTLINE_TWILIO_HOLD_S": "120", "HOTLINE_HANDLE_TIME_S": "5", "HOTLINE_LOG_LEVEL": "warning",
    "HOTLINE_CALLBACK_LINE": "sip:{number}@127.0.0.1:9",
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
    # Longer than the whisper also on a machine that is busy: who hangs up in three whispers pauses the seat.
    phone, address = a_leader(tmp_path / "leader", Leader(ring_s=0.05, talk_s=0.9))
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


@dataclass
class Redials:
    """One number that calls again and again, by both carriers; the others in the line stay there."""

    both: Both
    phone: Phone
    session_id: str
    seat_id: str
    #: In the order in which they came.
    calls: list[str] = field(default_factory=list)
    others: tuple[str, ...] = ()
    joined_at: float = 0.0

    async def by_sip(self) -> None:
        """Calls, and says 1; has the place that the number had at first."""
        house = self.both.house
        await self.phone.dial(house.service)
        self.calls.append(await until(self._new_sip_call, 30, "the call by SIP"))
        await reaches(house, self.calls[-1], "question")
        await self.phone.press("1")
        await self.stands()
        words = "waiting_place_kept" if self.calls[1:] else "waiting_joined"
        await until(lambda: words in self.both.played.to(self.calls[-1]), 30, words)

    async def by_cloud(self) -> Leg:
        (leg,) = cloud_callers(self.both, int(ONE_NUMBER[-8:]), 1)
        self.calls.append(call_id_of(leg.sid))
        await self.stands()
        return leg

    async def stands(self) -> None:
        """The newest call is the first, then the others; nobody else waits, and the joining time is the first one."""
        expected = [self.calls[-1], *self.others]

        async def so() -> bool:
            line = await self.both.house.core.line.callers(self.seat_id)
            first = line[0].joined_at if line else 0.0
            self.joined_at = self.joined_at or first
            return [one.call_id for one in line] == expected and first == self.joined_at

        await until(so, 40, f"{expected} in the line")

    async def order_is(self, status: str) -> None:
        """There is one order to call back, in this state."""

        async def so() -> bool:
            return [one["status"] for one in await self.both.house.orders(session_id=self.session_id)] == [status]

        await until(so, 40, f"the order to call back {status}")

    async def _new_sip_call(self) -> str:
        found = (call.id for call in (await live(self.both.house)).values() if call.number == ONE_NUMBER)
        return next((one for one in found if one.startswith("a-") and one not in self.calls), "")


async def test_given_one_number_that_calls_by_both_carriers_then_it_has_one_place_wherever_it_called_last(
    both: Both, tmp_path: Path
) -> None:
    """By SIP; by the cloud while that call still waits; by SIP after a drop; by the cloud after a drop; by SIP while that waits."""
    house = both.house
    phone, address = a_leader(tmp_path / "leader", Leader(ring_s=0.05, talk_s=0.9))
    both.cloud.callees[LEADER] = Callee(answer_after_s=1, script=(When("", press="1"),), talk_s=3)
    async with (
        phone,
        Phone(tmp_path / "citizen", ONE_NUMBER.removeprefix("+86")) as citizen,
        session(house, address, cloud_line=LEADER) as (session_id, seat_id),
    ):
        await house.post(f"/api/seats/{seat_id}/pause", {"reason": "not yet"})
        one = Redials(both, citizen, session_id, seat_id)
        await one.by_sip()
        one.others = tuple(call_id_of(leg.sid) for leg in cloud_callers(both, 9000, 1))
        await one.stands()
        first = await one.by_cloud()
        await until(lambda: both.played.calls(TOLD) == {one.calls[0]}, 40, "the call by SIP told")
        assert (await ended(house, one.calls[0]))["outcome"] == "abandoned"
        first.hang_up()
        await one.order_is("registered")
        await one.by_sip()
        await one.order_is("cancelled")
        await citizen.hang_up()
        await one.order_is("registered")
        second = await one.by_cloud()
        await one.order_is("cancelled")
        await one.by_sip()
        await second.heard(said(TOLD), 40)
        await second.ended(40)
        await house.post(f"/api/seats/{seat_id}/resume")
        assert await accounted(house, session_id, 6, 60) == {"talked": 2, "abandoned": 4}
        assert all(any(said("waiting_place_kept") in text for text in leg.texts) for leg in (first, second))
    facts = sorted(await house.core.ledger.of_session(session_id), key=lambda fact: fact.at)
    back = [(fact.data["from_call"], fact.call_id) for fact in facts if fact.kind == "place_taken_back"]
    assert back == list(pairwise(one.calls))
    assert [fact.call_id for fact in facts if fact.kind == "talked"] == [one.calls[-1], *one.others]
    fairness = await house.get(f"/api/sessions/{session_id}/fairness")
    assert (fairness["served"], fairness["deviations"]) == (2, [])
    await performed(house.core)
    assert await count_by_source(house.core.database, session_id) == {"talked": 2}
    check = await until(lambda: checked(house, session_id), 60, "the check against the carriers' records")
    assert (check["complete"], check["calls"], check["forgotten"]) == (True, 6, [])
    both.cloud.assert_faultless()


async def test_given_two_hundred_waiting_at_closing_time_then_each_is_told_and_has_an_order_and_the_talk_goes_on(
    both: Both, tmp_path: Path
) -> None:
    house = both.house
    crowd = Citizen(numbers(5000, AT_CLOSING), keys=((0.5, "1"),), stay_s=200)
    keeping = Citizen(numbers(5200, KEEPING), keys=((0.5, "1"), (4.0, "3")), stay_s=200)
    async with (
        Phone(tmp_path / "leader", "leader", tone_hz=LEADER_HZ, answers="auto") as leader,
        Phone(tmp_path / "talker", "13800000901") as talker,
    ):
        session_id, seat_id = await house.open_session(leader.address)
        talk_id = await say_yes(house, talker)
        await seat_is(house, seat_id, "talking")
        async with (
            citizens(house, tmp_path / "crowd", crowd, AT_CLOSING, 15),
            citizens(house, tmp_path / "keeping", keeping, KEEPING),
        ):
            legs = cloud_callers(both, 1000, AT_CLOSING, When("提示音", speak_s=20))
            cloud_callers(both, 2000, KEEPING, When(said("choose_waiting"), press="3", after_s=60))
            await until_depth(both, seat_id, 2 * AT_CLOSING + 2 * KEEPING)
            await until(lambda: kept(both, 2 * KEEPING), 60, "places that are kept")
            (await house.http.post(f"/api/sessions/{session_id}/close", timeout=120)).raise_for_status()
            await until_depth(both, seat_id, 0)
            await talker.hears_tone(LEADER_HZ)
            await until(
                lambda: len(both.played.calls("message_session_closed")) == AT_CLOSING, 60, "all SIP callers told"
            )
            await until(lambda: all(was_told(leg) for leg in legs), 60, "all cloud callers told")
            assert await accounted_but_one(both, session_id) == ENDS
            assert (await reaches(house, talk_id, "talking")).outcome == "talked"
            await talker.hears_tone(LEADER_HZ)
            await leader.hang_up()
        assert await accounted(house, session_id, sum(ENDS.values()) + 1) == {"talked": 1, **ENDS}
    by_source = {"released": 2 * AT_CLOSING, "talked": 1, "callback": 2 * KEEPING}
    await performed(house.core)
    assert await count_by_source(house.core.database, session_id) == by_source
    both.cloud.assert_faultless()


async def kept(both: Both, places: int) -> bool:
    """So many are not on the phone any more and keep their place."""
    line = await both.house.get("/api/line")
    return [caller["state"] for caller in line["callers"]].count("callback") == places


def was_told(leg: Leg) -> bool:
    return any(said("message_session_closed") in text for text in leg.texts)


async def accounted_but_one(both: Both, session_id: str) -> dict[str, int]:
    """The outcomes once all but the talk have one."""

    async def whole() -> dict[str, int] | None:
        outcomes: dict[str, int] = (await both.house.ledger(session_id=session_id))["outcomes"]
        return outcomes if sum(outcomes.values()) >= sum(ENDS.values()) else None

    found = await until(whole, 90, "everybody's outcome")
    assert found is not None
    return found
