"""Closing time finds callers of both carriers at every node: who waits is told and becomes a work order, who is being served
goes on, and the call that a leader is on is never cut. An end that was put off is nobody's."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from telephony.demo.scenarios import Leader
from tests.phones.baresip import Phone
from tests.system.both import Both, both_carriers
from tests.system.brief import UNITS
from tests.system.callers import checked, nodes, outlive
from tests.system.crowd import a_leader
from tests.system.everywhere import (
    KEYS,
    LAST_WORDS,
    LEADER_HZ,
    OPERATORS,
    CloudCallers,
    Place,
    SipCallers,
)
from tests.system.installation import Installation
from tests.system.watch import accounted
from tests.waiting import until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

CLOSES_IN_S = 1.0
#: An end that is put off in time; and how long cron may look at the session beyond it.
OLD_END_IN_S, LOOKS_S = 5.0, 2.5
#: The cloud's seconds in a real one. Whoever is to stay somewhere stays for as long as it takes to gather everybody.
SPEED, LAST_WORDS_S = 4.0, 120.0
SETTINGS = {
    "HOTLINE_ASK_TIMEOUT_S": "60", "HOTLINE_RING_S": "400", "HOTLINE_CLAIM_LEASE_S": "500", "HOTLINE_CALLBACK_RING_S": "400",
    "HOTLINE_MESSAGE_MAX_S": "600", "HOTLINE_MESSAGE_SILENCE_S": "200", "HOTLINE_ANNOUNCE_EVERY_S": "600", "HOTLINE_TWILIO_HOLD_S": "120",
    "HOTLINE_TWILIO_OPERATORS_LINE": OPERATORS, "HOTLINE_LOG_LEVEL": "warning",
}  # fmt: skip

#: Callers of each carrier at closing time, by node. Two wait: one is the newer call of who hears the last words.
AT_CLOSING = {
    "question": 1, "waiting": 2, "ringing": 1, "talking": 1, "message": 1, "contact": 1, "kept": 1, "calling": 1,
    "screening": 1, "operator": 1, "goodbye": 1,
}  # fmt: skip
#: Outcome of each, and what the work order comes from.
ENDS = {
    "question": ("work_order", "released"),
    "waiting": ("work_order", "released"),
    "ringing": ("talked", "talked"),
    "talking": ("talked", "talked"),
    "message": ("work_order", "declined"),
    "contact": ("work_order", "declined"),
    "kept": ("callback", "callback"),
    "calling": ("callback", "callback"),
    "screening": ("callback", "talked"),
    "operator": ("transferred", ""),
    "goodbye": ("abandoned", ""),
}
#: At the cloud the leader does not take the call that rings, and who is called back would rather leave the matter.
AT_THE_CLOUD = {"ringing": ("work_order", "released"), "screening": ("callback", "callback")}


@dataclass
class Hall:
    """The installation, and the phones that it knows from its start."""

    both: Both
    back: Phone
    at_once: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hall(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hall]:
    folder = tmp_path_factory.mktemp("closing")
    leader, at_once = a_leader(folder / "at-once", Leader(ring_s=0.05, talk_s=300))
    async with leader, Phone(folder / "back", "back", lines=2) as back:
        settings = {**SETTINGS, "HOTLINE_OPERATORS_LINE": at_once, "HOTLINE_CALLBACK_LINE": back.address}
        async with both_carriers(folder, settings, speed=SPEED, parts=("api", "bridge", "cron"), fetches=True) as both:
            both.brief.make_longer(LAST_WORDS, LAST_WORDS_S)
            yield Hall(both, back, at_once)


async def test_given_callers_of_both_carriers_at_every_node_when_cron_closes_the_session_then_each_ends_as_is_due(
    hall: Hall, tmp_path: Path
) -> None:
    both, house = hall.both, hall.both.house
    async with AsyncExitStack() as stack:
        sip, cloud = SipCallers(tmp_path, stack, hall.back, hall.at_once), CloudCallers(both.cloud)
        session_id, place = await hold(house, await sip.lines(), cloud.lines())
        await sip.gather(place)
        await cloud.gather(place)
        there = await gathered(house)
        await extend(house, session_id, OLD_END_IN_S)
        await extend(house, session_id, 7200.0)
        await outlive(house, there, OLD_END_IN_S + LOOKS_S)
        assert not both.played.calls("message_session_closed") | cloud.told(), "the old end is nobody's"
        closes_at = await extend(house, session_id, CLOSES_IN_S)
        await closed_for(house, there)
        assert datetime.now(UTC) >= closes_at
        waited = {call_id for call_id, node in there.items() if node == "waiting"}
        await until(lambda: waited <= both.played.calls("message_session_closed") | cloud.told(), 60, "all who waited told")
        await sip.talker.hears_tone(LEADER_HZ, 1.5)
        await sip.finish(place)
        await cloud.finish(place)
        outcomes = await accounted(house, session_id, len(there), 60)
    due = {call_id: end_of(call_id, node) for call_id, node in there.items()}
    assert outcomes == Counter(outcome for outcome, _ in due.values())
    assert {call_id: await house.core.ledger.outcome(call_id) for call_id in due} == {
        call_id: outcome for call_id, (outcome, _) in due.items()
    }
    sources = {call_id: source for call_id, (_, source) in due.items() if source}
    await until(lambda: has_orders(house, session_id, sources), 30, "the order of each")
    check = await until(lambda: checked(house, session_id), 60, "the check against the carriers' records")
    assert (check["complete"], check["calls"], check["missing"]) == (True, len(there), [])
    assert (check["asterisk"], check["cloud"]) == ("ok", "ok")
    await until(lambda: is_over(house, session_id), 30, "the session closed")
    both.cloud.assert_faultless()


async def hold(house: Installation, sip: dict[str, str], cloud: dict[str, str]) -> tuple[str, Place]:
    """A session whose leaders are all there; those who will call back are not free yet."""
    now = datetime.now(UTC)
    lines = {**{key: {"asterisk": line} for key, line in sip.items()}, **{key: {"twilio": line} for key, line in cloud.items()}}
    units = [UNITS[n % len(UNITS)] for n in range(len(lines))]
    body = {
        "opens_at": (now - timedelta(seconds=1)).isoformat(),
        "closes_at": (now + timedelta(hours=2)).isoformat(),
        "seats": [
            {"unit": unit, "leader": leader, "line": line}
            for (unit, leader), (_, line) in zip(units, sorted(lines.items()), strict=True)
        ],
    }
    session = await house.post("/api/sessions", body)
    place = Place(house, {str(n): seat["id"] for n, seat in enumerate(session["seats"], 1)})
    for key, seat_id in place.seats.items():
        await house.post(f"/api/seats/{seat_id}/open")
        if key in (keys[name] for keys in KEYS.values() for name in ("call", "screen")):
            await house.post(f"/api/seats/{seat_id}/pause", {"reason": "away"})
    return session["id"], place


async def extend(house: Installation, session_id: str, seconds: float) -> datetime:
    """The session ends so long from now."""
    closes_at = datetime.now(UTC) + timedelta(seconds=seconds)
    await house.post(f"/api/sessions/{session_id}/extend", {"closes_at": closes_at.isoformat(), "reason": "到点"})
    return closes_at


async def gathered(house: Installation) -> dict[str, str]:
    """Call id -> node, once both carriers have a caller at each."""
    expected = Counter({(carrier, node): count for node, count in AT_CLOSING.items() for carrier in KEYS})
    found: dict[str, str] = {}

    async def there() -> bool:
        found.clear()
        found.update(await nodes(house))
        return Counter((call_id[0], node) for call_id, node in found.items()) == expected

    try:
        await until(there, 40, "callers at every node")
    except AssertionError as error:
        missing = expected - Counter((call_id[0], node) for call_id, node in found.items())
        raise AssertionError(f"{error}: missing {missing} in {found}") from None
    return found


async def closed_for(house: Installation, there: dict[str, str]) -> None:
    """Who waited is asked for the matter, who kept a place has hung up long ago; nobody else was disturbed."""
    moved = {"waiting": "message"}
    expected = {call_id: moved.get(node, node) for call_id, node in there.items() if node != "kept"}

    async def so() -> bool:
        return await nodes(house) == expected

    await until(so, 30, "everybody at the node that closing time leads to")


def end_of(call_id: str, node: str) -> tuple[str, str]:
    return (AT_THE_CLOUD if call_id.startswith("t-") else ENDS).get(node, ENDS[node])


async def has_orders(house: Installation, session_id: str, sources: dict[str, str]) -> bool:
    found = await house.orders(session_id=session_id, limit="200")
    assert len(found) <= len(sources)
    return {order["call_id"]: order["source"] for order in found} == sources


async def is_over(house: Installation, session_id: str) -> bool:
    return bool((await house.get(f"/api/sessions/{session_id}"))["state"] == "closed")
