"""The record of the calls that we place, on both databases: one claim of many, one phone at a time, and no answer lost."""

import asyncio

import pytest

from calls import placed_talk, placing
from calls.placed_register import due, left_among, left_to_people, of_order
from calls.placed_talk import facts_of
from config.database import Database
from config.ids import new_id
from config.settings import Settings
from ivr.events import Keyed
from ivr.facts import Facts
from workorders.intake import NewOrder, make_order
from workorders.progress import move
from workorders.register import get, history
from workorders.units import all_units, set_duty_number

AT = 1_795_568_400.0
UNIT, DUTY = "市水务局", "+867348880000"
SETTINGS = Settings(urgent_tries=1, follow_up_hours="00:00-23:59", _env_file=None)


async def _order(database: Database, *steps: str, number: str = "+8613812345678") -> str:
    made = await make_order(
        database, NewOrder(command_id=new_id(), at=AT, source="declined", number=number, unit=UNIT)
    )
    for step in steps:
        await move(database, made.id, step, AT, timezone="Asia/Shanghai")  # type: ignore[arg-type]
    return made.id


def _one(facts: Facts) -> Keyed:
    return Keyed(facts=facts, key="1")


async def test_one_claim_of_many_and_one_phone_at_a_time(database: Database) -> None:
    await set_duty_number(database, UNIT, DUTY, AT)
    assert [(unit.name, unit.duty_number) for unit in await all_units(database)] == [(UNIT, DUTY)]
    orders = [await _order(database, "dispatch") for _ in range(3)]
    asked = await asyncio.gather(
        *(placing.ask(database, order, "urgent", AT, actor="op") for order in (*orders, *orders)), return_exceptions=True
    )
    rows = [one for one in asked if not isinstance(one, BaseException)]
    refused = [one for one in asked if isinstance(one, placing.AskRefused)]
    assert (len(rows), len(refused)) == (3, 3), "one call about an order at a time"
    assert set(await due(database, AT)) == {row.id for row in rows}
    claims = await asyncio.gather(*(placing.claim(database, SETTINGS, row.id, AT) for row in rows for _ in range(3)))
    (claim,) = [one for one in claims if one]
    assert claim.number == DUTY
    await placing.missed(database, SETTINGS, claim.id, claim.leg, "busy", AT)
    states = [row.state for order in orders for row in await of_order(database, order)]
    assert sorted(states) == ["done", "waiting", "waiting"], "the phone is free for the next"
    later = AT + placing.BUSY_S
    others = [await placing.claim(database, SETTINGS, row.id, later) for row in rows]
    assert len([one for one in others if one]) == 1


async def test_an_answer_counts_though_the_news_of_the_end_came_first(database: Database) -> None:
    await set_duty_number(database, UNIT, DUTY, AT)
    order = await _order(database)
    asked = await placing.ask(database, order, "urgent", AT, actor="op")
    claim = await placing.claim(database, SETTINGS, asked.id, AT)
    assert claim is not None
    facts = facts_of(SETTINGS, AT, operators=False)
    assert await placed_talk.answered(database, asked.id, "0" * 26, facts) is None, "another leg is for nobody"
    said = await placed_talk.answered(database, asked.id, claim.leg, facts)
    assert said is not None
    assert said.live
    await placing.missed(database, SETTINGS, asked.id, claim.leg, "unconfirmed", AT + 9)
    assert await left_among(database, [order, "x"]) == {order}
    assert await left_to_people(database) == {"urgent": 1, "follow_up": 0}
    for scene in (7, 0, 0):  # another scene, this one, and a copy
        await placed_talk.heard(database, SETTINGS, asked.id, claim.leg, scene, facts, _one)
    assert (await get(database, order)).status == "signed"
    assert await left_among(database, [order]) == set()
    kinds = [event.kind for event in await history(database, order)]
    told = ["urgent_asked", "urgent_missed", "urgent_unreached", "urgent_confirmed", "dispatched", "sign"]
    assert kinds == ["registered", *told]


async def test_who_has_no_number_or_an_order_that_moved_on_is_left_to_a_person(database: Database) -> None:
    for number in ("", "+8821612345678"):  # and who presented one that is dear to ring
        nameless = await _order(database, "dispatch", "handle", "reply", number=number)
        asked = await placing.ask(database, nameless, "follow_up", AT, actor="op")
        assert await placing.claim(database, SETTINGS, asked.id, AT) is None
        assert (await of_order(database, nameless))[0].result == "no_number"
        assert await left_among(database, [nameless]) == {nameless}
    gone = await _order(database, "dispatch", "handle", "reply")
    asked = await placing.ask(database, gone, "follow_up", AT, actor="op")
    await move(database, gone, "close", AT, timezone="Asia/Shanghai")
    assert await placing.claim(database, SETTINGS, asked.id, AT) is None
    assert (await of_order(database, gone))[0].result == "obsolete"
    with pytest.raises(placing.AskRefused):
        await placing.withdraw(database, gone, asked.id, AT, actor="op")


async def test_a_unit_that_is_not_reached_waits_for_somebody_until_it_signs_or_somebody_takes_over(database: Database) -> None:
    await set_duty_number(database, UNIT, DUTY, AT)
    signs, works = await _order(database, "dispatch"), await _order(database, "dispatch", "sign", "handle")
    ids: dict[str, str] = {}
    for order in (signs, works):
        asked = await placing.ask(database, order, "urgent", AT, actor="op")
        claim = await placing.claim(database, SETTINGS, asked.id, AT)
        assert claim is not None
        ids[order] = claim.id
        await placing.missed(database, SETTINGS, claim.id, claim.leg, "no_answer", AT + 1)
    assert await left_among(database, [signs, works]) == {signs, works}
    await move(database, signs, "sign", AT + 2, timezone="Asia/Shanghai")
    assert await left_among(database, [signs, works]) == {works}
    taken = await placing.withdraw(database, works, ids[works], AT + 3, actor="op")
    assert (taken.result, await left_to_people(database)) == ("withdrawn", {"urgent": 0, "follow_up": 0})
    with pytest.raises(placing.AskRefused):
        await placing.withdraw(database, works, ids[works], AT + 4, actor="op")
