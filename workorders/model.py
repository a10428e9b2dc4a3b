"""Tables of the work orders (工單). Who complains is kept apart from the case, and encrypted."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Float, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from config.columns import EncryptedText, RowNumber, UtcTime
from config.database import Base
from config.ids import new_id


class Petitioner(Base):
    """The person behind an order (訴求人). Personal data is encrypted; `number_hash` finds the same caller again."""

    __tablename__ = "petitioners"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    name: Mapped[str | None] = mapped_column(EncryptedText("petitioners.name"))
    number: Mapped[str | None] = mapped_column(EncryptedText("petitioners.number"))
    #: Keyed in by a caller whose own number is withheld.
    contact: Mapped[str | None] = mapped_column(EncryptedText("petitioners.contact"))
    number_hash: Mapped[str] = mapped_column(String(64), index=True, default="")
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class WorkOrder(Base):
    """One matter of one citizen. Born once per call; its history is in `order_events`."""

    __tablename__ = "work_orders"
    __table_args__ = (
        Index("ix_work_orders_status_created_at", "status", "created_at"),
        Index("ix_work_orders_session_id", "session_id"),
        Index("ix_work_orders_unit", "unit"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    #: `2026-1122-0007`: the day in the session's zone and a counter.
    number: Mapped[str] = mapped_column(String(20), unique=True)
    command_id: Mapped[str] = mapped_column(String(96), unique=True)
    call_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    session_id: Mapped[str] = mapped_column(String(32), default="")
    seat_id: Mapped[str] = mapped_column(String(32), default="")
    #: Name of the unit that handles it; empty until it is known.
    unit: Mapped[str] = mapped_column(String(100), default="")
    #: declined | abandoned | callback | released | closed | talked | fallback | web ...
    source: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(20), default="registered")
    urgent: Mapped[bool] = mapped_column(Boolean, default=False)
    confidential: Mapped[bool] = mapped_column(Boolean, default=False)
    content: Mapped[str] = mapped_column(Text, default="")
    #: consult | help | complaint | suggestion; empty until an operator says.
    kind: Mapped[str] = mapped_column(String(12), default="", server_default=text("''"))
    #: Where it is; may be a person's address.
    place: Mapped[str | None] = mapped_column(EncryptedText("work_orders.place"))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    dispatched_at: Mapped[datetime | None] = mapped_column(UtcTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcTime)
    #: How `due_at` was reckoned (A4).
    due_basis: Mapped[str] = mapped_column(String(200), default="")
    petitioner_id: Mapped[str] = mapped_column(ForeignKey("petitioners.id"))
    tags: Mapped[list["OrderTag"]] = relationship(lazy="selectin", order_by="OrderTag.tag", cascade="all")
    recordings: Mapped[list["Recording"]] = relationship(lazy="selectin", order_by="Recording.name")


class OrderTag(Base):
    """A tag of an order. `folded` is what queries compare: 熱線問政 and 热线问政 are one."""

    __tablename__ = "order_tags"
    __table_args__ = (Index("ix_order_tags_folded", "folded"),)

    order_id: Mapped[str] = mapped_column(ForeignKey("work_orders.id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(40), primary_key=True)
    folded: Mapped[str] = mapped_column(String(40))


class Recording(Base):
    """A recorded message or talk. The file is in the recordings directory, `path` is relative to it."""

    __tablename__ = "recordings"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    order_id: Mapped[str | None] = mapped_column(ForeignKey("work_orders.id"), index=True)
    call_id: Mapped[str] = mapped_column(String(64), index=True)
    #: The carrier's name of the leg it was made on, when we called back; empty = the leg they came by.
    leg: Mapped[str] = mapped_column(String(150), default="", server_default=text("''"))
    name: Mapped[str] = mapped_column(String(120), unique=True)
    path: Mapped[str] = mapped_column(String(200))
    #: expected | ready | missing | empty
    state: Mapped[str] = mapped_column(String(10), default="expected")
    duration_s: Mapped[float | None] = mapped_column(Float)
    bytes: Mapped[int | None] = mapped_column(Integer)
    sha256: Mapped[str] = mapped_column(String(64), default="")
    #: `wav pcm16 8000 Hz mono`
    format: Mapped[str] = mapped_column(String(40), default="")
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)


class RecordingAtCloud(Base):
    """A recording that the cloud told us of and that is not done with yet (`workorders.at_cloud`)."""

    __tablename__ = "recordings_at_cloud"

    recording_sid: Mapped[str] = mapped_column(String(34), primary_key=True)
    #: As in `recordings.name`.
    name: Mapped[str] = mapped_column(String(120))
    noticed_at: Mapped[datetime] = mapped_column(UtcTime)
    #: When it is to be tried again.
    due_at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    #: The cloud has it no more.
    deleted: Mapped[bool] = mapped_column(Boolean)


class OrderEvent(Base):
    """What happened to an order. Append-only, as the ledger is."""

    __tablename__ = "order_events"

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("work_orders.id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcTime)
    kind: Mapped[str] = mapped_column(String(40))
    actor: Mapped[str] = mapped_column(String(60), default="")
    from_status: Mapped[str] = mapped_column(String(20), default="")
    to_status: Mapped[str] = mapped_column(String(20), default="")
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class OrderForm(Base):
    """What an operator fills in while the leader talks; becomes part of the call's order, whichever of the two is there first."""

    __tablename__ = "order_forms"

    call_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: workorders.forms.Form as JSON: citizens' words.
    form: Mapped[str] = mapped_column(EncryptedText("order_forms.form"))
    #: Grows by one with every saving; who saves over another's is refused.
    version: Mapped[int]
    saved_at: Mapped[datetime] = mapped_column(UtcTime)
    saved_by: Mapped[str] = mapped_column(String(60))


