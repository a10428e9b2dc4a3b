"""Tables of accounts, API tokens and the audit trail. No password, token or TOTP secret is kept in clear."""

from datetime import datetime

from sqlalchemy import JSON, Boolean, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from config.columns import EncryptedText, RowNumber, UtcTime
from config.database import Base
from config.ids import new_id


class Account(Base):
    """One person who signs in. Disabled, never deleted: the audit trail names them."""

    __tablename__ = "accounts"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    #: What is typed at sign-in; lower case.
    login: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(60))
    role: Mapped[str] = mapped_column(String(16))
    #: A leader and a unit's handler see and do only what is their unit's.
    unit: Mapped[str] = mapped_column(String(100), default="")
    #: argon2id; empty = signs in by link or OpenID Connect only.
    password_hash: Mapped[str] = mapped_column(String(200), default="")
    totp_secret: Mapped[str | None] = mapped_column(EncryptedText("accounts.totp_secret"))
    #: `sub` of the identity provider, pinned at the first sign-in.
    subject: Mapped[str | None] = mapped_column(String(255), unique=True)
    enabled: Mapped[bool] = mapped_column(Boolean, default=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class ApiToken(Base):
    """A token for automation. Only its SHA-256 is kept; what it may is listed."""

    __tablename__ = "api_tokens"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(60), unique=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcTime)
    account_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))


class AuditEntry(Base):
    """One act, or one look at personal data. Append-only: triggers of the database refuse the rest."""

    __tablename__ = "audit_trail"
    __table_args__ = (Index("ix_audit_trail_act_at", "act", "at"),)

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    #: Login or name of a token, as it was then.
    who: Mapped[str] = mapped_column(String(60), index=True)
    account_id: Mapped[str] = mapped_column(String(32), default="")
    role: Mapped[str] = mapped_column(String(16))
    act: Mapped[str] = mapped_column(String(60))
    #: `order_id=...`: ids, never personal data.
    on_what: Mapped[str] = mapped_column(String(200), default="")
    reason: Mapped[str] = mapped_column(String(200), default="")
    #: asked | refused | done
    result: Mapped[str] = mapped_column(String(10))
    #: Where the request came from.
    address: Mapped[str] = mapped_column(String(45), default="")
