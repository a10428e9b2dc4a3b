"""Tables of the sessions (場次) and their seats (席位). No live state: who talks and who waits is in Redis."""

from datetime import datetime
from typing import Literal

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from config.columns import UtcTime
from config.database import Base
from config.ids import new_id

SessionState = Literal["planned", "open", "closing", "closed", "postponed", "cancelled"]


class Session(Base):
    """One 熱線問政 session: two hours in which leaders answer in person (R1.1-R1.6)."""

    __tablename__ = "sessions"
    __table_args__ = (
        CheckConstraint("opens_at < closes_at", name="opens_before_it_closes"),
        Index("ix_sessions_state_opens_at", "state", "opens_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    opens_at: Mapped[datetime] = mapped_column(UtcTime)
    closes_at: Mapped[datetime] = mapped_column(UtcTime)
    #: Kept when a session is postponed (R1.3).
    original_opens_at: Mapped[datetime] = mapped_column(UtcTime)
    theme: Mapped[str] = mapped_column(String(200), default="")
    state: Mapped[str] = mapped_column(String(12), default="planned")
    #: Why it was postponed or cancelled.
    reason: Mapped[str] = mapped_column(String(200), default="")
    opened_at: Mapped[datetime | None] = mapped_column(UtcTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    seats: Mapped[list["Seat"]] = relationship(
        back_populates="session", order_by="Seat.position", lazy="selectin", cascade="all, delete-orphan"
    )

    @property
    def began_at(self) -> datetime:
        """From when on calls are calls of this session: the planned time, or the earlier one at which it was opened by hand."""
        return min(self.opened_at or self.opens_at, self.opens_at)


class Seat(Base):
    """One leader's place in one session, and the line by which the leader is rung (A14)."""

    __tablename__ = "seats"
    __table_args__ = (UniqueConstraint("session_id", "position"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    position: Mapped[int]
    unit: Mapped[str] = mapped_column(String(100))
    leader: Mapped[str] = mapped_column(String(60))
    post: Mapped[str] = mapped_column(String(60), default="")
    line_asterisk: Mapped[str] = mapped_column(String(200), default="")
    line_twilio: Mapped[str] = mapped_column(String(200), default="")
    #: Attendance (R5.2b), and how a seat is found open again when Redis lost it.
    signed_in_at: Mapped[datetime | None] = mapped_column(UtcTime)
    signed_out_at: Mapped[datetime | None] = mapped_column(UtcTime)
    session: Mapped[Session] = relationship(back_populates="seats")

    @property
    def is_signed_in(self) -> bool:
        """The leader is in the seat, or should be."""
        return self.signed_in_at is not None and self.signed_out_at is None

    @property
    def has_left(self) -> bool:
        """Nobody answers at this seat any more, while a leader who is late may still come."""
        return self.signed_out_at is not None
