"""A database that cannot be used says what to do about it."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text

import config.database
from config.database import Database, DatabaseUnavailable
from config.privacy import Cipher


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://localhost/x"])
def test_a_url_that_names_no_supported_database_is_refused(url: str) -> None:
    with pytest.raises(DatabaseUnavailable, match=r"(?i)sqlite"):
        Database(url)


async def test_nobody_at_the_address(unused_port: int) -> None:
    database = Database(f"postgresql://u:secret@127.0.0.1:{unused_port}/x", Cipher(["k"]))
    with pytest.raises(DatabaseUnavailable, match="is the server running") as caught:
        await database.check()
    assert "secret" not in str(caught.value)
    await database.close()


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    file.write_bytes(b"no database at all, but long enough to be looked at" * 100)
    database = Database(f"sqlite:///{file}", Cipher(["k"]))
    with pytest.raises(DatabaseUnavailable, match="not an SQLite database"):
        await database.check()
    await database.close()


async def test_what_was_written_is_in_no_error(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'x.db'}", Cipher(["k"]))
    with pytest.raises(DatabaseUnavailable) as caught:
        async with database.begin() as session:
            await session.execute(text("INSERT INTO nowhere VALUES (:words)"), {"words": "停水三天"})
    assert "停水三天" not in f"{caught.value}{caught.value.__cause__}"
    await database.close()


async def test_a_locked_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config.database, "_PRAGMAS", ("journal_mode=WAL", "busy_timeout=50"))
    file = tmp_path / "x.db"
    database = Database(f"sqlite:///{file}", Cipher(["k"]))
    await database.check()
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseUnavailable, match="locked"):
        async with database.begin() as session:
            await session.execute(text("SELECT 1"))
    await database.check()  # readers do not wait for the writer
    other.close()
    await database.close()


async def test_sqlite_is_as_durable_as_we_say(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'sub' / 'x.db'}", Cipher(["k"]))
    async with database.read() as session:
        found = [
            await session.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert found == ["wal", 2, 1]
    await database.close()
