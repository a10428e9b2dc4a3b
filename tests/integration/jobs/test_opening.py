"""A session opens and closes by itself, and nobody who waits is forgotten (A12)."""

from zlib import crc32

import pytest
from sqlalchemy import delete

from calls.acts import Acts, Author
from calls.assembly import Core
from calls.opening import LATE_JOINERS_S
from ivr.call import Call
from ivr.events import Answered, Arrived, HungUp, Keyed, Offered, Recorded, Released, TalkEnded
from jobs.cron import Cron
from queueing.seats import HELD
from sessions.board import read_board
from sessions.calendar import Calendar
from sessions.model import Session
from tests.clocks import SetClock
from tests.integration.jobs.conftest import LENGTH_S
from workorders.model import Petitioner
from workorders.register import of_call, petitioner


def number_of(name: str) -> str:
    """Everybody has a number of their own."""
    return f"+86139{crc32(name.encode()) % 100_000_000:08d}"


async def wait_in_line(core: Core, name: str) -> str:
    """A caller who said 1."""
    call = await core.calls.create(
        Call(id=f"a-{name}", carrier="asterisk", started_at=core.clock(), number=number_of(name))
    )
    await core.turns.take_turn(call.id, lambda facts: Arrived(facts=facts))
    turn = await core.turns.take_turn(call.id, lambda facts: Keyed(facts=facts, key="1"))
    assert turn.call.node == "waiting"
    return call.id


async def open_with_leader(core: Core, cron: Cron, session: Session, clock: SetClock) -> str:
    clock.pass_by(10)
    await cron.tick()
    seat_id = session.seats[0].id
    assert await cron.opening.sign_in(seat_id) == "free"
    return seat_id


async def test_the_board_shows_the_session_first_as_next_then_as_open(
    core: Core, session: Session, clock: SetClock
) -> None:
    cron = Cron(core)
    assert await cron.tick()
    board = await read_board(core.redis, core.settings.redis_prefix)
    assert board.open is None
    assert board.next is not None
    assert board.next.id == session.id
    clock.pass_by(10)
    await cron.tick()
    board = await read_board(core.redis, core.settings.redis_prefix)
    assert board.open is not None
    assert (board.open.id, board.open.seats[0].leader) == (session.id, "王局长")


async def test_at_closing_time_who_waits_becomes_a_work_order_and_the_talk_goes_on(
    core: Core, session: Session, clock: SetClock
) -> None:
    cron, calendar = Cron(core), Calendar(core.database, clock)
    seat_id = await open_with_leader(core, cron, session, clock)
    talking, *waiting = [await wait_in_line(core, f"{number}") for number in range(4)]
    claim = await core.line.claim_next(seat_id, "test", 60)
    assert claim is not None
    assert claim.call_id == talking
    await core.turns.take_turn(
        talking, lambda facts: Offered(facts=facts, seat_id=seat_id, token=claim.token, line=claim.line)
    )
    await core.turns.take_turn(talking, lambda facts: Answered(facts=facts))

    clock.pass_by(LENGTH_S)
    await cron.tick()
    for call_id in waiting:
        call = await core.calls.get(call_id)
        assert call is not None
        assert call.node in ("message", "contact", "order")
    assert (await core.calls.get(talking)).node == "talking"  # type: ignore[union-attr]
    assert await core.line.depth(seat_id) == 0
    assert (await calendar.get(session.id)).state == "closing"
    assert (await read_board(core.redis, core.settings.redis_prefix)).open is None

    await core.turns.take_turn(talking, lambda facts: TalkEnded(facts=facts, seconds=600.0))
    clock.pass_by(60)
    await cron.tick()
    assert (await calendar.get(session.id)).state == "closed"
    assert (await core.seats.state(seat_id)).state == "closed"

    await core.turns.take_turn(waiting[0], lambda facts: Recorded(facts=facts, seconds=5.0, ended_by="key"))
    for call_id in (*waiting, talking):
        await core.turns.take_turn(call_id, lambda facts: HungUp(facts=facts))
    await core.outbox.idle()
    summary = await core.ledger.summary(session.id)
    assert summary.complete, summary
    assert summary.outcomes == {"talked": 1, "work_order": 3}


