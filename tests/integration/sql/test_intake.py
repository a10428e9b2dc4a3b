"""Making work orders on real databases, by many at once."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

from sqlalchemy import text

from config.columns import from_unix
from config.database import Database
from config.privacy import Cipher
from tests.integration.sql.make_orders import make_at_last
from workorders import register
from workorders.intake import NewOrder, make_order
from workorders.kept_numbers import KeptNumber, keep_number, kept_numbers
from workorders.tags import SESSION_TAG

AT = 1_763_769_600.0  # 2025-11-22 08:00 in Shanghai
NUMBER = "+8613812345678"


def _order(command: int, call: int | None = None) -> NewOrder:
    call_id = f"a-{command if call is None else call}"
    return NewOrder(
        command_id=f"c-{command}", call_id=call_id, at=AT, source="declined", session_id="s1", recording=call_id,
        number=NUMBER, contact="+867348123456", name="王小明",
    )  # fmt: skip


def database_files(folder: Path) -> bytes:
    """Every byte of the database, its write-ahead log included."""
    return b"".join(path.read_bytes() for path in folder.glob("hotline.db*"))


async def test_fifty_at_once_get_fifty_numbers_without_a_gap(database: Database) -> None:
    made = await asyncio.gather(*(make_at_last(database, _order(number)) for number in range(50)))
    assert sorted(order.number for order in made) == [f"2025-1122-{n:04d}" for n in range(1, 51)]


async def test_the_same_command_or_the_same_call_makes_one_order(database: Database) -> None:
    again = [_order(n % 5) for n in range(25)] + [_order(100 + n, call=n % 5) for n in range(25)]
    made = await asyncio.gather(*(make_at_last(database, order) for order in again))
    assert len({order.id for order in made}) == 5
    assert sum(order.made for order in made) == 5
    page = await register.find(database, register.Wanted())
    assert len(page.items) == 5


async def test_an_order_that_knows_no_number_leaves_the_one_that_was_kept(database: Database) -> None:
    await keep_number(database, "a-1", "", "13812345678", AT)
    await make_order(database, NewOrder(command_id="c-1", call_id="a-1", at=AT, source="callback"))
    assert await kept_numbers(database, ["a-1"]) == {"a-1": KeptNumber(contact="13812345678")}
    async with database.read() as session:
        hashes = set(await session.scalars(text("SELECT number_hash FROM petitioners")))
    assert hashes == {database.cipher.hash_number("13812345678")}


async def test_four_processes_never_give_out_a_number_twice(database: Database, url: str) -> None:
    script = Path(__file__).with_name("make_orders.py")
    running = [
        await asyncio.create_subprocess_exec(sys.executable, script, url, str(part), stdout=subprocess.PIPE)
        for part in range(4)
    ]
    numbers: list[str] = []
    for process in running:
        out, _ = await process.communicate()
        assert process.returncode == 0
        numbers += json.loads(out)
    # Calls 0..24 are made by two processes each, so 100 orders are asked for and 50 made.
    assert len(numbers) == 100
    assert len(set(numbers)) == 50
    async with database.read() as session:
        assert await session.scalar(text("SELECT count(*) FROM work_orders")) == 50
        assert await session.scalar(text("SELECT last FROM order_numbers")) == 50


async def test_an_order_of_a_session_is_tagged_and_found_in_both_ways_of_writing(database: Database) -> None:
    order = await make_order(database, _order(1))
    await make_order(database, NewOrder(command_id="other", at=AT, source="closed", tags=("路灯",)))
    for tag in ("熱線問政", "热线问政", "#热線问政"):
        page = await register.find(database, register.Wanted(tag=tag))
        assert [item.id for item in page.items] == [order.id]
        assert [item.tag for item in page.items[0].tags] == [SESSION_TAG]


async def test_pages_go_through_all_orders_newest_first(database: Database) -> None:
    for number in range(7):
        await make_order(database, _order(number))
    seen, cursor = [], ""
    while True:
        page = await register.find(database, register.Wanted(), cursor=cursor, limit=3)
        seen += [item.id for item in page.items]
        if not (cursor := page.next):
            break
    assert len(seen) == 7
    assert seen == sorted(seen, reverse=True)


async def test_the_petitioner_is_encrypted_at_rest_and_found_again_by_hash(
    database: Database, url: str, tmp_path: Path
) -> None:
    order = await make_order(database, _order(1))
    async with database.read() as session:
        rows = (await session.execute(text("SELECT name, number, contact, number_hash FROM petitioners"))).all()
    assert rows[0].number_hash == database.cipher.hash_number(NUMBER)
    stored = b"".join(bytes(value) for value in rows[0][:3])
    if database.is_sqlite:
        stored += database_files(tmp_path)
    for clear in ("13812345678", "8123456", "王小明"):
        assert clear.encode() not in stored
    person = await register.petitioner(database, order.id)
    assert person is not None
    assert (person.number, person.name) == (NUMBER, "王小明")


async def test_a_new_data_key_reads_what_the_old_one_wrote(database: Database, url: str) -> None:
    order = await make_order(database, _order(1))
    rotated = Database(url, Cipher(["a newer key", "a key for tests"]))
    person = await register.petitioner(rotated, order.id)
    await rotated.close()
    assert person is not None
    assert person.number == NUMBER


async def test_times_come_back_in_utc(database: Database) -> None:
    order = await register.get(database, (await make_order(database, _order(1))).id)
    assert order.created_at == from_unix(AT)
    assert order.created_at.utcoffset() is not None
