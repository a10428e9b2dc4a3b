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


async def happen(core: Core, *events: MakeEvent | str) -> None:
    """One after the other; "offer" = the leader's line begins to ring."""
    for event in events:
        make = await offer(core) if isinstance(event, str) else event
        await core.turns.take_turn("a-1", make)
        await core.outbox.idle()


async def offer(core: Core) -> MakeEvent:
    claim = await core.line.claim_next((await there(core)).seat_id, "test", 4 * LENGTH_S)
    assert claim is not None
    return lambda facts: Offered(facts=facts, seat_id=claim.seat_id, token=claim.token, line=claim.line)


async def there(core: Core) -> Call:
    call = await core.calls.get("a-1")
    assert call is not None
    return call
