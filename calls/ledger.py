"""The ledger: append-only facts about every call, the proof that none is unaccounted for. Personal data never enters it."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from msgspec import Struct
from sqlalchemy import Select, Table, func, select

from calls.group import GroupCommit
from calls.model import CLOSED, LedgerEntry
from config.columns import from_unix
from config.database import Database
from config.inserts import insert_into
from config.privacy import mask_numbers
from config.text import clean
from ivr.call import Outcome

_TABLE = cast(Table, LedgerEntry.__table__)
_LONGEST_VALUE = 200
#: Rows in one statement; SQLite takes at most 32766 parameters.
_BATCH = 500
#: In place of a call's id, in facts about a whole session. They count as no call.
OF_NO_CALL = ""
#: Kind of the fact that an act was not done. On a whole session: `refused` in its data is the id of the act's own fact.
REFUSED = "act_refused"


class Entry(Struct, frozen=True, kw_only=True):
    """A fact to be put down, or as it was read. `at` in Unix seconds."""

    command_id: str
    call_id: str
    kind: str
    at: float
    data: Mapping[str, Any] = {}
    session_id: str = ""
    carrier: str = ""
    host: str = ""
    outcome: Outcome | None = None


def refused_in(facts: Iterable[Entry]) -> frozenset[str]:
    """Ids of the facts that tell of an act on a whole session that was not done."""
    return frozenset(str(fact.data.get("refused", "")) for fact in facts if fact.kind == REFUSED)


class Unaccounted(Struct, frozen=True):
    """A call without an outcome, and what is known of it. Times in Unix seconds."""

    call_id: str
    first_at: float
    last_at: float
    last_kind: str


class Summary(Struct, frozen=True):
    """All calls are accounted for when `calls` is the sum of `outcomes`."""

    calls: int
    outcomes: dict[str, int]
    unaccounted: tuple[Unaccounted, ...]

    @property
    def complete(self) -> bool:
        return self.calls == sum(self.outcomes.values())


class LedgerBook(ABC):
    """Takes facts one by one."""

    @abstractmethod
    async def put(self, entry: Entry) -> bool:
        """Put down a fact. False when it was there already."""

    async def note(
        self,
        command_id: str,
        call_id: str,
        kind: str,
        at: float,
        data: Mapping[str, Any] | None = None,
        *,
        session_id: str = "",
        carrier: str = "",
        host: str = "",
    ) -> bool:
        """Put down a fact. False when it was there already."""
        entry = Entry(
            command_id=command_id,
            call_id=call_id,
            kind=kind,
            at=at,
            data=data or {},
            session_id=session_id,
            carrier=carrier,
            host=host,
        )
        return await self.put(entry)

    async def close(
        self,
        command_id: str,
        call_id: str,
        outcome: Outcome,
        at: float,
        *,
        session_id: str = "",
        carrier: str = "",
        host: str = "",
    ) -> bool:
        """Put down the one outcome of a call. False when the call was closed already, with whatever outcome."""
        entry = Entry(
            command_id=command_id,
            call_id=call_id,
            kind=CLOSED,
            at=at,
            session_id=session_id,
            carrier=carrier,
            host=host,
            outcome=outcome,
        )
        return await self.put(entry)


class Ledger(LedgerBook):
    """Writes are idempotent by command id; a call is closed once, the first outcome stays."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._together = GroupCommit(self._write_new)

    async def put(self, entry: Entry) -> bool:
        return await self._together.write(entry)

    async def write(self, entries: Sequence[Entry]) -> int:
        """Put down many facts in one transaction; how many were new."""
        return sum(await self._write_new(entries))

    async def _write_new(self, entries: Sequence[Entry]) -> list[bool]:
        rows = [_row(entry) for entry in entries]
        new: set[str] = set()
        async with self._database.begin() as session:
            for start in range(0, len(rows), _BATCH):
                statement = insert_into(session, LedgerEntry).values(rows[start : start + _BATCH]).on_conflict_do_nothing()
                new.update((await session.scalars(statement.returning(LedgerEntry.command_id))).all())
        return [_first(entry.command_id, new) for entry in entries]

    async def write_many(self, entries: Sequence[Entry]) -> None:
        """The same for thousands, when it does not matter how many were new."""
        async with self._database.begin() as session:
            await session.execute(insert_into(session, _TABLE).on_conflict_do_nothing(), [_row(one) for one in entries])

    async def known(self, call_id: str) -> bool:
        """True when the ledger has heard of this call."""
        return not await self.unknown_calls([call_id])

    async def unknown_calls(self, call_ids: Iterable[str]) -> list[str]:
        """Those of `call_ids` (from the carrier's own records) the ledger has never heard of, in their order."""
        asked = list(dict.fromkeys(call_ids))
        known: set[str] = set()
        async with self._database.read() as session:
            for start in range(0, len(asked), _BATCH):
                some = asked[start : start + _BATCH]
                known.update(await session.scalars(select(LedgerEntry.call_id).where(LedgerEntry.call_id.in_(some))))
        return [call_id for call_id in asked if call_id not in known]

    async def open_calls(self, call_ids: Iterable[str]) -> list[str]:
        """Those of `call_ids` that have no outcome, known to the ledger or not, in their order."""
        asked = list(dict.fromkeys(call_ids))
        closed: set[str] = set()
        async with self._database.read() as session:
            for start in range(0, len(asked), _BATCH):
                some = LedgerEntry.call_id.in_(asked[start : start + _BATCH])
                closed.update(
                    await session.scalars(select(LedgerEntry.call_id).where(some, LedgerEntry.kind == CLOSED))
                )
        return [call_id for call_id in asked if call_id not in closed]

    async def events(self, call_id: str) -> list[Entry]:
        """Everything about one call, in the order it was put down."""
        async with self._database.read() as session:
            rows = await session.scalars(
                select(LedgerEntry).where(LedgerEntry.call_id == call_id).order_by(LedgerEntry.id)
            )
            return [_entry(row) for row in rows]

    async def of_session(self, session_id: str) -> list[Entry]:
        """Every fact put down in a session, in the order it was put down."""
        query = select(LedgerEntry).where(LedgerEntry.session_id == session_id).order_by(LedgerEntry.id)
        async with self._database.read() as session:
            return [_entry(row) for row in await session.scalars(query)]

    async def outcome(self, call_id: str) -> str | None:
        """The outcome of a closed call."""
        async with self._database.read() as session:
            return await session.scalar(
                select(LedgerEntry.outcome).where(LedgerEntry.call_id == call_id, LedgerEntry.kind == CLOSED)
            )

    async def summary(self, session_id: str | None = None) -> Summary:
        """Calls, outcomes and the unaccounted, of one session (every call with a fact in it) or of all time."""
        calls = _calls_of(session_id).subquery()
        within = LedgerEntry.call_id.in_(select(calls.c.call_id))
        closed = select(LedgerEntry.call_id).where(LedgerEntry.kind == CLOSED)
        async with self._database.read() as session:
            count = await session.scalar(select(func.count()).select_from(calls))
            outcomes = await session.execute(
                select(LedgerEntry.outcome, func.count())
                .where(LedgerEntry.kind == CLOSED, within)
                .group_by(LedgerEntry.outcome)
            )
            by_outcome = {str(outcome): number for outcome, number in outcomes}
            open_rows = await session.execute(
                select(LedgerEntry.call_id, LedgerEntry.at, LedgerEntry.kind)
                .where(within, LedgerEntry.call_id.not_in(closed))
                .order_by(LedgerEntry.id)
            )
            unaccounted = _unaccounted((row.call_id, row.at, row.kind) for row in open_rows)
        return Summary(calls=count or 0, outcomes=by_outcome, unaccounted=unaccounted)


