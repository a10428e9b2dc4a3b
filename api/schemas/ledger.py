"""The ledger and its check."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from api.schemas.shape import Shape


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


class StuckOut(Shape):
    call_id: str
    command: str = Field(description="MakeOrder, CloseCall, Note ...; empty: it cannot be read")
    since: datetime | None


class LedgerCheckOut(Shape):
    session_id: str | None
    complete: bool = Field(description="All of it was proven; not while a carrier is away")
    calls: int
    outcomes: dict[str, int]
    live: int
    unaccounted: list[UnaccountedOut]
    forgotten: list[UnaccountedOut] = Field(
        description="Promised a call back, and got neither a talk nor an order, nor did a newer call of theirs; nobody keeps "
        "their place"
    )
    without_order: list[UnaccountedOut] = Field(
        description="Owed a work order, and there is none: talked, left a matter, gave up waiting, or met a fault of ours. "
        "`last_kind` is the outcome"
    )
    stuck: list[StuckOut] = Field(
        description="What failed often and is set aside, the oldest of each call: it is not done yet, and nothing is proven"
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
