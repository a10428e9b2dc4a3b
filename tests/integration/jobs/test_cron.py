"""The table of cron: what is due is done, whatever one call or one outage does; of two crons one acts."""

from datetime import timedelta
from unittest.mock import AsyncMock

import pytest

from calls.assembly import Core
from calls.shards import call_key
from calls.turn import Congested
from config.columns import from_unix
from ivr.call import Call
from ivr.events import Offered
from jobs.cron import Cron
from sessions.board import read_board
from sessions.calendar import NEVER_OPENED, Calendar
from sessions.model import Session
from sessions.plan import Plan, PlannedSeat
from tests.clocks import SetClock
from tests.integration.jobs.conftest import LENGTH_S
from tests.integration.jobs.test_opening import open_with_leader, wait_in_line


async def test_a_session_that_nothing_opened_in_its_time_is_not_the_next_one_for_ever(
    core: Core, session: Session, clock: SetClock
) -> None:
    """Cron was down on that day: callers hear of the session after it, and report and page tell what became of the first."""
    cron, calendar = Cron(core), Calendar(core.database, clock)
    await cron.opening.sign_in(session.seats[0].id)
    opens = from_unix(clock() + 7 * 86400)
    seat = PlannedSeat(unit="市水务局", leader="李局长", line_asterisk="sip:leader@127.0.0.1:5080")
    after = await calendar.plan(Plan(opens_at=opens, closes_at=opens + timedelta(seconds=LENGTH_S), seats=(seat,)))
    clock.pass_by(LENGTH_S + 10)
    await cron.tick()
    board = await read_board(core.redis, core.settings.redis_prefix)
    assert board.next is not None
    assert (board.open, board.next.id) == (None, after.id)
    call = await core.calls.create(Call(id="a-early", carrier="asterisk", started_at=clock()))
    assert (await core.facts.read(call)).next_session is not None
    retired = await calendar.get(session.id)
    assert (retired.state, retired.reason) == ("cancelled", NEVER_OPENED)
    facts = [fact.data for fact in await core.ledger.of_session(session.id) if fact.kind == "session_act"]
    assert facts == [{"act": "never_opened", "who": "system", "reason": NEVER_OPENED}]
    assert (await core.seats.state(session.seats[0].id)).state == "closed"
    clock.pass_by(8 * 86400)  # and nobody redraws the board meanwhile
    assert (await core.facts.read(call)).next_session is None


async def test_a_caller_whose_bridge_died_while_the_leader_rang_waits_again_at_the_head(
    core: Core, session: Session, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the claim that lapsed before it is of a call that cannot be read, and when a turn is not to be had at once."""
    cron = Cron(core)
    await core.seats.open("earlier")
    await core.line.join("earlier", "a-damaged", clock(), 1)
    await core.calls.create(Call(id="a-damaged", carrier="asterisk", started_at=clock()))
    await core.redis.hset(call_key(core.settings.redis_prefix, "a-damaged"), "call", b"\xff\xfe")
    assert await core.line.claim_next("earlier", "a bridge", 35)
    seat_id = await open_with_leader(core, cron, session, clock)
    first, _ = await wait_in_line(core, "1"), await wait_in_line(core, "2")
    claim = await core.line.claim_next(seat_id, "a bridge", 35)
    assert claim is not None
    await core.turns.take_turn(
        first, lambda facts: Offered(facts=facts, seat_id=seat_id, token=claim.token, line=claim.line)
    )
    clock.pass_by(36)
    with monkeypatch.context() as patch:
        patch.setattr(core.turns, "take_turn", AsyncMock(side_effect=Congested))
        await cron.tick()
    clock.pass_by(2)
    await cron.tick()
    assert (await core.seats.state("earlier")).state == "free"
    call = await core.calls.get(first)
    assert call is not None
    assert call.node == "waiting"
    assert await core.line.position(seat_id, first) == 1


async def test_only_one_of_two_crons_acts_and_the_other_takes_over(core: Core) -> None:
    one, other = Cron(core), Cron(core)
    assert await one.tick()
    assert not await other.tick()
    await one.let_go()
    assert await other.tick()
    assert not await one.tick()


async def test_an_outage_is_survived(core: Core, session: Session, clock: SetClock) -> None:
    cron = Cron(core)
    await core.redis.aclose()
    await core.redis.connection_pool.disconnect()
    clock.pass_by(10)
    assert await cron.tick()
    assert (await Calendar(core.database, clock).get(session.id)).state == "open"
