"""Who is signed in: kept in Redis under the digest of the cookie's value, ended by idleness, by age, or by somebody."""

import secrets
from hashlib import sha256

import msgspec
from msgspec import Struct
from redis.asyncio import Redis

from api.accounts.acts import ROLES, Role
from api.accounts.principal import Principal, of_role
from config.clock import Clock
from config.settings import Settings


class Login(Struct, frozen=True):
    """One sign-in. `csrf` must come back with every act; `until` in Unix seconds whatever happens."""

    account_id: str
    login: str
    name: str
    role: Role
    unit: str
    csrf: str
    until: float
    #: How it was proven: password | totp | link | oidc
    how: str

    @property
    def principal(self) -> Principal:
        return of_role(self.login, self.role, unit=self.unit, account_id=self.account_id, display=self.name)


class Logins:
    """Nothing of a cookie can be learned from Redis: only digests are there."""

    def __init__(self, redis: Redis, settings: Settings, clock: Clock) -> None:
        self._redis, self._clock = redis, clock
        self._prefix = settings.redis_prefix
        self._idle_s, self._max_s = int(settings.login_idle_s), int(settings.login_max_s)

    async def begin(self, account_id: str, login: str, name: str, role: str, unit: str, how: str) -> str:
        """Sign in; the value of the cookie, always a new one."""
        if role not in ROLES:
            raise ValueError(f"no such role: {role}")
        value = secrets.token_urlsafe(32)
        begun = Login(
            account_id, login, name, role, unit, secrets.token_urlsafe(24), self._clock() + self._max_s, how
        )  # fmt: skip
        mine = self._of_account(account_id)
        await self._redis.set(self._key(value), msgspec.json.encode(begun).decode(), ex=self._idle_s)
        await self._redis.sadd(mine, self._key(value))
        await self._redis.expire(mine, self._max_s)
        return value

    async def find(self, value: str) -> Login | None:
        """The login of a cookie, which begins to be idle anew. None when it is over."""
        found = await self._redis.getex(self._key(value), ex=self._idle_s)
        if not found:
            return None
        login = msgspec.json.decode(found, type=Login)
        if login.until <= self._clock():
            await self.end(value)
            return None
        return login

    async def end(self, value: str) -> None:
        """Sign out."""
        await self._redis.delete(self._key(value))

    async def end_all(self, account_id: str) -> None:
        """End every login of an account: it was disabled, or its password is another."""
        mine = self._of_account(account_id)
        for key in await self._redis.smembers(mine):
            await self._redis.delete(key)
        await self._redis.delete(mine)

    def _key(self, value: str) -> str:
        return f"{self._prefix}login:{sha256(value.encode()).hexdigest()}"

    def _of_account(self, account_id: str) -> str:
        return f"{self._prefix}logins-of:{account_id}"