async def test_a_late_joiner_of_a_closed_session_is_still_looked_after(
    core: Core, session: Session, clock: SetClock
) -> None:
    cron = Cron(core)
    seat_id = await open_with_leader(core, cron, session, clock)
    late = await wait_in_line(core, "late")
    call = await core.calls.get(late)
    assert call is not None
    await core.line.leave(seat_id, late, "failed", call.seq)
    clock.pass_by(LENGTH_S)
    await cron.tick()
    await core.line.join(seat_id, late, call.joined_at, call.seq + 1)
    clock.pass_by(LATE_JOINERS_S / 2)
    await cron.tick()
    assert await core.line.depth(seat_id) == 0


async def test_a_leader_who_leaves_early_leaves_nobody_waiting(core: Core, session: Session, clock: SetClock) -> None:
    cron = Cron(core)
    seat_id = await open_with_leader(core, cron, session, clock)
    caller, late = await wait_in_line(core, "1"), await wait_in_line(core, "2")
    joined = await core.calls.get(late)
    assert joined is not None
    await core.line.leave(seat_id, late, "failed", joined.seq)
    assert await cron.opening.sign_out(seat_id) == "closed"
    call = await core.calls.get(caller)
    assert call is not None
    assert call.node in ("message", "contact", "order")
    assert await core.line.depth(seat_id) == 0
    # A turn that read the board before is looked after at the next tick.
    await core.line.join(seat_id, late, joined.joined_at, joined.seq + 1)
    clock.pass_by(2)
    await cron.tick()
    assert await core.line.depth(seat_id) == 0
    assert (await hears(core, late))[0] == "message_leader_left"


async def test_who_calls_after_the_leader_left_hears_so_and_is_not_let_into_the_line(
    core: Core, session: Session, clock: SetClock
) -> None:
    """Also when Redis lost everything meanwhile, and until the leader comes back."""
    cron = Cron(core)
    clock.pass_by(10)
    await cron.tick()
    seat_id = session.seats[0].id
    assert "leader_not_here" in await hears(core, await wait_in_line(core, "late"))
    await cron.opening.sign_in(seat_id)
    await cron.opening.sign_out(seat_id)
    for name in ("left", "lost"):
        call = await core.calls.create(Call(id=f"a-{name}", carrier="asterisk", started_at=clock()))
        await core.turns.take_turn(call.id, lambda facts: Arrived(facts=facts))
        assert {"line_left", "choose_ended"} <= set(await hears(core, call.id))
        turn = await core.turns.take_turn(call.id, lambda facts: Keyed(facts=facts, key="1"))
        assert (turn.call.node, turn.call.reason) == ("question", "left")
        turn = await core.turns.take_turn(call.id, lambda facts: Keyed(facts=facts, key="3"))
        assert turn.call.node == "contact"
        await core.redis.flushall()
        clock.pass_by(2)
        await cron.tick()
    await cron.opening.sign_in(seat_id)
    await wait_in_line(core, "back")
    assert await core.line.depth(seat_id) == 1


async def hears(core: Core, call_id: str) -> list[str]:
    turn = await core.turns.present(call_id)
    return [prompt.key for verb in turn.verbs for prompt in verb.prompts]


async def test_a_seat_that_redis_lost_is_open_again_at_the_second_look(
    core: Core, session: Session, clock: SetClock
) -> None:
    cron = Cron(core)
    seat_id = await open_with_leader(core, cron, session, clock)
    await core.redis.flushall()
    for _ in range(2):  # the bridges put back their talks in between
        clock.pass_by(2)
        await cron.tick()
    seat = await core.seats.state(seat_id)
    assert (seat.state, seat.leader) == ("free", "王局长")
    assert (await read_board(core.redis, core.settings.redis_prefix)).open is not None


@pytest.mark.parametrize("leader_is_there", [True, False])
async def test_a_hold_and_what_was_announced_stand_again_when_redis_lost_everything(
    core: Core, session: Session, clock: SetClock, leader_is_there: bool
) -> None:
    """Also for a leader who signs in only afterwards, and until it is resumed."""
    cron, acts, seat_id = Cron(core), Acts(core), session.seats[0].id
    if leader_is_there:
        await open_with_leader(core, cron, session, clock)
    else:
        clock.pass_by(10)
        await cron.tick()
    for act, data in (("resume", {}), ("admission", {"admission": "closed"}), ("hold", {})):
        clock.pass_by(1)
        await acts.note_session(session.id, act, Author("张三", "消防演习"), **data)
    held_at = clock()
    await core.redis.flushall()
    for _ in range(2):
        clock.pass_by(2)
        await cron.tick()
    if not leader_is_there:
        await cron.opening.sign_in(seat_id)
    seat = await core.seats.state(seat_id)
    assert (seat.state, seat.reason) == ("paused", HELD)
    await core.line.join(seat_id, "a-1", clock(), 1)
    assert await core.line.claim_next(seat_id, "test", 60) is None
    hanging = (await read_board(core.redis, core.settings.redis_prefix)).open
    assert hanging is not None
    assert (hanging.notice, hanging.notice_at, hanging.admission_closed) == ("held", held_at, True)
    await core.seats.hold(seat_id, on=False)
    clock.pass_by(2)
    await cron.tick()  # once is enough: nothing was lost since
    assert await core.line.claim_next(seat_id, "test", 60) is not None


