"""Closing time finds callers at every node: each is told or goes on, and everybody ends with what is due to them (A12)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from msgspec.structs import replace

from calls.assembly import Core
from config.columns import from_unix
from ivr.call import Call
from ivr.events import Answered, AnyEvent, Arrived, HungUp, Keyed, Missed, Offered, Recorded, TalkEnded
from ivr.facts import Facts
from jobs.cron import Cron
from sessions.calendar import Calendar
from sessions.plan import Plan, PlannedSeat
from telephony.switchboard import Switchboard
from tests.clocks import SetClock
from workorders.register import of_call

LENGTH_S = 7200.0
LATER_S = 1800.0
MakeEvent = Callable[[Facts], AnyEvent]


@dataclass(frozen=True)
class At:
    """Who is there when the session closes: how they got there (`offer` = the leader's line rings), where they are after it,
    what happens to them then, and what they have in the end."""

    node: str
    before: tuple[MakeEvent | str, ...]
    after: str
    then: tuple[MakeEvent, ...]
    outcome: str
    source: str
    number: str = "+8613912345000"


def key(pressed: str, later_s: float = 0.0) -> MakeEvent:
    return lambda facts: Keyed(facts=replace(facts, now=facts.now + later_s), key=pressed)


def answered(facts: Facts) -> AnyEvent:
    return Answered(facts=facts)


def hung_up(facts: Facts) -> AnyEvent:
    return HungUp(facts=facts)


def recorded(facts: Facts) -> AnyEvent:
    return Recorded(facts=facts, seconds=5.0, ended_by="key")


def talked(facts: Facts) -> AnyEvent:
    return TalkEnded(facts=facts, seconds=600.0)


def missed(facts: Facts) -> AnyEvent:
    return Missed(facts=facts, reason="no_answer")


def picked_up(facts: Facts) -> AnyEvent:
    return Arrived(facts=facts, leg="back-1")


KEPT = (key("1"), key("3", 5.0), hung_up)
EVERYBODY = (
    At("question", (), "question", (key("1"), recorded, hung_up), "work_order", "released"),
    At("waiting", (key("1"),), "message", (recorded, hung_up), "work_order", "released"),
    At("ringing", (key("1"), "offer"), "ringing", (answered, talked, hung_up), "talked", "talked"),
    At("ringing", (key("1"), "offer"), "ringing", (missed, hung_up), "abandoned", "abandoned"),
    At("talking", (key("1"), "offer", answered), "talking", (talked, hung_up), "talked", "talked"),
    At("message", (key("2"),), "message", (recorded, hung_up), "work_order", "declined"),
    At("contact", (key("2"), recorded), "contact", (key("#", 5.0), hung_up), "work_order", "declined", number=""),
    At("callback", (key("1"), key("3", 5.0)), "message", (recorded, hung_up), "callback", "released"),
    At("kept", KEPT, "ended", (), "callback", "callback"),
    At("calling", (*KEPT, "offer"), "calling", (picked_up, key("1"), answered, talked, hung_up), "callback", "talked"),
    At("calling", (*KEPT, "offer"), "calling", (hung_up,), "callback", "callback"),
    At("screening", (*KEPT, "offer", picked_up), "screening", (key("2"), recorded, hung_up), "callback", "callback"),
)


@pytest.mark.parametrize("one", EVERYBODY, ids=lambda one: f"{one.node}-{one.outcome}-{one.source}")
async def test_whoever_is_there_at_closing_time_is_served_to_the_end(core: Core, clock: SetClock, one: At) -> None:
    core.settings.callback_line = "sip:{number}@127.0.0.1:9"
    cron, calendar = Cron(core), Calendar(core.database, clock)
    seat = PlannedSeat(unit="市住建局", leader="王局长", line_asterisk="sip:l@127.0.0.1:9")
    opens, length = from_unix(clock()), timedelta(seconds=LENGTH_S)
    session = await calendar.plan(Plan(opens_at=opens, closes_at=opens + length, seats=(seat,)))
    await cron.tick()
    await cron.opening.sign_in(session.seats[0].id)
    call = await core.calls.create(Call("a-1", "asterisk", clock(), number=one.number))
    await happen(core, lambda facts: Arrived(facts=facts), *one.before)
    assert (await there(core)).node == one.node

    await calendar.extend(session.id, opens + length + timedelta(seconds=LATER_S))
    clock.pass_by(LENGTH_S)
    await cron.tick()
    assert ((await calendar.get(session.id)).state, (await there(core)).node) == ("open", one.node), "it was extended"
    clock.pass_by(LATER_S)
    await cron.tick()
    await core.outbox.idle()
    after = await there(core)
    assert (after.node, (await calendar.get(session.id)).state in ("closing", "closed")) == (one.after, True)
    assert after.reason == "session_closed" or after.node in (one.node, "ended"), "who waited is told"

    await happen(core, *one.then)
    clock.pass_by(60)
    await cron.tick()
    assert (await calendar.get(session.id)).state == "closed"
    summary = await core.ledger.summary(session.id)
    assert (summary.calls, summary.outcomes, summary.unaccounted) == (1, {one.outcome: 1}, ())
    order = await of_call(core.database, call.id)
    assert order is not None
    assert order.source == one.source


async def test_after_the_old_end_of_an_extended_session_callers_are_served_and_the_new_end_closes_it(
    core: Core, clock: SetClock
) -> None:
    """Who waited when the old end passed, on one carrier; who comes after it, on the other; who kept a place before; and one more,
    whom the new end finds waiting."""
    core.settings.callback_line, core.settings.wrap_up_s = "sip:{number}@127.0.0.1:9", 0.0
    cron, calendar = Cron(core), Calendar(core.database, clock)
    seat = PlannedSeat(unit="市住建局", leader="王局长", line_asterisk="sip:l@127.0.0.1:9", line_twilio="+8613900000001")
    opens, old_end = from_unix(clock()), from_unix(clock() + LENGTH_S)
    session = await calendar.plan(Plan(opens_at=opens, closes_at=old_end, seats=(seat,)))
    await cron.tick()
    await cron.opening.sign_in(session.seats[0].id)
    clock.pass_by(LENGTH_S - 60.0)
    for nth, (call_id, events) in enumerate({"t-1": (key("1"),), "a-2": KEPT}.items(), 1):
        await core.calls.create(Call(call_id, "twilio" if nth == 1 else "asterisk", clock(), number=f"+861391234500{nth}"))
        await happen(core, lambda facts: Arrived(facts=facts), *events, call_id=call_id)
    await calendar.extend(session.id, old_end + timedelta(seconds=LATER_S))
    clock.pass_by(90.0)
    await cron.tick()

    told = await core.calls.create(Call("a-3", "asterisk", clock(), number="+8613912345003"))
    arrived = await core.turns.take_turn(told.id, lambda facts: Arrived(facts=facts))
    assert (arrived.call.node, arrived.call.session_id) == ("question", session.id)
    await happen(core, key("1"), call_id="a-3")
    board = Switchboard(core.settings, core.redis, core.line, core.seats, core.turns, "test")
    for call_id, then in (("t-1", ()), ("a-2", (picked_up, key("1"))), ("a-3", ())):
        claim = await board.serve(session.seats[0].id)
        assert claim is not None
        assert claim.call_id == call_id, "in the order they joined"
        await happen(core, *then, answered, talked, hung_up, call_id=call_id)
        clock.pass_by(300.0)
        await cron.tick()
    await core.calls.create(Call("t-4", "twilio", clock(), number="+8613912345004"))
    await happen(core, lambda facts: Arrived(facts=facts), key("1"), call_id="t-4")
    await core.seats.pause(session.seats[0].id, "tea")

    clock.pass_by(LATER_S)
    await cron.tick()
    await core.outbox.idle()
    assert ((await there(core, "t-4")).node, (await there(core, "t-4")).reason) == ("message", "session_closed")
    await happen(core, recorded, hung_up, call_id="t-4")
    clock.pass_by(60)
    await cron.tick()
    assert (await calendar.get(session.id)).state == "closed"
    assert await board.serve(session.seats[0].id) is None
    summary = await core.ledger.summary(session.id)
    assert (summary.outcomes, summary.unaccounted) == ({"talked": 2, "callback": 1, "work_order": 1}, ())
    orders = [await of_call(core.database, call_id) for call_id in ("t-1", "a-2", "a-3", "t-4")]
    assert [order.source for order in orders if order] == ["talked", "talked", "talked", "released"]


async def happen(core: Core, *events: MakeEvent | str, call_id: str = "a-1") -> None:
    """One after the other; "offer" = the leader's line begins to ring."""
    for event in events:
        make = await offer(core) if isinstance(event, str) else event
        await core.turns.take_turn(call_id, make)
        await core.outbox.idle()


async def offer(core: Core) -> MakeEvent:
    claim = await core.line.claim_next((await there(core)).seat_id, "test", 4 * LENGTH_S)
    assert claim is not None
    return lambda facts: Offered(facts=facts, seat_id=claim.seat_id, token=claim.token, line=claim.line)


async def there(core: Core, call_id: str = "a-1") -> Call:
    call = await core.calls.get(call_id)
    assert call is not None
    return call
