"""The calendar of sessions on real databases: what is due happens once, whoever looks."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update

from config.columns import from_unix
from config.database import Database
from sessions.calendar import NEVER_OPENED, Calendar, StepRefused, UnknownSeat, UnknownSession
from sessions.lines import LineRefused
from sessions.model import Session
from sessions.overlap import SessionOverlaps
from sessions.plan import Plan, PlannedSeat, PlanRefused

AT = 1_763_800_000.0
SEAT = PlannedSeat(unit="市住建局", leader="王局长", line_asterisk="sip:leader@127.0.0.1:5080")


def plan(after_s: float = 0.0, length_s: float = 7200.0) -> Plan:
    opens = from_unix(AT + after_s)
    return Plan(opens_at=opens, closes_at=opens + timedelta(seconds=length_s), theme="供水", seats=(SEAT,))


async def test_a_session_opens_and_closes_by_itself_once(database: Database) -> None:
    now = [AT - 10]
    calendar = Calendar(database, lambda: now[0])
    session = await calendar.plan(plan())
    assert await calendar.open_due() == []
    now[0] = AT
    opened = await asyncio.gather(*(calendar.open_due() for _ in range(8)))
    assert [one for some in opened for one in some] == [session.id]
    now[0] = AT + 7200
    closing = await asyncio.gather(*(calendar.close_due() for _ in range(8)))
    assert [one for some in closing for one in some] == [session.id]
    assert [one.id for one in await calendar.closing_since(60)] == [session.id]
    assert await calendar.held_at(AT + 8000) == session.id  # callers who waited are still told
    now[0] = AT + 7300
    await calendar.finish(session.id)
    assert (await calendar.get(session.id)).state == "closed"
    moments = (AT - 1, AT, AT + 7299, AT + 7301)
    assert [await calendar.held_at(moment) for moment in moments] == ["", session.id, session.id, ""]


async def test_a_session_whose_time_passed_while_nothing_ran_is_not_opened(database: Database) -> None:
    """And is not the next one for ever: callers are told of the one that is still to come, and somebody sees what became of it."""
    now = [AT]
    calendar = Calendar(database, lambda: now[0])
    missed, moved = await calendar.plan(plan(0, 3600)), await calendar.plan(plan(3600, 3600))
    await calendar.postpone(moved.id, moved.opens_at, moved.closes_at, "暴雨" * 100)
    held = await calendar.plan(plan(7200))
    coming = [await calendar.plan(plan(86400 * days)) for days in (1, 2)]
    now[0] = AT + 7200
    assert (await calendar.open(held.id)).state == "open"
    assert await calendar.open_due() == []
    assert [one.id for one in await calendar.on_board()] == [held.id, coming[0].id]
    assert sorted(await calendar.retire_due()) == sorted((missed.id, moved.id))
    assert await calendar.retire_due() == []
    found = [await calendar.get(one.id) for one in (missed, moved)]
    assert [one.state for one in found] == ["cancelled", "cancelled"]
    assert [one.reason for one in found] == [NEVER_OPENED, f"{NEVER_OPENED}; {'暴雨' * 93}"]


async def test_steps_may_be_repeated_and_wrong_ones_are_refused(database: Database) -> None:
    calendar = Calendar(database, lambda: AT)
    session = await calendar.plan(plan(3600))
    assert (await calendar.open(session.id)).state == "open"
    assert (await calendar.open(session.id)).state == "open"
    with pytest.raises(StepRefused, match="open cannot cancel"):
        await calendar.cancel(session.id, "")
    assert (await calendar.close(session.id)).state == "closing"
    with pytest.raises(StepRefused):
        await calendar.open(session.id)
    with pytest.raises(UnknownSession):
        await calendar.open("none")


async def test_a_postponed_session_keeps_its_first_date_and_opens_at_the_new_one(database: Database) -> None:
    now = [AT]
    calendar = Calendar(database, lambda: now[0])
    session = await calendar.plan(plan(60))
    later = plan(86400)
    moved = await calendar.postpone(session.id, later.opens_at, later.closes_at, "放假\r\n顺延")
    assert (moved.state, moved.reason, moved.original_opens_at) == ("postponed", "放假 顺延", from_unix(AT + 60))
    now[0] = AT + 61
    assert await calendar.open_due() == []
    now[0] = AT + 86400
    assert await calendar.open_due() == [session.id]
    again = plan(2 * 86400)
    held = await calendar.hold_later(session.id, again.opens_at, again.closes_at, "台风")
    assert (held.state, held.original_opens_at, len(held.seats)) == ("postponed", from_unix(AT + 60), len(session.seats))
    assert (await calendar.get(session.id)).state == "closing"
    with pytest.raises(StepRefused):
        await calendar.hold_later(session.id, again.opens_at, again.closes_at, "台风")


async def test_no_two_sessions_are_held_at_one_time_whoever_plans_them_at_once(database: Database) -> None:
    """Callers hear of one. Where one ends the next may begin, and a talk that still goes on then holds up nobody."""
    now = [AT]
    calendar = Calendar(database, lambda: now[0])
    both = await asyncio.gather(*(calendar.plan(plan(0, 3600)) for _ in range(2)), return_exceptions=True)
    [first] = [one for one in both if isinstance(one, Session)]
    [refused] = [one for one in both if isinstance(one, SessionOverlaps)]
    assert (refused.session_id, refused.closes_at) == (first.id, first.closes_at)
    second, third = await calendar.plan(plan(3600, 3600)), await calendar.plan(plan(86400))
    assert await calendar.open_due() == [first.id]
    far = from_unix(AT + 3601)
    for refusing in (
        calendar.extend(first.id, far),
        calendar.open(third.id),
        calendar.postpone(third.id, second.opens_at, second.closes_at, ""),
        calendar.hold_later(first.id, third.opens_at, third.closes_at, ""),
        calendar.plan(plan(-60, 120)),
    ):
        with pytest.raises(SessionOverlaps, match="first, or choose another time"):
            await refusing
    async with database.begin() as session:  # as if it had been planned before this rule was
        await session.execute(update(Session).where(Session.id == first.id).values(closes_at=far))
    now[0] = AT + 3600
    assert (await calendar.close_due(), await calendar.open_due()) == ([], [])
    assert [one.id for one in await calendar.find("open")] == [first.id]
    now[0] = AT + 3601
    opened = await asyncio.gather(*(calendar.open(second.id) for _ in range(2)))
    assert [one.state for one in opened] == ["open", "open"]
    assert (await calendar.get(first.id)).state == "closing"


async def test_a_leader_signs_in_and_out(database: Database) -> None:
    calendar = Calendar(database, lambda: AT)
    session = await calendar.plan(plan())
    seat = session.seats[0]
    assert not seat.is_signed_in
    assert (await calendar.sign_in(seat.id)).is_signed_in
    assert not (await calendar.sign_out(seat.id)).is_signed_in
    assert (await calendar.sign_in(seat.id)).signed_in_at == from_unix(AT)
    with pytest.raises(UnknownSeat):
        await calendar.sign_in("none")
    await calendar.cancel(session.id, "突发事件")
    with pytest.raises(StepRefused):
        await calendar.sign_in(seat.id)


async def test_what_cannot_be_a_session_is_refused(database: Database) -> None:
    calendar = Calendar(database, lambda: AT)
    good = plan()
    for bad in (
        Plan(opens_at=good.closes_at, closes_at=good.opens_at, seats=good.seats),
        Plan(opens_at=good.opens_at.replace(tzinfo=None), closes_at=good.closes_at, seats=good.seats),
        Plan(opens_at=good.opens_at, closes_at=good.closes_at + timedelta(days=2), seats=good.seats),
        Plan(opens_at=good.opens_at, closes_at=good.closes_at, seats=()),
        Plan(opens_at=good.opens_at, closes_at=good.closes_at, seats=(PlannedSeat(unit="", leader="x"),)),
    ):
        with pytest.raises(PlanRefused):
            await calendar.plan(bad)
    for over in (plan(-7200), plan(-365 * 86400)):
        with pytest.raises(PlanRefused, match="still to come"):
            await calendar.plan(over)
    injected = PlannedSeat(unit="a", leader="b", line_asterisk="sip:x@h,20,g&PJSIP/y")
    with pytest.raises(LineRefused):
        await calendar.plan(Plan(opens_at=good.opens_at, closes_at=good.closes_at, seats=(injected,)))
    assert await calendar.find() == []
    planned = await calendar.plan(good)
    with pytest.raises(PlanRefused, match="still to come"):
        await calendar.postpone(planned.id, plan(-7200).opens_at, plan(-7200).closes_at, "")
