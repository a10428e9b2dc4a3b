"""The SQL database of an instance, SQLite or PostgreSQL. Knows connections, transactions and errors, but no tables."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from config.columns import cipher_of, use_cipher
from config.privacy import Cipher, open_cipher
from config.settings import Settings

#: Seconds a statement waits for another writer, and for a connection.
BUSY_TIMEOUT_S = 10.0
#: A writer that holds the lock longer than this is no ordinary one, and told of.
LOCK_TOLD_S = 1.5
CONNECT_TIMEOUT_S = 5.0
#: No statement of ours takes long; one that does must not hold up a turn for ever.
STATEMENT_TIMEOUT_S = 15.0
_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
_READS_ONLY = "hotline_reads_only"
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={int(BUSY_TIMEOUT_S * 1000)}")
_ABSENT = ("no such table", "no such column", "undefinedtable", "undefinedcolumn")


class DatabaseUnavailable(Exception):
    """The database cannot be used now. The message says why and what to do; it holds no credentials and no data."""


class MigrationsMissing(DatabaseUnavailable):
    """The database is there, but its tables are not those of this version."""


class Base(DeclarativeBase):
    """All tables; constraints have predictable names, so that migrations can find them on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Database:
    """One engine. `begin()` writes in a transaction, `read()` only reads; both raise DatabaseUnavailable."""

    def __init__(self, url: str, cipher: Cipher | None = None) -> None:
        self.url = _normal(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(self.url) if self.is_sqlite else _postgresql_engine(self.url)
        if cipher is not None:
            use_cipher(self.engine.dialect, cipher)
        self._writes = async_sessionmaker(self.engine, expire_on_commit=False)
        # SQLite has one writer. In one process writers wait here, in order, instead of polling the file's lock.
        self._writer = asyncio.Lock() if self.is_sqlite else None
        reading = self.engine.execution_options(**{_READS_ONLY: True})
        self._reads = async_sessionmaker(reading, expire_on_commit=False)

    @classmethod
    def of(cls, settings: Settings) -> "Database":
        """The database of these settings, with the data key of these settings."""
        return cls(settings.effective_database_url, open_cipher(settings))

    @property
    def cipher(self) -> Cipher:
        return cipher_of(self.engine.dialect)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncSession]:
        """A transaction that may write. Committed at the end, rolled back on an exception."""
        async with _translated(self.url), self._turn_to_write(), self._writes.begin() as session:
            yield session

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A transaction that does not wait for writers."""
        async with _translated(self.url), self._reads.begin() as session:
            yield session

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Any]:
        """A bare connection in a writing transaction, for migrations."""
        async with _translated(self.url), self.engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def _turn_to_write(self) -> AsyncIterator[None]:
        if self._writer is None:
            yield
            return
        try:
            async with asyncio.timeout(BUSY_TIMEOUT_S):
                await self._writer.acquire()
        except TimeoutError:
            raise DatabaseUnavailable(f"{_place(self.url)}: locked: a transaction of this process hangs") from None
        try:
            yield
        finally:
            self._writer.release()

    async def check(self) -> None:
        """Raises DatabaseUnavailable when the database does not answer."""
        async with self.read() as session:
            await session.connection()

    async def check_writable(self) -> None:
        """Raises DatabaseUnavailable when somebody else has held SQLite's one write lock for LOCK_TOLD_S."""
        place = make_url(self.url).database or ""
        if self.is_sqlite and place not in ("", ":memory:"):
            await asyncio.to_thread(_take_write_lock, place)

    async def close(self) -> None:
        await self.engine.dispose()


def _take_write_lock(place: str) -> None:
    """On a connection of its own: those of the pool wait much longer."""
    connection = sqlite3.connect(place, timeout=LOCK_TOLD_S, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        raise DatabaseUnavailable(f"{place}: {error}: something else has been writing to it; stop that") from None
    finally:
        connection.close()


def _normal(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseUnavailable(
            "HOTLINE_DATABASE_URL is no database URL: sqlite:///file or postgresql://host/name"
        ) from error
    driver = _DRIVERS.get(parsed.get_backend_name())
    if driver is None:
        raise DatabaseUnavailable(f"{parsed.get_backend_name()} is not supported: use SQLite or PostgreSQL")
    return parsed.set(drivername=driver)


def _sqlite_engine(url: URL) -> AsyncEngine:
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT_S})

    @event.listens_for(engine.sync_engine, "connect")
    def _configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        # IMMEDIATE takes the write lock at once: a transaction that reads first and then writes would otherwise
        # fail with "locked" when another process wrote in between, without waiting for the busy timeout.
        reads_only = connection.get_execution_options().get(_READS_ONLY)
        connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")

    return engine


