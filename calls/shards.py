"""Where a call lives in Redis: sixteen shards, each one hash tag, so that calls spread over the nodes of a Cluster."""

from functools import lru_cache
from zlib import crc32

from msgspec import Struct

from config.redis import shard_key

SHARDS = 16
#: Calls whose keys are remembered: more are hardly under way at once.
_KNOWN = 4096


class ShardKeys(Struct, frozen=True):
    """The keys that the calls of one shard share, and of each of them."""

    #: zset call_id -> started_at of calls that have not ended.
    live: str
    #: zset call_id -> Unix seconds of the wake-up.
    wakeups: str
    #: zset `<lane>:<call_id>` -> from when anybody may perform it.
    outbox: str
    #: hash `<lane>:<call_id>` -> who performs it now.
    performers: str
    #: hash `<lane>:<call_id>` -> how often its first command failed.
    tries: str
    #: What all of these, and those of a single call, begin with.
    start: str

    def call(self, call_id: str) -> str:
        """As `call_key`."""
        return f"{self.start}call:{call_id}"

    def todo(self, lane: str, call_id: str) -> str:
        """As `todo_key`."""
        return f"{self.start}todo:{lane}:{call_id}"


@lru_cache(maxsize=4096)
def shard_of(call_id: str) -> int:
    """0..15, the same in every process."""
    return crc32(call_id.encode()) % SHARDS


def shard_keys(prefix: str, shard: int) -> ShardKeys:
    """The keys of a shard."""
    start = shard_key(prefix, tag_of(shard), "")
    return ShardKeys(
        live=start + "live", wakeups=start + "wakeups", outbox=start + "outbox", performers=start + "performers",
        tries=start + "tries", start=start,
    )  # fmt: skip


@lru_cache(maxsize=_KNOWN)
def call_key(prefix: str, call_id: str) -> str:
    """hash: `call` (JSON), `seq`, `put` (id of the last put), `second` and `turns` (turns saved in that second)."""
    return shard_key(prefix, tag_of(shard_of(call_id)), "call", call_id)


@lru_cache(maxsize=2 * _KNOWN)
def todo_key(prefix: str, lane: str, call_id: str) -> str:
    """list: the commands of one lane that are not performed yet, in order."""
    return shard_key(prefix, tag_of(shard_of(call_id)), "todo", lane, call_id)


def tag_of(shard: int) -> str:
    """The hash tag that the keys of a shard carry."""
    return _TAGS[shard]


_TAGS = tuple(f"c{shard:02d}" for shard in range(SHARDS))
