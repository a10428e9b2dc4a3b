"""The audit trail: every act that was asked for, every look at personal data, every sign-in. Added to, never changed."""

from collections.abc import Sequence

from sqlalchemy import select

from api.accounts.model import AuditEntry
from api.accounts.principal import Principal
from config.clock import Clock
from config.columns import from_unix
from config.database import Database
from config.privacy import mask_numbers
from config.text import clean

PAGE = 100


class Trail:
    """Writing comes before the act, so an act without its line does not exist."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def write(
        self, who: Principal, act: str, *, on_what: str = "", reason: str = "", result: str = "asked", address: str = ""
    ) -> None:
        """One line. Raises DatabaseUnavailable."""
        entry = AuditEntry(
            at=from_unix(self._clock()),
            who=clean(who.name, 60),
            account_id=who.account_id,
            role=who.role,
            act=clean(act, 60),
            on_what=mask_numbers(clean(on_what, 200)),
            reason=mask_numbers(clean(reason, 200)),
            result=result,
            address=clean(address, 45),
        )
        async with self._database.begin() as session:
            session.add(entry)

    async def read(self, *, before: int = 0, who: str = "", act: str = "", limit: int = PAGE) -> Sequence[AuditEntry]:
        """The newest first; `before` = id of the last line of the page before."""
        query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
        if before:
            query = query.where(AuditEntry.id < before)
        if who:
            query = query.where(AuditEntry.who == who)
        if act:
            query = query.where(AuditEntry.act == act)
        async with self._database.read() as session:
            return list(await session.scalars(query))
