"""The chain of seals over the ledger: it grows, it holds, and whatever is done to the ledger behind its back shows."""

import asyncio
from pathlib import Path

import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from calls.ledger import Ledger
from calls.seals import BATCH, Seals, keep_head, kept_head
from config.database import Database
from config.settings import Settings
from tests.clocks import SetClock


@pytest.fixture
def seals(database: Database, tmp_path: Path) -> Seals:
    return Seals(database, Settings(state_dir=tmp_path, _env_file=None), SetClock())


async def put_down(database: Database, first: int, count: int) -> None:
    ledger = Ledger(database)
    for n in range(first, first + count):
        await ledger.note(f"c{n}-1-0", f"c{n}", "arrived", 1795568400.25 + n, {"seat_id": "s", "waited_s": n / 3})


async def behind_its_back(database: Database, statement: str) -> None:
    """As somebody with the database's password would do it: the triggers go first."""
    async with database.begin() as session:
        if database.is_sqlite:
            for table in ("ledger", "ledger_seals"):
                for action in ("update", "delete"):
                    await session.execute(text(f"DROP TRIGGER IF EXISTS {table}_refuses_{action}"))
        else:
            for table in ("ledger", "ledger_seals"):
                await session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
        await session.execute(text(statement))


async def test_every_fact_comes_under_a_seal_once(database: Database, seals: Seals) -> None:
    assert await seals.seal() == 0
    await put_down(database, 0, 5)
    assert await seals.seal() == 5
    await put_down(database, 5, 3)
    before = await seals.verify()
    assert (before.seals, before.entries, before.open_entries, before.broken) == (1, 5, 3, ())
    assert await seals.seal() == 3
    after = await seals.verify()
    assert (after.seals, after.entries, after.open_entries, after.broken) == (2, 8, 0, ())
    assert (await seals.head())[0] == 2


async def test_a_long_backlog_takes_several_seals(database: Database, seals: Seals) -> None:
    from calls.ledger import Entry

    facts = [Entry(command_id=f"b{n}", call_id=f"c{n}", kind="arrived", at=1795568400.0) for n in range(BATCH + 1)]
    await Ledger(database).write_many(facts)
    assert await seals.seal() == BATCH + 1
    assert (await seals.verify()).seals == 2


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE ledger SET kind = 'talked' WHERE call_id = 'c2'", "changed"),
        ("UPDATE ledger SET call_id = 'c9' WHERE call_id = 'c2'", "changed"),
        ("DELETE FROM ledger WHERE call_id = 'c2'", "missing"),
        ("DELETE FROM ledger_seals WHERE number = 1", "no_chain"),
        ("UPDATE ledger_seals SET digest = 'x' WHERE number = 1", "changed"),
    ],
)
async def test_what_is_changed_behind_its_back_is_found(
    database: Database, seals: Seals, statement: str, fault: str
) -> None:
    for first in (0, 4, 8):
        await put_down(database, first, 4)
        await seals.seal()
    assert not (await seals.verify()).broken
    await behind_its_back(database, statement)
    assert fault in {broken.fault for broken in (await seals.verify()).broken}


async def test_a_chain_cut_off_and_sealed_anew_is_not_the_one_that_was_kept(database: Database, seals: Seals) -> None:
    for first in (0, 4):
        await put_down(database, first, 4)
        await seals.seal()
    kept = await seals.head()
    assert await seals.compare((0, "")) is await seals.compare(kept) is None
    await behind_its_back(database, "DELETE FROM ledger_seals WHERE number = 2")
    cut = await seals.compare(kept)
    assert cut is not None
    assert (cut.number, cut.fault) == (2, "cut_off")
    await behind_its_back(database, "UPDATE ledger SET kind = 'talked' WHERE call_id = 'c6'")
    await seals.seal()
    assert (await seals.verify()).broken == ()
    replaced = await seals.compare(kept)
    assert replaced is not None
    assert (replaced.number, replaced.fault) == (2, "replaced")


async def test_what_is_kept_of_the_chain_only_grows(redis: Redis) -> None:
    assert await keep_head(redis, "x:", 3, "c")
    for number, digest in ((3, "other"), (2, "b")):
        assert not await keep_head(redis, "x:", number, digest)
    assert await kept_head(redis, "x:") == (3, "c")


async def test_seals_themselves_are_append_only(database: Database, seals: Seals) -> None:
    await put_down(database, 0, 1)
    await seals.seal()
    with pytest.raises(Exception, match="append-only"):
        async with database.begin() as session:
            await session.execute(text("DELETE FROM ledger_seals"))


async def test_another_key_makes_no_seal(database: Database, seals: Seals, tmp_path: Path) -> None:
    await put_down(database, 0, 3)
    await Seals(database, Settings(state_dir=tmp_path / "other", _env_file=None), SetClock()).seal()
    assert [broken.fault for broken in (await seals.verify()).broken] == ["changed"]


async def test_writers_and_sealers_at_once_leave_nothing_out(database: Database, seals: Seals) -> None:
    """Numbers of rows are given out before they are committed: a seal must not pass over one that is under way."""

    async def write(writer: int) -> None:
        await put_down(database, writer * 100, 12)

    async def seal() -> None:
        for _ in range(8):
            await seals.seal()
            await asyncio.sleep(0)

    await asyncio.gather(*(write(n) for n in range(6)), seal(), seal())
    await seals.seal()
    verdict = await seals.verify()
    assert (verdict.entries, verdict.open_entries, verdict.broken) == (72, 0, ())