class CallNote(Base):
    """One line of the record that an operator keeps during a call (同步記錄). Added to, never changed."""

    __tablename__ = "call_notes"

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=True)
    call_id: Mapped[str] = mapped_column(String(64), index=True)
    at: Mapped[datetime] = mapped_column(UtcTime)
    who: Mapped[str] = mapped_column(String(60))
    text: Mapped[str] = mapped_column(EncryptedText("call_notes.text"))


class Unit(Base):
    """A unit that handles orders (承辦單位): a municipal unit, a county or district, or the hotline itself (R0.2)."""

    __tablename__ = "units"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    #: 值班電話, E.164: rung when an order is assigned by phone (R4.3a).
    duty_number: Mapped[str | None] = mapped_column(EncryptedText("units.duty_number"))
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class InboxItem(Base):
    """The delivery of an order into a unit's inbox. The clock of the order starts with it (A4)."""

    __tablename__ = "inbox"
    __table_args__ = (UniqueConstraint("order_id", "round"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    unit_id: Mapped[str] = mapped_column(ForeignKey("units.id"), index=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("work_orders.id"))
    #: 1, and one more with every redo.
    round: Mapped[int] = mapped_column(default=1)
    delivered_at: Mapped[datetime] = mapped_column(UtcTime)
    signed_at: Mapped[datetime | None] = mapped_column(UtcTime)


_LIVE, _UNDER_WAY = text("state != 'done'"), text("state IN ('ringing', 'talking')")


class PlacedCall(Base):
    """A call that we place about an order: urgent assignment (電話交辦) or follow-up (電話回訪). No citizen's call, so it is not
    in the ledger. It holds no number: that is looked up at the unit or the petitioner when a phone is to ring."""

    __tablename__ = "placed_calls"
    __table_args__ = (
        Index("ix_placed_calls_state_due_at", "state", "due_at"),
        #: One at a time for a purpose and an order, and for a phone.
        Index(
            "uq_placed_calls_order_id_purpose", "order_id", "purpose", unique=True, sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
        Index(
            "uq_placed_calls_phone", "phone", unique=True, sqlite_where=_UNDER_WAY, postgresql_where=_UNDER_WAY
        ),
    )  # fmt: skip

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    #: urgent | follow_up
    purpose: Mapped[str] = mapped_column(String(10))
    order_id: Mapped[str] = mapped_column(ForeignKey("work_orders.id"), index=True)
    #: urgent: who is to act. follow_up: whose reply it is about.
    unit: Mapped[str] = mapped_column(String(100), default="")
    #: waiting | ringing | talking | done
    state: Mapped[str] = mapped_column(String(8), default="waiting")
    tries: Mapped[int] = mapped_column(default=0)
    #: waiting: when the phone is to ring. ringing, talking: when it is looked after if nothing is heard.
    due_at: Mapped[datetime] = mapped_column(UtcTime)
    #: Our id of the present try at the carrier.
    leg: Mapped[str] = mapped_column(String(26), default="")
    #: Keyed hash of the number that rings now, as in `petitioners.number_hash`; empty when none does.
    phone: Mapped[str | None] = mapped_column(String(64))
    #: ivr.placed.Conversation of the present try as JSON; empty before somebody is rung.
    talk: Mapped[str] = mapped_column(Text, default="")
    #: confirmed | satisfied | unsatisfied | refused | operator | unreached | no_number | withdrawn (a person took over) |
    #: obsolete (the order moved on); empty = not done
    result: Mapped[str] = mapped_column(String(12), default="")
    #: Why the last try came to nothing.
    missed: Mapped[str] = mapped_column(String(20), default="")
    asked_at: Mapped[datetime] = mapped_column(UtcTime)
    asked_by: Mapped[str] = mapped_column(String(60))
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime)


class OrderNumber(Base):
    """The counter behind an order's number, one row a day. Its row lock makes numbers unique without gaps."""

    __tablename__ = "order_numbers"

    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    last: Mapped[int]


class CalendarDay(Base):
    """A day that is not what its weekday says, or a year's mark. Seeded from libraries, editable."""

    __tablename__ = "calendar_days"

    day: Mapped[date] = mapped_column(primary_key=True)
    working: Mapped[bool] = mapped_column(Boolean)
    #: The State Council's notice is out; else it is a guess.
    confirmed: Mapped[bool] = mapped_column(Boolean)
    name: Mapped[str] = mapped_column(String(40), default="")
