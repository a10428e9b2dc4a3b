"""Names of the keys of one seat's line. All carry the hash tag {line:<seat_id>}, so that one Cluster slot holds them."""

import re
from functools import lru_cache

from msgspec import Struct

from config.redis import shard_key

_SEAT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class LineKeys(Struct, frozen=True):
    """The keys of one line."""

    #: zset call_id -> order (see line.order_of): everybody in the line, the offered caller too.
    waiting: str
    #: hash call_id -> joined_at of everybody in the line.
    callers: str
    #: hash call_id -> newest at_seq applied: the tombstones.
    seen: str
    #: hash call_id -> when, in Unix seconds, a caller came into the line who had said yes long before: until the ledger has it.
    late: str
    #: hash call_id -> where in the order of `waiting` a call stood that gave up: who redials in time goes on there.
    stood: str
    #: hash reason -> how many left the line for it.
    left: str
    #: hash: the seat, with its newest claim and what became of it.
    seat: str
    #: hash call_id -> `callback` for callers who have hung up and keep the place.
    marks: str
    #: list: samples of the depth.
    depths: str
    #: hash: talks and their seconds, seconds waited by all callers (see queueing.pace).
    pace: str


@lru_cache(maxsize=1024)
def line_keys(prefix: str, seat_id: str) -> LineKeys:
    """Raises ValueError for a seat id that cannot be part of a key."""
    if not _SEAT_ID.fullmatch(seat_id):
        raise ValueError("a seat id holds 1 to 64 letters, digits, '_' or '-'")
    return LineKeys(*(shard_key(prefix, f"line:{seat_id}", name) for name in LineKeys.__struct_fields__))


@lru_cache(maxsize=1024)
def line_news(seat_id: str) -> str:
    """What a script publishes that has changed the line or its seat: a config.changes.Change. An id that can be part of a key
    holds nothing that JSON would have to quote."""
    return f'{{"kind":"line","id":"{seat_id}"}}'
