"""The accounts of an instance: create, find, disable, reset. Whoever changes one ends its logins."""

import re
from collections.abc import Sequence

import pyotp
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from api.accounts.acts import OF_ONE_UNIT, ROLES
from api.accounts.logins import Logins
from api.accounts.model import Account
from api.accounts.passwords import hash_password
from config.clock import Clock
from config.columns import from_unix
from config.database import Database
from config.text import clean

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{1,39}")
#: The account of the one-time link that `hotline up` prints.
FIRST = "admin"


class UnknownAccount(LookupError):
    """No account has this login."""


class AccountRefused(ValueError):
    """An account cannot be like this. The message says what to change."""


class Accounts:
    """The accounts of one database."""

    def __init__(self, database: Database, logins: Logins, clock: Clock) -> None:
        self._database, self._logins, self._clock = database, logins, clock

    async def create(self, login: str, role: str, *, name: str = "", unit: str = "", password: str = "") -> Account:
        """Raises AccountRefused, PasswordRefused."""
        wanted = login.strip().lower()
        if not _LOGIN.fullmatch(wanted):
            raise AccountRefused("a login has 2 to 40 of a-z, 0-9, '.', '_', '@' and '-'")
        if role not in ROLES or role == "citizen":
            raise AccountRefused(f"roles: {', '.join(known for known in ROLES if known != 'citizen')}")
        if role in OF_ONE_UNIT and not unit.strip():
            raise AccountRefused("a leader and a handler need their unit")
        account = Account(
            login=wanted,
            name=clean(name, 60) or wanted,
            role=role,
            unit=clean(unit, 100),
            password_hash=await hash_password(password) if password else "",
            created_at=from_unix(self._clock()),
        )
        try:
            async with self._database.begin() as session:
                session.add(account)
        except IntegrityError as error:
            raise AccountRefused("this login is taken") from error
        return await self.find(wanted)

    async def find(self, login: str) -> Account:
        """Raises UnknownAccount."""
        async with self._database.read() as session:
            found = await session.scalar(select(Account).where(Account.login == login.strip().lower()[:40]))
        if found is None:
            raise UnknownAccount("no such account")
        return found

    async def get(self, account_id: str) -> Account:
        """By its id. Raises UnknownAccount."""
        async with self._database.read() as session:
            found = await session.get(Account, account_id)
        if found is None:
            raise UnknownAccount("no such account")
        return found

    async def all(self) -> Sequence[Account]:
        """Every account, by login."""
        async with self._database.read() as session:
            return list(await session.scalars(select(Account).order_by(Account.login)))

    async def first(self) -> Account:
        """The administrator of the one-time link; made when there is none."""
        try:
            return await self.find(FIRST)
        except UnknownAccount:
            return await self.create(FIRST, "administrator", name="管理员")

    async def set_enabled(self, login: str, *, enabled: bool) -> Account:
        """Disabling ends every login at once. The last administrator stays. Raises UnknownAccount, AccountRefused."""
        account = await self.find(login)
        if not enabled and account.role == "administrator" and await self._administrators() <= 1:
            raise AccountRefused("the last administrator cannot be disabled")
        return await self._change(account, enabled=enabled)

    async def set_password(self, login: str, password: str) -> Account:
        """Also ends every login and forgets a second factor that was lost. Raises UnknownAccount, PasswordRefused."""
        account = await self.find(login)
        return await self._change(account, password_hash=await hash_password(password), totp_secret=None)

    async def set_totp(self, account_id: str, secret: str | None) -> None:
        """Turn the second factor on or off."""
        async with self._database.begin() as session:
            found = await session.get(Account, account_id)
            if found is None:
                raise UnknownAccount("no such account")
            found.totp_secret = secret

    async def pin_subject(self, account_id: str, subject: str) -> bool:
        """Bind an account to the identity provider's `sub`. False when it is bound to another."""
        try:
            async with self._database.begin() as session:
                found = await session.get(Account, account_id)
                if found is None or found.subject not in (None, subject):
                    return False
                found.subject = subject
        except IntegrityError:
            return False
        return True

    async def _change(self, account: Account, **values: object) -> Account:
        async with self._database.begin() as session:
            found = await session.get_one(Account, account.id)
            for name, value in values.items():
                setattr(found, name, value)
        await self._logins.end_all(account.id)
        return await self.get(account.id)

    async def _administrators(self) -> int:
        query = select(func.count()).where(Account.role == "administrator", Account.enabled)
        async with self._database.read() as session:
            return int(await session.scalar(query) or 0)


def new_totp_secret() -> str:
    """160 bits, base32, as authenticator apps want it."""
    return pyotp.random_base32()
