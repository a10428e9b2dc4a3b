"""The ledger's table. Rows are added, never changed: triggers of the database refuse the rest (see the migrations)."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from config.columns import RowNumber, UtcTime
from config.database import Base

CLOSED = "closed"


class LedgerEntry(Base):
    """One fact about one call. `kind` is a word of the flow, `closed` ends the call with its one outcome."""

    __tablename__ = "ledger"
    __table_args__ = (
        Index(
            "uq_ledger_closed",
            "call_id",
            unique=True,
            sqlite_where=text("kind = 'closed'"),
            postgresql_where=text("kind = 'closed'"),
        ),
    )

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=True)
    command_id: Mapped[str] = mapped_column(String(96), unique=True)
    call_id: Mapped[str] = mapped_column(String(64), index=True)
    session_id: Mapped[str] = mapped_column(String(32), index=True, default="")
    at: Mapped[datetime] = mapped_column(UtcTime)
    kind: Mapped[str] = mapped_column(String(40))
    #: Only for `closed`: talked | work_order | callback | transferred | abandoned | fallback.
    outcome: Mapped[str | None] = mapped_column(String(20))
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    carrier: Mapped[str] = mapped_column(String(12), default="")
    host: Mapped[str] = mapped_column(String(64), default="")


class LedgerSeal(Base):
    """A hash over all facts since the seal before, and over that seal: none of them can be changed unnoticed."""

    __tablename__ = "ledger_seals"

    #: 1, 2, 3 ...
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: The last row of the ledger that is under this seal; the first is the one after the seal before.
    last_entry: Mapped[int] = mapped_column(RowNumber)
    entries: Mapped[int]
    #: HMAC-SHA-256 in hexadecimal.
    digest: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UtcTime)