def _postgresql_engine(url: URL) -> AsyncEngine:
    milliseconds = str(int(STATEMENT_TIMEOUT_S * 1000))
    return create_async_engine(
        url,
        hide_parameters=True,  # errors are logged, and what is written is the matter of citizens
        pool_pre_ping=True,
        pool_size=5,
        max_overflow=15,
        pool_timeout=BUSY_TIMEOUT_S,  # not sooner than whoever has a connection gives up waiting for another writer
        connect_args={
            "timeout": CONNECT_TIMEOUT_S,
            "server_settings": {
                "statement_timeout": milliseconds,
                "lock_timeout": str(int(BUSY_TIMEOUT_S * 1000)),
                "idle_in_transaction_session_timeout": milliseconds,
                "timezone": "UTC",
            },
        },
    )


@asynccontextmanager
async def _translated(url: URL) -> AsyncIterator[None]:
    """Errors that concern the connection, not the statement, become DatabaseUnavailable."""
    try:
        yield
    except (DBAPIError, OSError, PoolTimeout, NoSuchModuleError) as error:
        if reason := _reason(error):
            raise type_of(error)(f"{_place(url)}: {reason}") from error
        raise


def type_of(error: BaseException) -> type[DatabaseUnavailable]:
    """MigrationsMissing for absent tables or columns, else DatabaseUnavailable."""
    text = _said(error)
    return MigrationsMissing if any(words in text for words in _ABSENT) else DatabaseUnavailable


def _said(error: BaseException) -> str:
    """What the driver said: class names of asyncpg and texts of SQLite, in lower case."""
    original = getattr(error, "orig", None) or error
    return f"{original!r} {original.__cause__!r}".lower()


#: What the drivers say (a part of it, lower case) and what it means.
_REASONS = (
    ("no such table", "its tables are missing: run `hotline up` or the migrations"),
    ("no such column", "its tables are of another version: run the migrations"),
    ("undefinedtable", "its tables are missing: run `hotline up` or the migrations"),
    ("undefinedcolumn", "its tables are of another version: run the migrations"),
    ("database is locked", "locked: another process holds the write lock, a backup perhaps"),
    ("locknotavailable", "another transaction holds a lock: look for one that hangs"),
    ("unable to open database file", "the file cannot be opened: check that the directory exists and may be written"),
    ("readonly database", "the file cannot be written: check its owner and the free space"),
    ("disk is full", "the disk is full"),
    ("disk i/o error", "the disk cannot be read or written"),
    ("not a database", "the file is not an SQLite database"),
    ("malformed", "the SQLite file is damaged: restore it from the backup"),
    ("invalidpassword", "user or password are refused: check HOTLINE_DATABASE_URL"),
    ("invalidauthorization", "user or password are refused: check HOTLINE_DATABASE_URL"),
    ("invalidcatalogname", "there is no database of that name: create it, or check HOTLINE_DATABASE_URL"),
    ("toomanyconnections", "the server has no connection left"),
    ("querycanceled", "a statement took too long and was cancelled"),
    ("adminshutdown", "the server shuts down"),
    ("cannotconnectnow", "the server is starting up or shutting down"),
    ("queuepool limit", "all connections are busy"),
    ("connection", "the connection failed or was closed: is the server running?"),
)


def _reason(error: BaseException) -> str:
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return "the connection was lost"
    if isinstance(error, OSError) and not isinstance(error, FileNotFoundError | PermissionError):
        return "cannot connect: is the server running, and does HOTLINE_DATABASE_URL name it?"
    if isinstance(error, DBAPIError) and type(error).__name__ in {"IntegrityError", "DataError"}:
        return ""
    text = _said(error)
    return next((meaning for said, meaning in _REASONS if said in text), "")


def _place(url: URL) -> str:
    return (
        f"database {url.database}" if url.get_backend_name() == "sqlite" else f"database {url.database} at {url.host}"
    )