def _calls_of(session_id: str | None) -> Select[str]:
    calls = select(LedgerEntry.call_id).where(LedgerEntry.call_id != OF_NO_CALL).distinct()
    return calls if session_id is None else calls.where(LedgerEntry.session_id == session_id)


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "command_id": entry.command_id,
        "call_id": entry.call_id,
        "kind": entry.kind,
        "at": from_unix(entry.at),
        "data": {key: _harmless(value) for key, value in entry.data.items()},
        "session_id": entry.session_id,
        "carrier": entry.carrier,
        "host": entry.host,
        "outcome": entry.outcome,
    }


def _harmless(value: Any) -> Any:
    """A fact is never lost because of a bad value: control characters go, what looks like a number is masked."""
    return mask_numbers(clean(value, _LONGEST_VALUE)) if isinstance(value, str) else value


def _entry(row: LedgerEntry) -> Entry:
    return Entry(
        command_id=row.command_id,
        call_id=row.call_id,
        kind=row.kind,
        at=row.at.timestamp(),
        data=row.data,
        session_id=row.session_id,
        carrier=row.carrier,
        host=row.host,
        outcome=row.outcome,  # type: ignore[arg-type]  # written from the vocabulary only
    )


def _unaccounted(rows: Iterable[tuple[str, datetime, str]]) -> tuple[Unaccounted, ...]:
    found: dict[str, Unaccounted] = {}
    for call_id, at, kind in rows:
        seconds = at.timestamp()
        first = found[call_id].first_at if call_id in found else seconds
        found[call_id] = Unaccounted(call_id=call_id, first_at=first, last_at=seconds, last_kind=kind)
    return tuple(found.values())


def _first(command_id: str, new: set[str]) -> bool:
    """True once: told twice in one transaction, a fact was new the first time only."""
    if command_id in new:
        new.remove(command_id)
        return True
    return False
