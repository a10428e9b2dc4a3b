"""INSERT with ON CONFLICT: SQLite and PostgreSQL say it alike, SQLAlchemy in the dialect of each."""

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import Insert as PostgresqlInsert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.ext.asyncio import AsyncSession

from config.database import Base


def insert_into(session: AsyncSession, rows: type[Base] | Table) -> SqliteInsert | PostgresqlInsert:
    """The beginning of a statement for this session's database."""
    return SqliteInsert(rows) if session.get_bind().dialect.name == "sqlite" else PostgresqlInsert(rows)