async def keep_place(core: Core, clock: SetClock, name: str) -> str:
    """A caller who said 1, then 3, and hung up."""
    core.settings.callback_line = "sip:{number}@127.0.0.1:9"
    call_id = await wait_in_line(core, name)
    clock.pass_by(5)
    await core.turns.take_turn(call_id, lambda facts: Keyed(facts=facts, key="3"))
    turn = await core.turns.take_turn(call_id, lambda facts: HungUp(facts=facts))
    assert turn.call.node == "kept"
    return call_id


@pytest.mark.parametrize("closes_at_once", [False, True])
async def test_kept_places_outlast_redis_and_are_called_back_or_become_orders(
    core: Core, session: Session, clock: SetClock, closes_at_once: bool
) -> None:
    """Nobody is on the phone, so no channel remembers them; at closing time everybody is accounted for."""
    cron = Cron(core)
    seat_id = await open_with_leader(core, cron, session, clock)
    for _ in range(2):
        clock.pass_by(1)
        await cron.tick()
    kept = [await keep_place(core, clock, name) for name in ("first", "second")]
    gone = await keep_place(core, clock, "gone")
    await core.turns.take_turn(gone, lambda facts: Released(facts=facts, to="work_order", reason="x"))
    joined = [(await core.calls.get(call_id)).joined_at for call_id in kept]  # type: ignore[union-attr]
    await core.outbox.idle()
    await core.redis.flushall()
    clock.pass_by(LENGTH_S if closes_at_once else 1)
    await cron.tick()
    if not closes_at_once:
        clock.pass_by(1)
        await cron.tick()
        waiting = await core.line.callers(seat_id)
        assert [(one.call_id, one.joined_at, one.state) for one in waiting] == [
            (call_id, at, "callback") for call_id, at in zip(kept, joined, strict=True)
        ]
        claim = await core.line.claim_next(seat_id, "test", 60)
        assert claim is not None
        turn = await core.turns.take_turn(
            kept[0], lambda facts: Offered(facts=facts, seat_id=seat_id, token=claim.token, line=claim.line)
        )
        assert (turn.call.node, turn.call.number) == ("calling", number_of("first"))
        # The number's place came back, too: who calls from it is known to be in the line.
        back = await core.calls.create(Call("a-back", "asterisk", clock(), number=number_of("second")))
        assert (await core.turns.take_turn(back.id, lambda facts: Arrived(facts=facts))).call.reason == "kept"
        await core.turns.take_turn(back.id, lambda facts: HungUp(facts=facts))
        await core.turns.take_turn(kept[0], lambda facts: HungUp(facts=facts))
        clock.pass_by(LENGTH_S)
        await cron.tick()
    for _ in range(2):
        clock.pass_by(1)
        await cron.tick()
    await core.outbox.idle()
    assert await core.line.depth(seat_id) == 0
    for call_id in (*kept, gone):
        order = await of_call(core.database, call_id)
        assert order is not None
        person = await petitioner(core.database, order.id)
        assert person is not None
        assert person.number == number_of(call_id.removeprefix("a-"))
    assert (await core.ledger.summary(session.id)).outcomes["callback"] == 3


async def test_a_kept_place_whose_number_nobody_knows_any_more_is_an_order_at_once(
    core: Core, session: Session, clock: SetClock
) -> None:
    cron = Cron(core)
    seat_id = await open_with_leader(core, cron, session, clock)
    kept = await keep_place(core, clock, "first")
    await core.outbox.idle()
    await core.redis.flushall()
    async with core.database.begin() as rows:
        await rows.execute(delete(Petitioner))
    for _ in range(2):
        clock.pass_by(1)
        await cron.tick()
    await core.outbox.idle()
    assert await core.line.depth(seat_id) == 0
    assert await of_call(core.database, kept) is not None
