"""The parts as a process has them: real Redis, real database, the real flow, ledger and work orders."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from redis.asyncio import Redis
from rq import Queue
from sqlalchemy import select

from calls.assembly import Core, build
from calls.enqueue import queue_name
from calls.promises import broken_promises
from calls.served_order import fairness_of
from calls.shards import call_key
from calls.strays import STRAY_FOR_S, Strays
from config.redis import connect_for_jobs
from config.settings import Settings
from ivr.call import Call
from ivr.events import Answered, AnyEvent, Arrived, HungUp, Keyed, Missed, Offered, Recorded, TalkEnded, Woken
from ivr.facts import Facts
from sessions.board import Board, PostedSeat, PostedSession, post
from telephony.switchboard import Switchboard
from tests.clocks import SetClock
from tests.tables import upgrade
from workorders.model import WorkOrder

CALL = "a-pbx1-1-1"
MakeEvent = Callable[[Facts], AnyEvent]


@pytest.fixture
async def core(redis: Redis, settings: Settings, clock: SetClock) -> AsyncIterator[Core]:
    settings.state_dir.mkdir(parents=True)
    await asyncio.to_thread(upgrade, settings.effective_database_url)
    made = build(settings, clock)
    held = PostedSession("x1", clock() - 60, clock() + 7200, "社保", (PostedSeat("s1", "市人社局", "王局长"),))
    await post(redis, settings.redis_prefix, Board(open=held))
    await made.seats.open("s1", "x1", "市人社局", "王局长", "sip:leader@127.0.0.1:5070")
    await made.calls.create(Call(CALL, "asterisk", clock(), number="+8613812345678", entered_at=clock()))
    yield made
    await made.close()


async def happens(core: Core, *events: MakeEvent) -> Call:
    for event in events:
        await core.turns.take_turn(CALL, event)
        await core.outbox.idle()
    call = await core.calls.get(CALL)
    assert call is not None
    return call


def arrived(facts: Facts) -> AnyEvent:
    return Arrived(facts=facts)


def hung_up(facts: Facts) -> AnyEvent:
    return HungUp(facts=facts)


def key(pressed: str) -> MakeEvent:
    return lambda facts: Keyed(facts=facts, key=pressed)


async def says_yes(core: Core, clock: SetClock, call_id: str, number: str) -> None:
    """Another caller, who says yes at once."""
    await core.calls.create(Call(call_id, "asterisk", clock(), number=number, entered_at=clock()))
    for event in (arrived, key("1")):
        await core.turns.take_turn(call_id, event)


async def test_one_in_the_line_whose_call_is_lost_keeps_nobody_from_the_leader(core: Core, clock: SetClock) -> None:
    ghost = "a-pbx1-0-9"
    await core.line.join("s1", ghost, clock() - 60, 7)
    await happens(core, arrived, key("1"))
    board = Switchboard(core.settings, core.redis, core.line, core.seats, core.turns, "me")
    assert await board.serve("s1") is None
    claim = await board.serve("s1")
    assert claim is not None
    assert claim.call_id == CALL
    assert (await core.line.join("s1", ghost, clock() - 60, 57)).position == 1  # restored after all: in the old place


@pytest.mark.parametrize("hangs_up", [False, True])
async def test_one_in_the_line_whose_record_is_damaged_keeps_nobody_from_the_leader(core: Core, clock: SetClock, hangs_up: bool) -> None:
    """Whether their phone is still off the hook, with the fallback, or not."""
    damaged = "a-pbx1-0-9"
    await says_yes(core, clock, damaged, "+8613900000009")
    await core.seats.pause("s1", "tea")
    await happens(core, arrived, key("1"))
    await core.redis.hset(call_key(core.settings.redis_prefix, damaged), "call", "{")
    if hangs_up:
        await core.turns.take_turn(damaged, hung_up)
    await core.seats.resume("s1")
    board = Switchboard(core.settings, core.redis, core.line, core.seats, core.turns, "me")
    claims = [await board.serve("s1") for _ in range(2)]
    assert [claim.call_id for claim in claims if claim] == [damaged, CALL]
    talking = await happens(core, lambda facts: Answered(facts=facts), lambda facts: TalkEnded(facts=facts, seconds=9.0))
    assert talking.outcome == "talked"
    assert await core.line.members("s1") == []
    told = [event.data for event in await core.ledger.events(damaged) if event.kind == "left_line"]
    assert told == [{"seat_id": "s1", "reason": "stray"}]
    assert (await fairness_of(core.database, "x1")).unexplained == 0


async def test_a_damaged_or_lost_call_in_mid_line_is_not_counted_in_what_others_are_told(core: Core, clock: SetClock) -> None:
    """Who cannot be read is taken out at the first look; who is not known, or went on elsewhere, when that stays so."""
    await core.seats.pause("s1", "tea")
    front, damaged, gone, ghost = "a-pbx1-0-1", "a-pbx1-0-2", "t-CA3", "a-pbx1-0-4"
    for nth, call_id in enumerate((front, damaged, gone)):
        await says_yes(core, clock, call_id, f"+861390000000{nth}")
        clock.pass_by(1)
    await core.line.join("s1", ghost, joined_at := clock(), 7)
    clock.pass_by(1)
    assert (await happens(core, arrived, key("1"))).told_position == 5
    strays = Strays(core)
    assert await strays.look() == 0, "the ghost may be restored yet"
    await core.redis.hset(call_key(core.settings.redis_prefix, damaged), "call", "{")
    assert await strays.look() == 1
    assert await core.line.members("s1") == [front, gone, ghost, CALL]
    fallen = await core.calls.get(damaged)
    assert fallen is not None
    assert fallen.node == "fallback", "nobody is left listening to the music"

    seen = await core.line.newest_act("s1", gone)
    await core.turns.take_turn(gone, hung_up)
    await core.outbox.idle()
    await core.line.join("s1", gone, clock() - 9, seen + 99)  # out of the books, and back by a mistake
    assert await strays.look() == 0
    clock.pass_by(STRAY_FOR_S)
    assert await strays.look() == 2
    assert await core.line.members("s1") == [front, CALL]
    clock.pass_by(core.settings.announce_every_s)
    assert (await happens(core, lambda facts: Woken(facts=facts))).told_position == 2
    assert (await core.line.join("s1", ghost, joined_at, 57)).position == 2, "restored after all: in the old place"
    assert await strays.look() == 0, "and has a time of its own again"
    await happens(core, hung_up)
    told = {call_id: [one.data for one in await core.ledger.events(call_id) if one.kind == "left_line"] for call_id in (damaged, ghost)}
    assert list(told.values()) == [[{"seat_id": "s1", "reason": "stray"}]] * 2
    assert (await fairness_of(core.database, "x1")).unexplained == 0


async def test_a_caller_whose_carrier_has_no_line_to_the_leader_is_an_order_and_the_next_one_is_served(core: Core, clock: SetClock) -> None:
    cloud = "t-CA1"
    await core.calls.create(Call(cloud, "twilio", clock(), number="+8613900000009", entered_at=clock()))
    for event in (arrived, key("1")):
        await core.turns.take_turn(cloud, event)
    await core.seats.pause("s1", "tea")
    await happens(core, arrived, key("1"))
    await core.seats.resume("s1")
    board = Switchboard(core.settings, core.redis, core.line, core.seats, core.turns, "me")
    claims = [await board.serve("s1") for _ in range(2)]
    assert [claim.call_id for claim in claims if claim] == [cloud, CALL]
    told = await core.turns.present(cloud)
    assert (told.call.node, told.call.outcome) == ("message", "work_order")
    await core.turns.take_turn(cloud, hung_up)
    await happens(core, lambda facts: Answered(facts=facts), hung_up)
    assert await broken_promises(core.database, "x1", clock() + 60) == ()
    assert [event.data.get("reason") for event in await core.ledger.events(cloud) if event.kind == "released"] == ["no_line"]


@pytest.mark.parametrize("as_it_ends", [False, True])
async def test_a_leader_who_hangs_up_in_every_whisper_is_rung_three_times_then_the_seat_pauses(
    core: Core, as_it_ends: bool
) -> None:
    """Or as it ends: the carrier tells of a talk, and afterwards that the two were never put together."""
    begun = (lambda facts: Answered(facts=facts),) if as_it_ends else ()
    await happens(core, arrived, key("1"))
    board = Switchboard(core.settings, core.redis, core.line, core.seats, core.turns, "me")
    for _ in range(3):
        claim = await board.serve("s1")
        assert claim is not None
        assert claim.call_id == CALL
        call = await happens(core, *begun, lambda facts: Missed(facts=facts, reason="gone"))
        assert call.node == "waiting"
    assert await board.serve("s1") is None
    seat = await core.seats.state("s1")
    assert (seat.state, seat.reason) == ("paused", "hung_up")
    assert await core.line.position("s1", CALL) == 1
    told = [event.data for event in await core.ledger.events(CALL) if event.kind == "seat_paused"]
    assert told == [{"seat_id": "s1", "reason": "hung_up", "times": 3}]
    await core.seats.resume("s1")  # the operators have spoken with the leader: the count begins anew
    assert await board.serve("s1") is not None
    await happens(core, *begun, lambda facts: Missed(facts=facts, reason="gone"))
    seat = await core.seats.state("s1")
    assert (seat.state, seat.gone) == ("free", 1)
    assert await board.serve("s1") is not None  # and a talk that was one begins it anew, too
    await happens(core, lambda facts: Answered(facts=facts), lambda facts: TalkEnded(facts=facts, seconds=9.0))
    seat = await core.seats.state("s1")
    assert (seat.state, seat.gone) == ("wrap_up", 0)


async def test_who_waits_talks_to_the_leader(core: Core, clock: SetClock) -> None:
    await happens(core, arrived, key("1"))
    claim = await core.line.claim_next("s1", "bridge", 30)
    assert claim is not None
    assert claim.call_id == CALL
    ringing = await happens(core, lambda facts: Offered(facts=facts, seat_id="s1", token=claim.token, line=claim.line))
    assert ringing.node == "ringing"
    talking = await happens(core, lambda facts: Answered(facts=facts))
    assert talking.node == "talking"
    assert (await core.seats.state("s1")).state == "talking"
    clock.pass_by(300)
    await happens(core, lambda facts: TalkEnded(facts=facts, seconds=300.0), hung_up)
    assert (await core.seats.state("s1")).state == "wrap_up"
    summary = await core.ledger.summary("x1")
    assert (summary.calls, summary.outcomes, summary.unaccounted) == (1, {"talked": 1}, ())


async def test_who_declines_hears_the_number_of_a_work_order(core: Core, settings: Settings) -> None:
    call = await happens(core, arrived, key("2"), lambda facts: Recorded(facts=facts, seconds=9.0, ended_by="key"))
    assert call.order_number
    await happens(core, hung_up)
    assert (await core.ledger.summary("x1")).outcomes == {"work_order": 1}
    connection = connect_for_jobs(settings)
    jobs = Queue(queue_name(settings), connection=connection).jobs
    assert [job.func_name for job in jobs] == ["jobs.recordings.finish_recording"]
    assert "13812345678" not in repr([(job.id, job.args) for job in jobs])
    connection.close()


async def test_who_hangs_up_while_waiting_leaves_the_line_and_an_order(core: Core) -> None:
    call = await happens(core, arrived, key("1"), hung_up)
    assert call.outcome == "abandoned"
    async with core.database.read() as session:
        orders = (await session.scalars(select(WorkOrder))).all()
    assert [(order.call_id, order.source, order.unit) for order in orders] == [(CALL, "abandoned", "市人社局")]
    assert await core.line.depth("s1") == 0
    assert (await core.ledger.summary("x1")).outcomes == {"abandoned": 1}
    assert (await core.outbox.lag()).lanes == 0
