"""Who reaches whom, each pair by real parts: the cloud's caller a SIP phone behind our Asterisk, by an INVITE that a SIP program
sends on the cloud's behalf; a caller on Asterisk a mobile behind the trunk, whose other end is a second Asterisk."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from config.cloud_sip import CLOUD_USER, cloud_password
from telephony.demo.scenarios import Leader
from telephony.twilio.exchange import call_id_of
from tests.cloud import Callee, When
from tests.integration.twilio.town import NUMBER
from tests.phones import hearing
from tests.phones.baresip import Phone
from tests.phones.carrier import VOICEMAIL_HZ, Carrier
from tests.phones.ports import free_block
from tests.system.both import Both, both_carriers
from tests.system.cloud_line import CloudSide
from tests.system.crowd import a_leader
from tests.system.installation import Installation
from tests.system.joining import say_yes
from tests.system.watch import accounted, ended, kinds, reaches, seat_is, session
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLOUD, TELEPHONY = "127.0.0.2", "127.0.0.3"
DESK, REFUSING, MOBILE, VOICEMAIL = "801", "802", "+8613900000001", "+8613900000002"
CITIZEN_HZ, DESK_HZ, MOBILE_HZ = 700.0, 900.0, 1200.0
#: Our sentences are blips here, of this tone.
SENTENCE_HZ = 500.0
#: Two lines that ring out take longer than a claim lasts. The cloud rings for whole seconds, rounded up: Asterisk is sooner to tell.
RING_S, LEASE_S = 5.4, 6


@dataclass
class Place:
    """`desk` is the leader's SIP phone, which only our Asterisk reaches; `mobile` is behind the telephone company."""

    both: Both
    desk: Phone
    mobile: Phone
    carrier: Carrier
    #: The desk phone, as the cloud's caller reaches it.
    desk_for_cloud: str

    @property
    def house(self) -> Installation:
        return self.both.house


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    folder = tmp_path_factory.mktemp("pairs")
    carrier, sip = Carrier(TELEPHONY), free_block(2)
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(Phone(folder / "desk", "leader", tone_hz=DESK_HZ))
        mobile = await stack.enter_async_context(Phone(folder / "mobile", "mobile", tone_hz=MOBILE_HZ))
        refusing, address = a_leader(folder / "refusing", Leader("decline", ring_s=0.2))
        await stack.enter_async_context(refusing)
        at = f"127.0.0.1:{sip}"
        await stack.enter_async_context(carrier.running(folder / "carrier", at, {MOBILE: mobile.address}, VOICEMAIL))
        settings = {
            "HOTLINE_SIP_PORT": str(sip), "HOTLINE_SIP_TRUST": "127.0.0.1/32", "HOTLINE_TRUNK": carrier.address,
            "HOTLINE_BRANCH_LINES": f"{DESK}={desk.address},{REFUSING}={address}",
            "HOTLINE_TWILIO_SIP_NETWORKS": CLOUD, "HOTLINE_TWILIO_SIP_ADDRESS": at,
            "HOTLINE_RING_S": str(RING_S), "HOTLINE_CLAIM_LEASE_S": str(LEASE_S),
        }  # fmt: skip
        both = await stack.enter_async_context(both_carriers(folder, settings, speed=1.0, parts=("api", "bridge"), fetches=True))
        yield Place(both, desk, mobile, carrier, f"sip:{DESK}@{at}")


@pytest.fixture
def place(shared_place: Place) -> Place:
    for phone in (shared_place.desk, shared_place.mobile):
        phone.events.clear()
    return shared_place


async def rings(phone: Phone, times: int) -> None:
    """It rang that often, and no more often."""
    await until(lambda: rung(phone) >= times, 20, f"{phone.number} to ring")
    assert rung(phone) == times


def rung(phone: Phone) -> int:
    return [event.get("type") for event in phone.events].count("CALL_INCOMING")


async def missed(house: Installation, seat_id: str, call_id: str, *reasons: str) -> None:
    """The caller is the first again, and the leader is asked to come back; so far missed for these reasons."""
    await seat_is(house, seat_id, "paused")
    await reaches(house, call_id, "waiting")
    assert await house.core.line.position(seat_id, call_id) == 1

    async def told() -> bool:
        events = await house.core.ledger.events(call_id)
        return [event.data["reason"] for event in events if event.kind == "missed"] == [*reasons]

    await until(told, 20, f"missed: {reasons}")


async def hear_each_other(one: Phone, one_hz: float, other: Phone, other_hz: float) -> None:
    """Measured in what each of the two phones recorded."""
    await one.hears_tone(other_hz)
    await other.hears_tone(one_hz)


async def facts(house: Installation, call_id: str) -> list[str]:
    return kinds(await ended(house, call_id))


