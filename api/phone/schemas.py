"""What a page asks for a browser phone, and what it gets."""

from typing import Annotated, Literal

from pydantic import Field

from api.schemas.shape import Shape


class PhoneTicketIn(Shape):
    purpose: Literal["citizen", "seat", "operators"]
    seat_id: Annotated[str, Field(max_length=64)] = ""
    number: Annotated[
        str, Field(max_length=20, description="A citizen's number of before, so that a redial is known")
    ] = ""


class PhoneTicketOut(Shape):
    ticket: str = Field(description="Opens `/ws` once, as the subprotocol `ticket.<ticket>` after `sip`")
    valid_s: int
    uri: str = Field(description="Who this phone is")
    number: str = Field(description="From which a citizen calls; empty otherwise")
    line: str = Field(description="How this phone is rung; empty for a citizen's")
    registers: bool = Field(description="This phone can be rung, so it registers")
    service: str = Field(description="What a citizen dials")
