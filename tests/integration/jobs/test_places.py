"""The place of a number: taken back within the grace time on whichever carrier, one order to call back, bursts slowed."""

from datetime import timedelta

import pytest

from calls.assembly import Core
from calls.places import Places
from config.columns import from_unix
from ivr.call import Call, Carrier
from ivr.events import Arrived, HungUp, Keyed
from jobs.cron import Cron
from sessions.calendar import Calendar
from sessions.plan import Plan, PlannedSeat
from tests.clocks import SetClock
from workorders.model import WorkOrder
from workorders.register import Wanted, find

NUMBER, OTHER = "+8613912345678", "+8613912345679"


async def hold_session(core: Core, clock: SetClock) -> str:
    """A session that is open for two hours, with a leader; the seat's id."""
    now = from_unix(clock())
    seat = PlannedSeat(unit="市住建局", leader="王局长", line_asterisk="sip:leader@127.0.0.1:5080")
    planned = Plan(opens_at=now, closes_at=now + timedelta(hours=2), seats=(seat,))
    session = await Calendar(core.database, clock).plan(planned)
    cron = Cron(core)
    await cron.opening.open(session.id)
    await cron.opening.sign_in(session.seats[0].id)
    return session.seats[0].id


async def arrive(core: Core, call_id: str, number: str) -> Call:
    carrier: Carrier = "twilio" if call_id.startswith("t-") else "asterisk"
    await core.calls.create(Call(call_id, carrier, core.clock(), number=number))
    return (await core.turns.take_turn(call_id, lambda facts: Arrived(facts=facts))).call


async def wait(core: Core, call_id: str, number: str = NUMBER) -> Call:
    """Calls and says 1."""
    await arrive(core, call_id, number)
    turn = await core.turns.take_turn(call_id, lambda facts: Keyed(facts=facts, key="1"))
    await core.outbox.idle()
    return turn.call


async def drop(core: Core, call_id: str) -> None:
    await core.turns.take_turn(call_id, lambda facts: HungUp(facts=facts))
    await core.outbox.idle()


async def orders(core: Core) -> tuple[WorkOrder, ...]:
    return (await find(core.database, Wanted(), limit=20)).items


@pytest.mark.parametrize(("first", "second"), [("a-1", "a-2"), ("t-1", "a-2"), ("a-1", "t-2")])
@pytest.mark.parametrize(("after_s", "kept"), [(179.0, True), (181.0, False)])
async def test_who_redials_within_three_minutes_has_the_place_back_on_any_carrier(
    core: Core, clock: SetClock, first: str, second: str, after_s: float, kept: bool
) -> None:
    seat_id = await hold_session(core, clock)
    joined_at = (await wait(core, first)).joined_at
    clock.pass_by(60)
    await wait(core, "a-9", OTHER)
    await drop(core, first)
    clock.pass_by(after_s)
    back = await wait(core, second)
    order = [caller.call_id for caller in await core.line.callers(seat_id)]
    assert order == ([second, "a-9"] if kept else ["a-9", second])
    assert (back.joined_at == joined_at) == kept
    assert [found.status for found in await orders(core)] == ["cancelled" if kept else "registered"]


async def test_two_drops_in_a_session_are_one_order_and_another_session_has_its_own(
    core: Core, clock: SetClock
) -> None:
    for held in (1, 2):
        await hold_session(core, clock)
        for attempt in range(3):
            await wait(core, f"a-{held}-{attempt}")
            await drop(core, f"a-{held}-{attempt}")
            clock.pass_by(200)
            found = await orders(core)
            assert len(found) == held
            assert {(one.source, one.status) for one in found} == {("abandoned", "registered")}
        for session in await Calendar(core.database, clock).find("open"):
            await Cron(core).opening.close(session.id)
    assert len({one.session_id for one in await orders(core)}) == 2


async def test_who_withholds_the_number_gets_an_order_for_each_call(core: Core, clock: SetClock) -> None:
    """Nobody can tell whether two such callers are one: neither is left out."""
    await hold_session(core, clock)
    for call_id in ("a-1", "a-2"):
        await wait(core, call_id, "")
        await drop(core, call_id)
    assert {one.call_id for one in await orders(core)} == {"a-1", "a-2"}
    assert (await core.ledger.summary()).outcomes == {"abandoned": 2}


async def test_the_thirteenth_call_in_five_minutes_may_leave_an_order_only(core: Core, clock: SetClock) -> None:
    await hold_session(core, clock)
    places = Places(core.redis, core.settings, clock)
    for n in range(1, 14):
        call = await arrive(core, f"a-{n}", NUMBER)
        for _ in range(3):  # a call counts once, however often it is looked at
            row = await places.begin_look(NUMBER, f"a-{n}", counted=True)
            assert places.read_look(f"a-{n}", row) == (None, n)
        assert call.reason == ("often" if n == 13 else "free")
        clock.pass_by(20)
    assert (await core.turns.take_turn("a-13", lambda facts: Keyed(facts=facts, key="1"))).call.node == "question"
    assert (await core.turns.take_turn("a-13", lambda facts: Keyed(facts=facts, key="2"))).call.node == "message"
    clock.pass_by(300)
    assert (await arrive(core, "a-14", NUMBER)).reason == "free"
