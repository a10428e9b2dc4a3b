"""Bring the database to this version's tables, and tell whether it is there. The steps themselves are in `migrations/`."""

import asyncio
from importlib.util import find_spec
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from config.database import Database, MigrationsMissing

#: Any number, the same in all processes: PostgreSQL's advisory lock under which migrations run.
_LOCK = 12345_2018


def upgrade(url: str) -> None:
    """Bring the database at `url` to the newest revision. May run in several processes at once. Not from a running loop:
    use `bring_up` there. Raises DatabaseUnavailable."""

    async def run() -> None:
        database = Database(url)
        try:
            await bring_up(database)
        finally:
            await database.close()

    asyncio.run(run())


async def bring_up(database: Database) -> None:
    """The same for an open Database. One transaction: all steps or none."""
    async with database.connect() as connection:
        if not database.is_sqlite:  # SQLite has its one write lock already
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        await connection.run_sync(_upgrade)


async def check(database: Database) -> None:
    """Raises MigrationsMissing when the tables are not those of this version, DatabaseUnavailable when it is away."""
    async with database.read() as session:
        current = await (await session.connection()).run_sync(_current)
    if current != newest():
        found = current or "none"
        raise MigrationsMissing(f"the database has revision {found}, this version needs {newest()}: run the migrations")


def newest() -> str:
    """The revision this version needs."""
    head = ScriptDirectory.from_config(configuration()).get_current_head()
    if head is None:
        raise MigrationsMissing("the package was installed without its migrations")
    return head


def configuration() -> Config:
    """Alembic's configuration without an ini file: the steps come with the package."""
    spec = find_spec("migrations")
    if spec is None or not spec.submodule_search_locations:
        raise MigrationsMissing("the package was installed without its migrations")
    config = Config()
    config.set_main_option("script_location", str(Path(spec.submodule_search_locations[0])))
    return config


def _upgrade(connection: Connection) -> None:
    config = configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