async def test_given_a_caller_of_the_cloud_then_the_sip_phone_behind_asterisk_rings_and_they_hear_each_other(
    place: Place, tmp_path: Path
) -> None:
    """The seat's first line declines every call, so the second rings. Twice in vain: nobody answers, and the phone is busy. The
    caller stays the first."""
    house, cloud, desk = place.house, place.both.cloud, place.desk
    side = CloudSide(tmp_path, CLOUD, "13800000701", CITIZEN_HZ)
    lines = [place.desk_for_cloud.replace(DESK, REFUSING), place.desk_for_cloud]
    cloud.callees |= {line: Callee(line=side.line) for line in lines}
    async with session(house, cloud_line=",".join(lines)) as (session_id, seat_id):
        leg = cloud.place_call("+8613800000701", NUMBER, script=(When("请按一", press="1"),))
        call_id = call_id_of(leg.sid)
        await rings(desk, 1)
        await missed(house, seat_id, call_id, "no_answer")
        await house.post(f"/api/seats/{seat_id}/resume")
        await rings(desk, 2)
        await desk.hang_up()
        await missed(house, seat_id, call_id, "no_answer", "busy")
        await house.post(f"/api/seats/{seat_id}/resume")
        await rings(desk, 3)
        await desk.answer()
        await seat_is(house, seat_id, "talking")
        await until(lambda: any(one.kind == "bridged" for one in leg.transcript), 15, "put through")
        await hear_each_other(side.calls[-1].phone, CITIZEN_HZ, desk, DESK_HZ)
        await desk.hang_up()
        assert await accounted(house, session_id, 1) == {"talked": 1}
    rung_both = ["offered", "next_line"]
    attempts = [*rung_both, "missed"] * 2
    assert await facts(house, call_id) == ["arrived", "willing", *attempts, *rung_both, "connected", "talked", "closed"]
    assert (len(side.calls), rung(desk)) == (6, 3)
    cloud.assert_faultless()


@pytest.mark.parametrize(
    ("password", "number", "answer"), [("", DESK, "401"), ("wrong-password", DESK, "401"), (None, "12345", "404")]
)
async def test_given_somebody_in_the_clouds_networks_without_its_password_or_for_another_number_then_nobody_is_rung(
    place: Place, tmp_path: Path, password: str | None, number: str, answer: str
) -> None:
    """Its networks are those of all its customers."""
    known = cloud_password(place.house.settings) if password is None else password
    stranger = CloudSide(tmp_path, CLOUD, "13800000702", CITIZEN_HZ).line()
    try:
        address = place.desk_for_cloud.replace(DESK, number)
        assert await stranger.ring(address, CLOUD_USER if known else "", known) == "failed"
    finally:
        await stranger.hang_up()
    assert stranger.refusal.startswith(answer)
    assert rung(place.desk) == 0


async def test_given_a_desk_phone_that_rings_out_then_the_mobile_behind_the_trunk_rings_and_they_hear_each_other(
    place: Place, tmp_path: Path
) -> None:
    """The citizen comes in over the trunk, too. The two lines ring for longer than a claim lasts: it is kept, and each phone rings
    once an attempt. At first the mobile is busy, and the caller stays the first."""
    house, desk, mobile = place.house, place.desk, place.mobile
    place.both.brief.make_longer("whisper_confirm", 1.0)
    async with (
        Phone(tmp_path / "citizen", "13800000703", tone_hz=CITIZEN_HZ) as citizen,
        session(house, f"{desk.address},{MOBILE}") as (session_id, seat_id),
    ):
        call_id = await say_yes(house, citizen, place.carrier.service)
        await rings(mobile, 1)
        assert rung(desk) == 1
        await mobile.hang_up()
        await missed(house, seat_id, call_id, "busy")
        await house.post(f"/api/seats/{seat_id}/resume")
        await rings(mobile, 2)
        seat = await house.core.seats.state(seat_id)
        await until(lambda: house.core.clock() > seat.since + LEASE_S + 0.5, 20, "the lease would be over")
        await mobile.answer()
        await mobile.until("CALL_ESTABLISHED")
        await until(lambda: hearing.tone_share(mobile.heard(), SENTENCE_HZ) > 0.5, 15, "the whisper")
        assert hearing.tone_share(mobile.heard(), CITIZEN_HZ) < 0.2, "nobody is put through before the 1"
        await reaches(house, call_id, "ringing")
        await mobile.press("1")
        await seat_is(house, seat_id, "talking")
        assert (await house.core.seats.state(seat_id)).token == seat.token
        await hear_each_other(citizen, CITIZEN_HZ, mobile, MOBILE_HZ)
        await mobile.hang_up()
        assert await accounted(house, session_id, 1) == {"talked": 1}
    attempt = ["offered", "next_line"]
    assert await facts(house, call_id) == [
        "arrived", "willing", *attempt, "missed", *attempt, "connected", "talked", "closed"
    ]  # fmt: skip
    assert (rung(desk), rung(mobile)) == (2, 2)
    assert from_numbers(mobile.events) == {house.settings.service_number}, "the citizen's number goes to nobody"


async def test_given_a_voicemail_and_then_a_mobile_that_nobody_answers_then_the_caller_talks_to_neither(
    place: Place, tmp_path: Path
) -> None:
    house = place.house
    async with (
        Phone(tmp_path / "citizen", "13800000704", tone_hz=CITIZEN_HZ) as citizen,
        session(house, f"{VOICEMAIL},{MOBILE}") as (session_id, seat_id),
    ):
        call_id = await say_yes(house, citizen)
        await missed(house, seat_id, call_id, "no_answer")
        assert hearing.tone_share(citizen.heard(), VOICEMAIL_HZ) < 0.1
        await citizen.hang_up()
        assert await accounted(house, session_id, 1) == {"abandoned": 1}
    events = (await ended(house, call_id))["events"]
    assert [event["kind"] for event in events] == ["arrived", "willing", "offered", "next_line", "missed", "left_line", "closed"]
    assert events[3]["data"]["reason"] == "unconfirmed"


def from_numbers(events: Iterable[object]) -> set[str]:
    """Who was shown to call."""
    uris = [str(event.get("peeruri", "")) for event in events if isinstance(event, dict) and event.get("type") == "CALL_INCOMING"]
    return {uri.removeprefix("sip:").partition("@")[0] for uri in uris}
