"""Sessions and their seats."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from api.schemas.shape import SeatState, SessionState, Shape
from api.texts import AsteriskLines, CloudLines, Reason, Sentence, Word
from sessions.plan import MOST_SEATS


class LineAddress(Shape):
    """Where a leader answers, by carrier. At least one."""

    asterisk: AsteriskLines | None = Field(
        None, description="A SIP URI, or a number behind the trunk. Up to three, rung in turn, separated by commas: desk, then mobile"
    )
    twilio: CloudLines | None = Field(
        None, description="The same as the cloud reaches the leader: a number with +, a SIP URI, or client:name"
    )

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
