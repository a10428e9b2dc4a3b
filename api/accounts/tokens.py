"""API tokens of the database: made once, shown once, found by their digest."""

import secrets
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import cast

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from api.accounts.acts import ACTS, Act
from api.accounts.model import ApiToken
from api.accounts.principal import Principal
from config.clock import Clock
from config.columns import from_unix
from config.database import Database
from config.text import clean

_PREFIX = "hl_"


class TokenRefused(ValueError):
    """A token cannot be like this. The message says what to change."""


class ApiTokens:
    """The tokens of one database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def create(self, name: str, scopes: Iterable[str], valid_s: float = 0.0) -> str:
        """A new token, in clear for the only time. `valid_s` 0 = until it is revoked. Raises TokenRefused."""
        wanted = sorted(set(scopes))
        unknown = [scope for scope in wanted if scope not in ACTS]
        if unknown or not wanted:
            raise TokenRefused(f"scopes: {', '.join(sorted(ACTS))}")
        if not clean(name, 60):
            raise TokenRefused("a token needs a name")
        token = _PREFIX + secrets.token_urlsafe(32)
        now = self._clock()
        row = ApiToken(
            name=clean(name, 60),
            digest=_digest(token),
            scopes=wanted,
            created_at=from_unix(now),
            expires_at=from_unix(now + valid_s) if valid_s else None,
        )
        try:
            async with self._database.begin() as session:
                session.add(row)
        except IntegrityError as error:
            raise TokenRefused("this name is taken") from error
        return token

    async def find(self, token: str) -> Principal | None:
        """The principal of a token that is valid now."""
        if not token.startswith(_PREFIX):
            return None
        async with self._database.read() as session:
            row = await session.scalar(select(ApiToken).where(ApiToken.digest == _digest(token)))
        if row is None or row.revoked_at or (row.expires_at and row.expires_at <= from_unix(self._clock())):
            return None
        return Principal(row.name, frozenset(cast(list[Act], row.scopes)), display=row.name)

    async def all(self) -> Sequence[ApiToken]:
        """Every token, by name."""
        async with self._database.read() as session:
            return list(await session.scalars(select(ApiToken).order_by(ApiToken.name)))

    async def revoke(self, name: str) -> bool:
        """It is refused from now on. False when there is none of this name."""
        change = update(ApiToken).where(ApiToken.name == name, ApiToken.revoked_at.is_(None))
        async with self._database.begin() as session:
            done = await session.scalars(change.values(revoked_at=from_unix(self._clock())).returning(ApiToken.id))
            return bool(done.all())


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
