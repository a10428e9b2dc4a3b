"""The line, and acts on who waits."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from api.schemas.shape import SeatState, SessionState, Shape
from api.texts import Reason


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
    depth: int = Field(description="Callers in all lines")
    longest_wait_s: float
    seats: list[SeatBrief]
    callers: list[CallerOut] = Field(description="The first 1000 of each line")


class MoveIn(Shape):
    position: int = Field(ge=1, le=100_000, description="1 = next to be put through")
    reason: Reason


class ReleaseIn(Shape):
    to: Literal["work_order", "operator", "callback"]
    reason: Reason | None = Field(None, description="Why. A program may leave it out: the ledger says then that it was not stated")


class ActOut(Shape):
    """What an act on a caller led to."""

    call_id: str
    seat_id: str
    position: int = Field(description="0 = no longer in the line")
    node: str = Field(description="Where the call is in its flow")
