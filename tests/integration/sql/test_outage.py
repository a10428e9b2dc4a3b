"""PostgreSQL goes away or was never right: clear words, and on we go when it is back."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from config.database import Database, DatabaseUnavailable
from config.privacy import Cipher


def _named(server: str, **changes: str) -> Database:
    return Database(make_url(server).set(**changes).render_as_string(hide_password=False), Cipher(["k"]))  # type: ignore[arg-type]


async def test_a_database_that_does_not_exist_is_called_so(postgres_server: str) -> None:
    database = _named(postgres_server, database="nowhere")
    with pytest.raises(DatabaseUnavailable, match="no database of that name"):
        await database.check()
    await database.close()


async def test_a_user_that_does_not_exist_is_called_so(postgres_server: str) -> None:
    database = _named(postgres_server, username="nobody")
    with pytest.raises(DatabaseUnavailable, match="user or password"):
        await database.check()
    await database.close()


async def test_connections_that_the_server_closed_are_replaced(postgres_server: str) -> None:
    database, other = _named(postgres_server), _named(postgres_server)
    await database.check()
    async with other.begin() as session:
        await session.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        )
    await database.check()
    await database.close()
    await other.close()


async def test_a_statement_that_hangs_is_cut_off(postgres_server: str) -> None:
    database = _named(postgres_server)

    async def hang() -> None:
        async with database.read() as session:
            await session.execute(text("SET LOCAL statement_timeout = 50"))
            await session.execute(text("SELECT pg_sleep(5), CAST(:words AS text)"), {"words": "停水三天"})

    with pytest.raises(DatabaseUnavailable, match="took too long") as caught:
        await hang()
    assert "停水三天" not in f"{caught.value}{caught.value.__cause__}"
    await database.close()


async def test_writers_of_sqlite_take_turns_and_one_that_would_wait_for_ever_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'x.db'}", Cipher(["k"]))
    monkeypatch.setattr("config.database.BUSY_TIMEOUT_S", 0.1)

    async def write() -> None:
        async with database.begin() as session:
            await session.execute(text("SELECT 1"))

    async with database.begin():
        with pytest.raises(DatabaseUnavailable, match="locked"):
            await write()
    await write()
    await database.close()
