"""A call, its notes and its form."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from api.schemas.shape import Shape
from api.texts import Passage, Sentence


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
