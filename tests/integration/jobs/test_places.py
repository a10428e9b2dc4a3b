"""The place of a number: taken back within the grace time on whichever carrier, one order to call back, bursts slowed."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from redis.exceptions import RedisError
from sqlalchemy import select

from calls.assembly import Core
from calls.places import Places
from calls.promises import broken_promises
from calls.turn import Turn
from config.columns import from_unix
from ivr.call import Call, Carrier
from ivr.events import AnyEvent, Arrived, HungUp, Keyed, Offered, Released
from ivr.facts import Facts
from jobs.cron import Cron
from sessions.calendar import Calendar
from sessions.plan import Plan, PlannedSeat
from tests.clocks import SetClock
from workorders.model import Petitioner, WorkOrder
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
    key = Places(core.redis, core.settings, clock)._key(NUMBER, "place")
    assert await core.redis.ttl(key) > core.settings.redial_grace_s + 60, "it is there while they listen"
    clock.pass_by(after_s)
    assert ((await arrive(core, second, NUMBER)).reason == "kept") == kept
    clock.pass_by(15)  # they listen to what was said of the place: it holds
    back = (await core.turns.take_turn(second, lambda facts: Keyed(facts=facts, key="1"))).call
    await core.outbox.idle()
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
            assert places.read_look(f"a-{n}", row, clock()) == (None, n)
        assert call.reason == ("often" if n == 13 else "free")
        clock.pass_by(20)
    assert (await core.turns.take_turn("a-13", lambda facts: Keyed(facts=facts, key="1"))).call.node == "question"
    assert (await core.turns.take_turn("a-13", lambda facts: Keyed(facts=facts, key="2"))).call.node == "message"
    clock.pass_by(300)
    assert (await arrive(core, "a-14", NUMBER)).reason == "free"


async def test_who_gives_up_the_place_to_a_newer_call_is_told_also_when_that_fails_at_first(
    core: Core, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And when a third call comes before anybody was told: one call stands for the number, the newest."""
    seat_id = await hold_session(core, clock)
    await wait(core, "a-1")
    take_turn = core.turns.take_turn

    async def away(call_id: str, make_event: Callable[[Facts], AnyEvent], **more: Any) -> Turn:
        if isinstance(make_event(await core.facts.begin(call_id).of(Call(call_id, "asterisk", clock()))), Released):
            raise RedisError("away")
        return await take_turn(call_id, make_event, **more)

    monkeypatch.setattr(core.turns, "take_turn", away)
    for call_id in ("a-2", "a-3"):
        clock.pass_by(10)
        await wait(core, call_id)
    assert len(await core.line.callers(seat_id)) == 3
    monkeypatch.undo()
    for _ in range(4):
        clock.pass_by(60)
        await core.outbox.drain_once()
        await core.outbox.idle()
    assert [one.call_id for one in await core.line.callers(seat_id)] == ["a-3"]
    assert [(await core.calls.get(one)).node for one in ("a-1", "a-2")] == ["goodbye", "goodbye"]  # type: ignore[union-attr]
    places = Places(core.redis, core.settings, clock)
    for again in ("a-1", "a-2", "a-3"):  # what a process repeats that had died
        assert await places.take(NUMBER, again, seat_id, clock()) == []


async def test_who_was_promised_a_call_and_hangs_up_as_the_leader_is_rung_is_the_next_to_be_called_on_their_newest_call(
    core: Core, clock: SetClock
) -> None:
    """The promise outlasts the ring, and goes over to a newer call of the number that takes the place, whose order it is then."""
    core.settings.callback_line = "sip:{number}@127.0.0.1:9"
    seat_id = await hold_session(core, clock)
    await wait(core, "a-1")
    clock.pass_by(10)
    await core.turns.take_turn("a-1", lambda facts: Keyed(facts=facts, key="3"))
    for node in ("ringing", "calling"):  # on the phone still, and then not any more
        claim = await core.line.claim_next(seat_id, "test", 60)
        assert claim is not None, node
        offered = partial(Offered, seat_id=seat_id, token=claim.token, line=claim.line)
        assert (await core.turns.take_turn("a-1", lambda facts: offered(facts=facts))).call.node == node  # noqa: B023
        await drop(core, "a-1")
        assert [(one.call_id, one.state) for one in await core.line.callers(seat_id)] == [("a-1", "callback")]
    assert (await core.ledger.outcome("a-1"), await orders(core)) == ("callback", ())
    await wait(core, "t-2")
    assert [one.call_id for one in await core.line.callers(seat_id)] == ["t-2"]
    assert await forgotten(core, "t-2") == []
    assert await forgotten(core) == ["a-1"], "if nobody waited now"
    await drop(core, "t-2")
    assert [(one.source, one.call_id) for one in await orders(core)] == [("abandoned", "t-2")]
    assert await forgotten(core) == []


async def test_only_a_telephone_that_may_be_rung_is_promised_a_call_and_it_is_known_by_the_number_of_any_other_call(
    core: Core, clock: SetClock
) -> None:
    """Premium rate, satellite, abroad and our own number are orders, whether they are keyed in or presented."""
    core.settings.callback_line = "sip:{number}@127.0.0.1:9"
    await hold_session(core, clock)
    for call_id, keys, dialled in (("a-1", "13912345678#", NUMBER), ("a-2", "008821612345678#8123456#", "+867348123456")):
        call = await wait(core, call_id, "")
        clock.pass_by(10)
        for pressed in f"3{keys}":
            clock.pass_by(1)
            call = (await core.turns.take_turn(call_id, lambda facts: Keyed(facts=facts, key=pressed))).call  # noqa: B023
        assert (call.node, call.reason, call.contact) == ("callback", "kept", dialled)
        await drop(core, call_id)
    async with core.database.read() as session:
        hashes = set(await session.scalars(select(Petitioner.number_hash)))
    assert core.database.cipher.hash_number(NUMBER) in hashes
    await wait(core, "a-3", "+442071838750")
    clock.pass_by(10)
    abroad = (await core.turns.take_turn("a-3", lambda facts: Keyed(facts=facts, key="3"))).call
    assert (abroad.node, abroad.reason, abroad.ordered) == ("callback", "", True)


async def forgotten(core: Core, *live: str) -> list[str]:
    """Who was promised a call and has nothing, if these calls go on."""
    return [one.call_id for one in await broken_promises(core.database, None, core.clock() + 1, live)]
