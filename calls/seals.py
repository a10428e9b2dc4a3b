"""Seals the ledger: a chain of hashes over batches of facts. Whoever changes, removes or slips in one is found out.

Calls write without waiting for each other; only the sealer, once a minute, looks for a moment at which nobody writes and
takes everything up to then. The hashes are keyed: who can write to the database alone cannot make a seal.
"""

import hmac
from collections.abc import Sequence

import msgspec
import structlog
from msgspec import Struct
from redis.asyncio import Redis
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from calls.model import LedgerEntry, LedgerSeal
from config.clock import Clock
from config.columns import from_unix
from config.database import Database
from config.scripts import load
from config.secrets import secret
from config.settings import Settings

log = structlog.get_logger()

#: Under one seal; a longer backlog is sealed in several.
BATCH = 2000

_KEEP_HEAD = load(__file__, "keep_head-1")


class BrokenSeal(Struct, frozen=True):
    """The facts from `first_entry` to `last_entry` (row numbers) are not those that were sealed."""

    number: int
    first_entry: int
    last_entry: int
    #: changed | missing (rows went) | added (rows came) | no_chain (a seal itself was removed)
    #: cut_off (the newest seals are gone) | replaced (another seal stands where the one we know of stood)
    fault: str


class Verdict(Struct, frozen=True):
    """What the chain says. `open_entries`: facts that no seal covers yet."""

    seals: int
    entries: int
    open_entries: int
    broken: tuple[BrokenSeal, ...]


class Seals:
    """The chain of one database. Raises DatabaseUnavailable."""

    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._key = secret(settings, "ledger_key").encode()

    async def seal(self) -> int:
        """Seals what was put down since the last seal; how many facts. Two that seal at once make one seal."""
        horizon, sealed = await self._horizon(), 0
        while batch := await self._seal_some(horizon):
            sealed += batch
        return sealed

    async def verify(self) -> Verdict:
        """Recomputes every seal."""
        before, broken, entries = LedgerSeal(number=0, last_entry=0, entries=0, digest=""), list[BrokenSeal](), 0
        async with self._database.read() as session:
            chain = list(await session.scalars(select(LedgerSeal).order_by(LedgerSeal.number)))
            for seal in chain:
                rows = await _rows(session, before.last_entry, seal.last_entry)
                if fault := self._fault(seal, before, rows):
                    broken.append(BrokenSeal(seal.number, before.last_entry + 1, seal.last_entry, fault))
                before, entries = seal, entries + len(rows)
            rest = select(func.count()).select_from(LedgerEntry).where(LedgerEntry.id > before.last_entry)
            left = await session.scalar(rest)
        return Verdict(len(chain), entries, left or 0, tuple(broken))

    async def compare(self, kept: tuple[int, str]) -> BrokenSeal | None:
        """The chain against the seal that was written down elsewhere; None when it is still there, as it was. A chain that was
        cut off and sealed anew is whole in itself: only this finds it out."""
        number, digest = kept
        if not number:
            return None
        async with self._database.read() as session:
            seal = await session.get(LedgerSeal, number)
        if seal is None:
            return BrokenSeal(number, 0, 0, "cut_off")
        whole = hmac.compare_digest(seal.digest, digest)
        return None if whole else BrokenSeal(number, 0, seal.last_entry, "replaced")

    async def head(self) -> tuple[int, str]:
        """Number and digest of the newest seal: written down elsewhere, they prove that none was cut off the end."""
        async with self._database.read() as session:
            seal = await _last(session)
            return (seal.number, seal.digest) if seal else (0, "")

    async def _horizon(self) -> int:
        """The last row up to which every row is there: smaller numbers may be given to transactions that are under way."""
        async with self._database.begin() as session:
            if not self._database.is_sqlite:  # there, our transaction is the only one that writes
                await session.execute(text("LOCK TABLE ledger IN SHARE MODE"))
            return await session.scalar(select(func.max(LedgerEntry.id))) or 0

    async def _seal_some(self, horizon: int) -> int:
        try:
            async with self._database.begin() as session:
                before = await _last(session) or LedgerSeal(number=0, last_entry=0, entries=0, digest="")
                rows = await _rows(session, before.last_entry, horizon, BATCH)
                if not rows:
                    return 0
                number, last = before.number + 1, rows[-1].id
                digest = self._digest(number, before.digest, rows)
                at = from_unix(self._clock())
                session.add(LedgerSeal(number=number, last_entry=last, entries=len(rows), digest=digest, at=at))
        except IntegrityError:
            return 0  # another process has just set this seal
        log.info("the ledger was sealed", seal=number, entries=len(rows), digest=digest)
        return len(rows)

    def _fault(self, seal: LedgerSeal, before: LedgerSeal, rows: Sequence[LedgerEntry]) -> str:
        if seal.number != before.number + 1:
            return "no_chain"
        if len(rows) != seal.entries:
            return "missing" if len(rows) < seal.entries else "added"
        whole = hmac.compare_digest(self._digest(seal.number, before.digest, rows), seal.digest)
        return "" if whole else "changed"

    def _digest(self, number: int, before: str, rows: Sequence[LedgerEntry]) -> str:
        mac = hmac.new(self._key, f"{number} {before}\n".encode(), "sha256")
        for row in rows:
            mac.update(_canonical(row) + b"\n")
        return mac.hexdigest()


async def keep_head(redis: Redis, prefix: str, number: int, digest: str) -> bool:
    """Write the newest seal down in Redis: seals that are cut off the end are missed there. What is written down is only ever
    replaced by a seal with a higher number; False when it was not."""
    return bool(await _KEEP_HEAD.run(redis, (_head_key(prefix),), number, digest))


async def kept_head(redis: Redis, prefix: str) -> tuple[int, str]:
    """What was written down; (0, "") when nothing was, or Redis lost it."""
    number, digest = await redis.hmget(_head_key(prefix), ["number", "digest"])
    return int(number or 0), str(digest or "")


async def raise_alarm(redis: Redis, prefix: str, broken: BrokenSeal) -> None:
    """The chain is not the one that was sealed: monitoring sees it until somebody has looked into it and removes the mark."""
    log.critical("the ledger was tampered with", seal=broken.number, fault=broken.fault)
    await redis.set(f"{prefix}ledger:broken", f"{broken.number} {broken.fault}")


async def is_alarmed(redis: Redis, prefix: str) -> bool:
    """True from the moment a sealer found a chain that is not the one it knew."""
    return bool(await redis.exists(f"{prefix}ledger:broken"))


def _head_key(prefix: str) -> str:
    return f"{prefix}ledger:head"


async def _last(session: AsyncSession) -> LedgerSeal | None:
    return await session.scalar(select(LedgerSeal).order_by(LedgerSeal.number.desc()).limit(1))


async def _rows(session: AsyncSession, after: int, until: int, limit: int | None = None) -> Sequence[LedgerEntry]:
    query = select(LedgerEntry).where(LedgerEntry.id > after, LedgerEntry.id <= until).order_by(LedgerEntry.id)
    return (await session.scalars(query.limit(limit))).all()


def _canonical(row: LedgerEntry) -> bytes:
    """The same bytes for the same fact on every database."""
    about = (row.id, row.command_id, row.call_id, row.session_id, row.at.isoformat(timespec="microseconds"), row.kind)
    return msgspec.json.encode((*about, row.outcome or "", row.data, row.carrier, row.host), order="sorted")
