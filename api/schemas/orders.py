"""Work orders."""

from datetime import datetime

from pydantic import Field

from api.schemas.shape import Shape
from api.texts import Reason, Sentence, Word


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
