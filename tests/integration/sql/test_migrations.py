"""The migrations make exactly the tables that the models describe, from nothing, on both databases."""

import asyncio
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from config.database import Database, MigrationsMissing
from config.migrate import bring_up, check, newest, upgrade
from config.privacy import Cipher
from migrations.tables import metadata
from workorders.intake import NewOrder, make_order


def _differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True, "target_metadata": metadata()}
    )
    return list(compare_metadata(context, metadata()))


async def test_the_models_and_the_migrations_describe_the_same_tables(database: Database) -> None:
    async with database.connect() as connection:
        assert await connection.run_sync(_differences) == []


async def test_an_empty_database_is_told_from_one_of_this_version(url: str) -> None:
    database = Database(url, Cipher(["k"]))
    with pytest.raises(MigrationsMissing, match="run the migrations"):
        await check(database)
    with pytest.raises(MigrationsMissing, match="tables are missing"):
        await make_order(database, NewOrder(command_id="c", at=0.0, source="declined"))
    await bring_up(database)
    await check(database)
    await database.close()


async def test_several_processes_may_migrate_at_once_and_again(url: str) -> None:
    await asyncio.gather(*(asyncio.to_thread(upgrade, url) for _ in range(4)))
    database = Database(url, Cipher(["k"]))
    await check(database)
    await database.close()


def test_there_is_one_newest_revision() -> None:
    assert newest() == "0009"
