"""Column types that behave the same on SQLite and PostgreSQL: times in UTC, encrypted text, big counters."""

from datetime import UTC, datetime
from weakref import WeakKeyDictionary

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, LargeBinary
from sqlalchemy.types import TypeDecorator

from config.privacy import Cipher, open_cipher
from config.settings import load_settings

_ciphers: WeakKeyDictionary[Dialect, Cipher] = WeakKeyDictionary()

#: SQLite numbers rows by itself only for plain INTEGER.
RowNumber = BigInteger().with_variant(Integer(), "sqlite")


def use_cipher(dialect: Dialect, cipher: Cipher) -> None:
    """Encrypted columns read and written through this engine's dialect use `cipher`."""
    _ciphers[dialect] = cipher


def cipher_of(dialect: Dialect) -> Cipher:
    """The cipher of an engine; that of this process's settings when none was given."""
    if dialect not in _ciphers:
        _ciphers[dialect] = open_cipher(load_settings())
    return _ciphers[dialect]


def from_unix(seconds: float) -> datetime:
    """Unix seconds as an aware time in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


class UtcTime(TypeDecorator[datetime]):
    """An aware time; kept in UTC, given back in UTC. A naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone must not enter the database")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class EncryptedText(TypeDecorator[str]):
    """Text that is encrypted at rest. `context` names table and column and is authenticated with the value."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, context: str) -> None:
        super().__init__()
        self.context = context

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else cipher_of(dialect).encrypt(value, self.context)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        return None if value is None else cipher_of(dialect).decrypt(value, self.context)
