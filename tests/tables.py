"""Databases with all tables. The migration's steps are gone through once in each process of the tests; every other SQLite file
is a copy of that first one, to which nothing was written."""

import asyncio
import shutil
import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy.engine import make_url

from config import migrate
from config.database import Database


async def bring_up(database: Database) -> None:
    """As `config.migrate.bring_up`, of a database that nobody has used yet."""
    if database.is_sqlite:
        await asyncio.to_thread(upgrade, database.url.render_as_string(hide_password=False))
    else:
        await migrate.bring_up(database)


def upgrade(url: str) -> None:
    """As `config.migrate.upgrade`: not from a running loop."""
    wanted = make_url(url)
    place = Path(wanted.database or "")
    if wanted.get_backend_name() != "sqlite" or place.exists():
        migrate.upgrade(url)
    else:
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(_first().name) / "hotline.db", place)


@cache
def _first() -> tempfile.TemporaryDirectory[str]:
    """Gone with the process."""
    folder = tempfile.TemporaryDirectory(prefix="hotline-tables-")
    migrate.upgrade(f"sqlite:///{folder.name}/hotline.db")
    return folder
