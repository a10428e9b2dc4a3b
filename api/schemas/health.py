"""Health, and problems."""

from typing import Literal

from pydantic import BaseModel

from api.schemas.shape import Shape


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
