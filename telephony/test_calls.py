"""Test calls before a session opens: one to each line of each seat. Their records in Redis; no citizen's call, nothing in the
ledger. The API asks, one bridge does."""

from typing import Any, Literal, cast

import msgspec
from msgspec import Struct
from redis.asyncio import Redis

from config.changes import Change, announce
from config.ids import new_id
from config.lease import is_first
from config.redis import shard_key

#: answered: somebody spoke, and it was recorded. silent: answered, but nothing of one side is in the recording.
#: unchecked: no Asterisk line. no_bridge: nobody drives an Asterisk.
Result = Literal["", "answered", "silent", "no_answer", "unreachable", "unchecked", "no_bridge"]

KEPT_S = 24 * 3600
#: So long a test call may take in all, ringing included.
TAKES_S = 60.0


class TestCall(Struct, frozen=True):
    """One. `result` is empty while it goes on. `ring_s`, `recorded_s`: seconds."""

    id: str
    session_id: str
    seat_id: str
    leader: str
    line: str
    asked_at: float
    result: Result = ""
    ring_s: float = 0.0
    recorded_s: float = 0.0


class TestCalls:
    """Raises redis.exceptions.RedisError when Redis is away."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis, self._prefix = redis, prefix

    async def ask(self, session_id: str, calls: list[TestCall]) -> None:
        """Begin anew for a session: what was known of it before is forgotten."""
        await self._redis.delete(self._key(session_id))
        for call in calls:
            await self.put(call)
        await announce(self._redis, self._prefix, Change("test_calls", session_id))

    async def put(self, call: TestCall) -> None:
        key = self._key(call.session_id)
        await cast(Any, self._redis.hset(key, call.id, msgspec.json.encode(call).decode()))
        await self._redis.expire(key, KEPT_S)

    async def of_session(self, session_id: str) -> list[TestCall]:
        """In the order of the seats."""
        rows: Any = await cast(Any, self._redis.hvals(self._key(session_id)))
        return sorted((msgspec.json.decode(row, type=TestCall) for row in rows), key=lambda call: call.id)

    async def claim(self, call: TestCall) -> bool:
        """True for one of all bridges."""
        key = shard_key(self._prefix, f"session:{call.session_id}", "test-claim", call.id)
        return await is_first(self._redis, key, KEPT_S, new_id())

    def _key(self, session_id: str) -> str:
        return shard_key(self._prefix, f"session:{session_id}", "test-calls")
