"""The ledger on real databases: append-only, idempotent, and the sum is right."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from calls.ledger import Entry, Ledger
from config.database import Database

AT = 1_763_800_000.25


async def test_a_fact_is_put_down_once_however_often_it_is_told(database: Database) -> None:
    ledger = Ledger(database)
    told = await asyncio.gather(*(ledger.note("a-1-1-0", "a-1", "arrived", AT) for _ in range(20)))
    assert sum(told) == 1
    assert [entry.kind for entry in await ledger.events("a-1")] == ["arrived"]
    assert (await ledger.events("a-1"))[0].at == AT


async def test_a_call_has_one_outcome_and_the_first_one_stays(database: Database) -> None:
    ledger = Ledger(database)
    assert await ledger.close("a-1-9-0", "a-1", "talked", AT)
    assert not await ledger.close("a-1-9-0", "a-1", "talked", AT)
    assert not await ledger.close("a-1-10-0", "a-1", "abandoned", AT)
    assert await ledger.outcome("a-1") == "talked"


@pytest.mark.parametrize("table", ["ledger", "order_events"])
@pytest.mark.parametrize("change", ["UPDATE {} SET kind = 'x'", "DELETE FROM {}"])
async def test_the_database_itself_refuses_to_change_what_was_put_down(
    database: Database, table: str, change: str
) -> None:
    await Ledger(database).note("a-1-1-0", "a-1", "arrived", AT)
    async with database.begin() as session:
        await session.execute(
            text("INSERT INTO petitioners (id, number_hash, created_at) VALUES ('p', '', '2026-01-01 00:00:00+00:00')")
        )
        await session.execute(
            text(
                "INSERT INTO work_orders (id, number, command_id, session_id, seat_id, unit, source, status, urgent,"
                " confidential, content, created_at, due_basis, petitioner_id) VALUES ('o', '1', 'c', '', '', '',"
                " 'declined', 'registered', false, false, '', '2026-01-01 00:00:00+00:00', '', 'p')"
            )
        )
        await session.execute(
            text(
                "INSERT INTO order_events (order_id, at, kind, actor, from_status, to_status, data)"
                " VALUES ('o', '2026-01-01 00:00:00+00:00', 'registered', '', '', '', '{}')"
            )
        )
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.begin() as session:
            await session.execute(text(change.format(table)))


async def test_the_summary_accounts_for_every_call_of_a_session(database: Database) -> None:
    ledger = Ledger(database)
    entries = []
    for number in range(200):
        call = f"a-{number}"
        entries.append(Entry(command_id=f"{call}-1-0", call_id=call, kind="arrived", at=AT, session_id="s1"))
        if number % 10:
            outcome = "talked" if number % 3 else "work_order"
            entries.append(
                Entry(command_id=f"{call}-2-0", call_id=call, kind="closed", at=AT + 9, outcome=outcome)  # type: ignore[arg-type]
            )
    entries.append(Entry(command_id="b-1-0", call_id="b", kind="arrived", at=AT, session_id="s2"))
    assert await ledger.write(entries) == 381
    assert await ledger.write(entries) == 0
    summary = await ledger.summary("s1")
    assert summary.calls == 200
    assert sum(summary.outcomes.values()) == 180
    assert not summary.complete
    assert len(summary.unaccounted) == 20
    assert summary.unaccounted[0].last_kind == "arrived"
    assert (await ledger.summary()).calls == 201
    assert (await ledger.summary("none")).complete


async def test_calls_the_ledger_never_heard_of_are_found(database: Database) -> None:
    ledger = Ledger(database)
    await ledger.note("a-1-1-0", "a-1", "arrived", AT)
    assert await ledger.unknown_calls(["a-2", "a-1", "a-3", "a-2"]) == ["a-2", "a-3"]
    assert await ledger.known("a-1")


async def test_personal_data_and_control_characters_do_not_enter(database: Database) -> None:
    ledger = Ledger(database)
    await ledger.note("c", "a-1", "note", AT, {"from": "13812345678", "text": "a\r\nb", "seconds": 12.5})
    assert (await ledger.events("a-1"))[0].data == {"from": "138****5678", "text": "a b", "seconds": 12.5}
