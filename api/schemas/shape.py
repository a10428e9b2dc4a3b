"""What all shapes have in common."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

SeatState = Literal["closed", "free", "ringing", "talking", "wrap_up", "paused"]


SessionState = Literal["planned", "open", "closing", "closed", "postponed", "cancelled"]


class Shape(BaseModel):
    """Common to all shapes: unknown fields are refused, so that a typing error never passes silently."""

    model_config = ConfigDict(extra="forbid")
