"""Leaders who do not take a call: nobody is lost, the first stays the first with the first joining time, and hears why."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from config.secrets import secret
from ivr.limits import Limits
from ivr.verbs import Prompt
from telephony.demo.scenarios import Citizen, Leader
from tests.integration.asterisk.ami import Ami
from tests.phones import hearing
from tests.phones.baresip import Phone
from tests.phones.ports import free_block
from tests.system.callers import order, until_order
from tests.system.crowd import a_leader, citizens, numbers
from tests.system.installation import Installation
from tests.system.joining import say_yes
from tests.system.watch import (
    accounted,
    ended,
    hears,
    kinds,
    reaches,
    seat_is,
    session,
    sounds,
)
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

RACES = 10


@asynccontextmanager
async def first_and_second(
    house: Installation, folder: Path, seat_id: str, number: str
) -> AsyncIterator[tuple[Phone, list[tuple[str, float]]]]:
    """A citizen with a phone, behind them one more in the line of a leader who is not there yet; the line as it is then."""
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(Phone(folder / "first", number))
        call_id = await say_yes(house, first)
        await until(lambda: length_is(house, seat_id, 1))
        second = Citizen(keys=((1.0, "1"),), stay_s=200, callers=numbers(int(number[-3:]), 1))
        await stack.enter_async_context(citizens(house, folder / "second", second, 1))
        await until(lambda: length_is(house, seat_id, 2), 20)
        line = await order(house, seat_id)
        assert line[0][0] == call_id
        yield first, line
        await first.hang_up()
        # The load generator goes without a word; the network would tell us.
        await house.asterisk.command("channel request hangup all")


async def length_is(house: Installation, seat_id: str, length: int) -> bool:
    return await house.core.line.depth(seat_id) == length


async def missed(house: Installation, first: Phone, seat_id: str, line: list[tuple[str, float]]) -> str:
    """The seat is paused, the first is the first as before and hears an apology; what the ledger says about it."""
    await seat_is(house, seat_id, "paused")
    await reaches(house, line[0][0], "waiting")
    await until_order(house, seat_id, line)
    await hears(house, first, Prompt("waiting_leader_missed"), Prompt("next_is_you"))
    reasons: list[str] = []

    async def told() -> bool:
        events = (await house.get(f"/api/calls/{line[0][0]}"))["events"]
        reasons[:] = [str(event["data"]["reason"]) for event in events if event["kind"] == "missed"]
        return bool(reasons)

    await until(told, 20, "the miss in the ledger")
    (reason,) = reasons
    return reason


async def resume(house: Installation, seat_id: str, line: list[tuple[str, float]]) -> None:
    """The leader is back: the same caller is offered first."""
    await house.post(f"/api/seats/{seat_id}/resume")

    async def offered() -> list[int]:
        calls = [kinds(await house.get(f"/api/calls/{call_id}")) for call_id, _ in line]
        times = [told.count("offered") for told in calls]
        return times if sum(times) > 1 else []

    assert await until(offered, 20, "the next offer") == [2, 0]


@pytest.mark.parametrize(("answer", "reason"), [("busy", "busy"), ("decline", "declined")])
async def test_given_a_leader_who_refuses_when_resumed_then_the_same_caller_comes_first(
    brisk_house: Installation, tmp_path: Path, answer: str, reason: str
) -> None:
    house = brisk_house
    leader, address = a_leader(tmp_path / "leader", Leader("busy" if answer == "busy" else "decline", ring_s=0.3))
    async with leader, session(house, address, sign_in=False) as (session_id, seat_id):
        number = f"138000005{len(answer):02d}"
        async with first_and_second(house, tmp_path, seat_id, number) as (first, line):
            await house.post(f"/api/seats/{seat_id}/open")
            assert await missed(house, first, seat_id, line) == reason
            await resume(house, seat_id, line)
            await seat_is(house, seat_id, "paused")
        assert await accounted(house, session_id, 2) == {"abandoned": 2}


async def test_given_a_desk_phone_that_is_busy_then_the_second_line_of_the_seat_rings(
    brisk_house: Installation, tmp_path: Path
) -> None:
    house = brisk_house
    desk, busy = a_leader(tmp_path / "desk", Leader("busy", ring_s=0.1))
    mobile, taken = a_leader(tmp_path / "mobile", Leader(ring_s=0.1, talk_s=6.0))  # longer than the whisper
    waits = Citizen(keys=((1.0, "1"),), stay_s=60, callers=numbers(520, 1))
    caller = citizens(house, tmp_path / "caller", waits, 1)
    async with desk, mobile, session(house, f"{busy},{taken}") as (session_id, _), caller:
        assert await accounted(house, session_id, 1) == {"talked": 1}
    (order,) = await house.orders(session_id=session_id)
    told = [event["kind"] for event in (await house.get(f"/api/calls/{order['call_id']}"))["events"]]
    assert told == ["arrived", "willing", "offered", "next_line", "connected", "talked", "closed"]


async def test_given_nobody_at_the_leaders_address_then_the_caller_is_still_the_first(
    brisk_house: Installation, tmp_path: Path
) -> None:
    house = brisk_house
    line_address = f"sip:leader@127.0.0.1:{free_block(1)}"
    async with session(house, line_address, sign_in=False) as (session_id, seat_id):
        async with first_and_second(house, tmp_path, seat_id, "13800000511") as (first, line):
            await house.post(f"/api/seats/{seat_id}/open")
            assert await missed(house, first, seat_id, line) == "no_answer"  # over UDP, silence is all there is
        assert await accounted(house, session_id, 2) == {"abandoned": 2}


async def test_given_a_leader_who_does_not_answer_then_talks_the_same_caller_is_served(
    brisk_house: Installation, tmp_path: Path
) -> None:
    house = brisk_house
    async with (
        Phone(tmp_path / "leader", "leader", tone_hz=900.0) as leader,
        session(house, leader.address, sign_in=False) as (session_id, seat_id),
        first_and_second(house, tmp_path, seat_id, "13800000512") as (first, line),
    ):
        await house.post(f"/api/seats/{seat_id}/open")
        await leader.until("CALL_INCOMING")
        assert await missed(house, first, seat_id, line) == "no_answer"
        await resume(house, seat_id, line)
        await rings(leader, 2)
        await leader.answer()
        await hears(house, leader, Prompt("whisper_new"), Prompt("whisper_behind", {"count": 1}))
        await seat_is(house, seat_id, "talking")
        await until_order(house, seat_id, line[1:])
        await leader.hang_up()
        await rings(leader, 3)
        assert (await house.core.seats.state(seat_id)).call_id == line[1][0]
        call = await ended(house, line[0][0])
        assert call["outcome"] == "talked"
        assert kinds(call).count("missed") == 1
    assert sum((await accounted(house, session_id, 2)).values()) == 2


async def test_given_a_leader_who_hangs_up_in_the_whisper_or_as_it_ends_then_only_a_talk_counts_as_one(
    brisk_house: Installation, tmp_path: Path
) -> None:
    """At once, then later and later, up to after its end. Whether that was a talk is Asterisk's to say, however slow
    phones and bridge are: it is one if both were in the bridge before the leader's hang-up; else the caller is the first
    again, with the first joining time, and the leader's phone rings for them again; after the third in a row when the
    seat is resumed."""
    house = brisk_house
    whisper_s = sum(hearing.read(path).size for path in await sounds(house, [Prompt("whisper_new")])) / hearing.RATE
    async with (
        Phone(tmp_path / "leader", "leader", tone_hz=900.0) as leader,
        Phone(tmp_path / "citizen", "13800000514") as citizen,
        session(house, leader.address) as (session_id, seat_id),
        house_ami(house) as ami,
    ):
        call_id, talks, in_a_row, known = "", 0, 0, set[str]()
        for rung, late in enumerate(LATE, 1):
            if not call_id:
                await seat_is(house, seat_id, "free")
                await citizen.dial(house.service)
                call_id = await until(partial(another, house, known), 20, "the next call")
                known.add(call_id)
                await reaches(house, call_id, "question")
                await citizen.press("1")
            await rings(leader, rung)
            joined_at = (await reaches(house, call_id, "ringing")).joined_at
            mark = len(ami.seen)
            await leader.answer()
            if late is not None:
                await leader.listen(whisper_s + late)
            await leader.hang_up()
            await until(partial(over, leader, rung), 30, "the leader's phone idle")
            if await until(partial(verdict, ami, mark), 30, "Asterisk's verdict") == "talk":
                call = await ended(house, call_id)
                assert (call["outcome"], kinds(call).count("talked")) == ("talked", 1)
                await citizen.until("CALL_CLOSED")
                await until(partial(over, citizen, talks + 1), 30, "the citizen's phone idle")
                call_id, talks, in_a_row = "", talks + 1, 0
            else:
                in_a_row = (in_a_row + 1) % Limits().most_gone
                if not in_a_row:
                    await seat_is(house, seat_id, "paused")
                    assert (await house.core.seats.state(seat_id)).reason == "hung_up"
                    await house.post(f"/api/seats/{seat_id}/resume")
                await until(partial(counts, house, call_id, "offered", "missed"), 30, "the same caller offered again")
                again = await reaches(house, call_id, "ringing")
                assert (again.joined_at, again.outcome) == (joined_at, None)
        assert len(known) - talks <= 1
        await citizen.hang_up() if call_id else None
        assert sum((await accounted(house, session_id, len(known))).values()) == len(known)


#: Seconds before and after the end of the whisper at which the leader hangs up; None = at once.
LATE = (None, None, None, -0.1, 0.0, 0.05, 0.6)


def house_ami(house: Installation) -> Ami:
    return Ami(house.settings.effective_ami_port, house.settings.ami_user, secret(house.settings, "ami_secret"))


def verdict(ami: Ami, mark: int) -> str:
    """What Asterisk told of the attempt since then, once it is over: `talk`, `none`, or empty."""
    events = [event for event in ami.seen[mark:] if event["Event"] in {"BridgeEnter", "HangupRequest", "AsyncAGIStart"}]
    bridged = hung_up = False
    for event in events:
        caller = event["Channel"].startswith("PJSIP/caller")
        if event["Event"] == "AsyncAGIStart":
            return "talk" if bridged else "none"
        hung_up = hung_up or (event["Event"] == "HangupRequest" and not caller)
        bridged = bridged or (
            event["Event"] == "BridgeEnter" and caller and event["BridgeNumChannels"] == "2" and not hung_up
        )
    return ""


async def counts(house: Installation, call_id: str, more: str, less: str) -> bool:
    found = kinds(await house.get(f"/api/calls/{call_id}"))
    return found.count(more) == found.count(less) + 1


def over(phone: Phone, times: int) -> bool:
    return [event.get("type") for event in phone.events].count("CALL_CLOSED") >= times


async def rings(phone: Phone, times: int) -> None:
    """It rang that often in all."""
    await until(
        lambda: [event.get("type") for event in phone.events].count("CALL_INCOMING") >= times, 20, "the leader's phone"
    )


async def test_given_a_leader_who_answers_at_the_moment_the_caller_hangs_up_then_nobody_is_lost(
    brisk_house: Installation, tmp_path: Path
) -> None:
    """Again and again, each of the two a little earlier or later: one outcome each time, an order for every matter,
    and a seat that is never stuck."""
    house = brisk_house
    async with (
        Phone(tmp_path / "leader", "leader", tone_hz=900.0) as leader,
        Phone(tmp_path / "citizen", "13800000513") as citizen,
        session(house, leader.address) as (session_id, seat_id),
    ):
        known: set[str] = set()
        for race in range(RACES):
            await until(lambda: free_again(house, seat_id), 20, "the seat free")
            await citizen.dial(house.service)
            call_id = await until(lambda: another(house, known), 20, "the next call")
            known.add(call_id)
            await reaches(house, call_id, "question")
            await citizen.press("1")
            await rings(leader, race + 1)
            both = (leader.answer(), citizen.hang_up())
            results = await asyncio.gather(*(both if race % 2 else both[::-1]), return_exceptions=True)
            assert not [error for error in results if error and not isinstance(error, RuntimeError)]
            call = await ended(house, call_id)
            assert call["outcome"] in {"talked", "abandoned"}
            await until(partial(both_idle, leader, citizen, race + 1), 20, "both phones idle")
        outcomes = await accounted(house, session_id, RACES)
        assert sum(outcomes.values()) == RACES
        await until(lambda: length_is(house, seat_id, 0))
    for calls in (await one_matter(house, known)).values():
        await until(partial(has_order, house, calls, known), 60, "an order")


async def free_again(house: Installation, seat_id: str) -> bool:
    """A leader who is taken for absent comes back, whenever that is."""
    state = (await house.core.seats.state(seat_id)).state
    if state == "paused":
        await house.post(f"/api/seats/{seat_id}/resume")
    return state == "free"


async def one_matter(house: Installation, calls: set[str]) -> dict[str, set[str]]:
    """First call -> it and those who took its place back: who is cut off and calls again has one matter."""
    matters: dict[str, set[str]] = {}
    for call_id in calls:
        first = call_id
        while before := [
            str(event.data["from_call"])
            for event in await house.core.ledger.events(first)
            if event.kind == "place_taken_back"
        ]:
            first = before[0]
        matters.setdefault(first, set()).add(call_id)
    return matters


async def has_order(house: Installation, calls: set[str], of_number: set[str]) -> bool:
    """A matter's own order, or the one to call this number back, which there is once a session (R5.3e)."""
    orders = [order for call_id in of_number for order in await house.orders(call_id=call_id)]
    return any(
        order["status"] == "dispatched" and (order["call_id"] in calls or order["source"] == "abandoned")
        for order in orders
    )


async def another(house: Installation, known: set[str]) -> str:
    calls = [await house.core.calls.get(call_id) for call_id in await house.core.calls.live()]
    fresh = [call.id for call in calls if call is not None and call.node != "ended" and call.id not in known]
    return fresh[0] if fresh else ""


def both_idle(leader: Phone, citizen: Phone, times: int) -> bool:
    return all(
        [event.get("type") for event in phone.events].count("CALL_CLOSED") >= times for phone in (leader, citizen)
    )
