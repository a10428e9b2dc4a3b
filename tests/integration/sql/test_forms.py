"""The form of a call and its order, on real databases: whichever is first, the order has the form; nobody writes over another."""

import asyncio

import pytest

from config.database import Database
from workorders import register
from workorders.forms import Form, FormChanged, FormClosed, Kept, fill_order, form_of, save_form
from workorders.intake import NewOrder, make_order
from workorders.notes import MOST, TooManyNotes, add_note, notes_of
from workorders.progress import move

AT = 1_763_769_600.0
FORM = Form(kind="help", unit="市水务局", place="红湘路 18 号", content="停水三天\n物业不管", urgent=True)


async def _order(database: Database, call_id: str) -> None:
    """As the outbox does it."""
    await make_order(database, NewOrder(command_id=f"{call_id}-1", call_id=call_id, at=AT, source="talked", unit="市住建局"))
    await fill_order(database, call_id, AT)


async def test_form_and_order_at_once_always_meet(database: Database) -> None:
    calls = [f"a-{n}" for n in range(20)]
    await asyncio.gather(
        *(work for call in calls for work in (save_form(database, call, FORM, 0, "op", AT), _order(database, call)))
    )
    for call in calls:
        order = await register.of_call(database, call)
        assert order is not None
        assert (order.kind, order.unit, order.place, order.content, order.urgent) == (
            "help", "市水务局", "红湘路 18 号", "停水三天\n物业不管", True,
        )  # fmt: skip


async def test_one_of_many_who_save_the_same_version_wins(database: Database) -> None:
    tries = [save_form(database, "a", Form(content=str(n)), 0, f"op{n}", AT) for n in range(8)]
    done = await asyncio.gather(*tries, return_exceptions=True)
    kept = [one for one in done if isinstance(one, Kept)]
    assert len(kept) == 1
    assert sum(isinstance(one, FormChanged) for one in done) == 7
    assert await form_of(database, "a") == kept[0]


async def test_a_unit_that_has_the_order_keeps_it_and_a_closed_order_stays(database: Database) -> None:
    await _order(database, "a")
    order = await register.of_call(database, "a")
    assert order is not None
    await move(database, order.id, "dispatch", AT, timezone="Asia/Shanghai")
    await save_form(database, "a", FORM, 0, "op", AT)
    after = await register.get(database, order.id)
    assert (after.unit, after.content) == ("市住建局", FORM.content)
    filled = [event for event in await register.history(database, order.id) if event.kind == "filled"]
    assert [event.data for event in filled] == [{"fields": ["content", "kind", "place", "urgent"]}], "names, no words"
    for step in ("sign", "reply", "close"):
        await move(database, order.id, step, AT, timezone="Asia/Shanghai")
    with pytest.raises(FormClosed):
        await save_form(database, "a", Form(content="x"), 1, "op", AT)


async def test_notes_stay_in_their_order_and_have_an_end(database: Database) -> None:
    for n in range(MOST):
        await add_note(database, "a", "op", f"第 {n} 条", AT + n)
    with pytest.raises(TooManyNotes):
        await add_note(database, "a", "op", "还有", AT)
    assert [note.text for note in await notes_of(database, "a")] == [f"第 {n} 条" for n in range(MOST)]
    assert await notes_of(database, "b") == []
