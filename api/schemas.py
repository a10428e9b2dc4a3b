"""The shapes that go in and out, as documented at /openapi.json. Numbers in them are masked unless a field says otherwise."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from api.texts import NumberLines, Passage, Reason, Sentence, SipLines, Word
from sessions.plan import MOST_SEATS

SeatState = Literal["closed", "free", "ringing", "talking", "wrap_up", "paused"]
SessionState = Literal["planned", "open", "closing", "closed", "postponed", "cancelled"]


class Shape(BaseModel):
    """Common to all shapes: unknown fields are refused, so that a typing error never passes silently."""

    model_config = ConfigDict(extra="forbid")


# -- the line ---------------------------------------------------------------------------------------------------------
class SessionBrief(Shape):
    id: str
    state: SessionState
    closes_at: datetime


class SeatBrief(Shape):
    id: str
    unit: str
    leader: str
    state: SeatState
    depth: int = Field(description="Callers in this seat's line")
    chance: float = Field(description="0..1, for whoever joins this line now")
    wait_s: float = Field(description="Expected seconds of waiting for whoever joins now")
    can_serve: int = Field(description="How many more this leader can take before closing time")


class CallerOut(Shape):
    call_id: str
    carrier: Literal["asterisk", "twilio"]
    number: str = Field(description="Masked, 138****5678; empty when withheld")
    seat_id: str
    position: int = Field(description="1 = next to be put through")
    joined_at: datetime
    waited_s: float
    state: Literal["waiting", "offered", "callback"]
    chance: float = Field(description="0..1, put through before closing time for who stays")
    wait_s: float = Field(description="Expected seconds until put through")


class LineOut(Shape):
    at: datetime
    session: SessionBrief | None
    depth: int
    longest_wait_s: float
    seats: list[SeatBrief]
    callers: list[CallerOut]


class MoveIn(Shape):
    position: int = Field(ge=1, le=100_000, description="1 = next to be put through")
    reason: Reason


class ReleaseIn(Shape):
    to: Literal["work_order", "operator", "callback"]
    reason: Reason | None = Field(None, description="Why; without it the ledger says that it was not stated")


class ActOut(Shape):
    """What an act on a caller led to."""

    call_id: str
    seat_id: str
    position: int = Field(description="0 = no longer in the line")
    node: str = Field(description="Where the call is in its flow")


# -- sessions and seats -----------------------------------------------------------------------------------------------
class LineAddress(Shape):
    """Where a leader answers, by carrier. At least one."""

    asterisk: SipLines | None = Field(None, description="Further lines, rung in turn, after a comma: desk, then mobile")
    twilio: NumberLines | None = None

    @model_validator(mode="after")
    def _one_at_least(self) -> "LineAddress":
        if self.asterisk is None and self.twilio is None:
            raise PydanticCustomError("invalid_line", "a line needs an asterisk or a twilio address")
        return self


class SeatIn(Shape):
    unit: Word
    leader: Word
    line: LineAddress


class SessionIn(Shape):
    opens_at: datetime = Field(
        description="ISO 8601; without an offset it is read in the service's time zone"
    )
    closes_at: datetime
    theme: Sentence = ""
    seats: Annotated[
        list[SeatIn], Field(min_length=1, max_length=MOST_SEATS, description="Callers pick one by a key from 1 to 9")
    ]


class PostponeIn(Shape):
    opens_at: datetime | None = Field(None, description="The new time; without it the session waits for one")
    closes_at: datetime | None = None
    reason: Reason = "postponed"


class ReasonIn(Shape):
    reason: Reason | None = None


class LineAddressOut(Shape):
    asterisk: str | None = None
    twilio: str | None = None


class SeatOut(Shape):
    id: str
    unit: str
    leader: str
    state: SeatState
    line: LineAddressOut


class SessionOut(Shape):
    id: str
    state: SessionState
    opens_at: datetime
    closes_at: datetime
    theme: str
    seats: list[SeatOut]


class SessionsOut(Shape):
    items: list[SessionOut]


# -- calls and the ledger ---------------------------------------------------------------------------------------------
class LedgerEvent(Shape):
    at: datetime
    kind: str
    data: dict[str, str | int | float]


class CallOut(Shape):
    call_id: str
    carrier: str
    number: str = Field(description="Masked, unless the scope `numbers` and a reason were given")
    node: str = Field(description="Where the call is in its flow; `ended` when it is over")
    outcome: str | None = None
    started_at: datetime | None
    ended_at: datetime | None = None
    session_id: str = ""
    seat_id: str = ""
    order_number: str = ""
    events: list[LedgerEvent]


class NoteIn(Shape):
    text: Annotated[Sentence, Field(min_length=1)]


class NoteOut(Shape):
    at: datetime
    who: str
    text: str


class NotesOut(Shape):
    items: list[NoteOut]


class FormIn(Shape):
    kind: Literal["", "consult", "help", "complaint", "suggestion"] = ""
    unit: Annotated[Sentence, Field(max_length=100)] = ""
    place: Annotated[Sentence, Field(max_length=200)] = ""
    content: Passage = ""
    urgent: bool = False
    confidential: bool = False
    version: int = Field(ge=0, description="The version that this was made from; 0 = nothing was saved before")


class FormOut(FormIn):
    saved_by: str = ""


class LedgerOut(Shape):
    session_id: str | None
    calls: int
    outcomes: dict[str, int]
    unaccounted: int = Field(
        description="Calls that are over, or unknown to Redis, without an outcome; must be 0"
    )
    unaccounted_calls: list[str] = Field(description="Their ids, the first thousand")
    live: int = Field(description="Calls that go on and have no outcome yet")


class UnaccountedOut(Shape):
    call_id: str
    first_at: datetime
    last_at: datetime
    last_kind: str = Field(description="The last that was heard of it")


class MissingOut(Shape):
    call_id: str
    carrier: Literal["asterisk", "twilio"]
    started_at: datetime | None = Field(description="null: the carrier's record has no time that can be read")
    seconds: float
    told: str = Field(description="In the carrier's words")
    last_kind: str = Field(description="The last fact in the ledger; empty when it has never heard of the call")


class SealOut(Shape):
    number: int
    first_entry: int
    last_entry: int
    fault: str = Field(description="changed, missing, added, no_chain, cut_off or replaced")


class LedgerCheckOut(Shape):
    session_id: str | None
    complete: bool = Field(description="All of it was proven; not while a carrier is away")
    calls: int
    outcomes: dict[str, int]
    live: int
    unaccounted: list[UnaccountedOut]
    forgotten: list[UnaccountedOut] = Field(
        description="Promised a call back, and got neither a talk nor an order; nobody keeps their place"
    )
    asterisk: Literal["ok", "off", "away"] = Field(description="Whether its call records were compared")
    cloud: Literal["ok", "off", "away"]
    nodes: list[str] = Field(description="Asterisk nodes whose records were compared")
    silent_nodes: list[str] = Field(description="Of these, whose bridge has not reported until then: nothing is proven")
    asterisk_records: int
    cloud_records: int
    missing: list[MissingOut] = Field(description="Calls that a carrier knows and that have no outcome")
    seals: int
    sealed: int = Field(description="Facts under a seal")
    not_sealed_yet: int
    broken_seals: list[SealOut]


# -- work orders ------------------------------------------------------------------------------------------------------
class OrderEvent(Shape):
    at: datetime
    kind: str
    actor: str
    status: str = Field(description="Reached with this event")
    data: dict[str, object]


class OrderOut(Shape):
    id: str
    number: str
    tags: list[str]
    source: str
    call_id: str | None
    status: str
    unit: str | None
    session_id: str | None
    urgent: bool
    confidential: bool = False
    kind: str = Field("", description="consult, help, complaint, suggestion; empty = not said")
    created_at: datetime
    due_at: datetime | None


class OrderDetail(OrderOut):
    petitioner: str = Field(description="Masked number, unless the scope `numbers` and a reason were given")
    content: str
    place: str = ""
    recordings: list[dict[str, object]]
    events: list[OrderEvent]
    transitions: list[str] = Field(description="What may be done with it now")


class OrdersOut(Shape):
    items: list[OrderOut]
    next: str | None = Field(description="Cursor of the next page; null at the end")


class TransitionIn(Shape):
    reason: Reason | None = None
    unit: Word | None = None
    text: Sentence | None = None


# -- health -----------------------------------------------------------------------------------------------------------
class HealthOut(Shape):
    status: Literal["ok"]


class ReadyOut(Shape):
    database: Literal["ok"]
    redis: Literal["ok"]
    asterisk: Literal["ok", "off"]
    worker: Literal["ok"]


class ProblemOut(BaseModel):
    """RFC 9457; `code` is stable."""

    type: str
    title: str
    status: int
    code: str
    detail: str | None = None
    errors: list[dict[str, str]] | None = None
