"""What the Asterisk of every node has written down of its calls: each node's bridge reports it to Redis, so that one check
can compare all of them. Holds no number and no word of a caller.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, json
from redis.asyncio import Redis

from telephony.asterisk.cdr import CallRecord
from telephony.asterisk.record_files import DAY_S


class NodeCall(Struct, frozen=True):
    """One call as its Asterisk wrote it down. Times in Unix seconds; `told` in Asterisk's own words."""

    call_id: str
    started_at: float
    ended_at: float
    told: str


class NodeReport(Struct, frozen=True):
    """One node: its bridge has read, until `read_until` (Unix seconds), all that Asterisk wrote."""

    read_until: float
    calls: tuple[NodeCall, ...]


_ENCODER, _DECODER = json.Encoder(), json.Decoder(NodeCall)


def of_rows(rows: Sequence[CallRecord]) -> NodeCall:
    """A call from its rows."""
    first, last = rows[0], rows[-1]
    ended_at = max(row.ended_at for row in rows)
    return NodeCall(first.call_id, first.started_at, ended_at, f"{last.stage} {last.disposition}")


class NodeRecords:
    """Of all nodes. Raises redis.exceptions.RedisError when Redis is away."""

    def __init__(self, redis: Redis, prefix: str, days: int) -> None:
        """They are kept for so many days."""
        self._redis, self._prefix, self._days = redis, prefix, days

    async def report(self, node: str, calls: Mapping[str, Sequence[CallRecord]], now: float) -> None:
        """What was found since the last time, with the rows of each call. May be told again."""
        key, nodes = self._key(node), f"{self._prefix}cdr_nodes"
        async with self._redis.pipeline(transaction=False) as pipe:
            if calls:
                pipe.zadd(key, {_ENCODER.encode(of_rows(rows)).decode(): now for rows in calls.values()})
                pipe.expire(key, int(self._days * DAY_S))
            pipe.zremrangebyscore(key, "-inf", repr(now - self._days * DAY_S))
            await pipe.execute()
        # Last: whoever reads `read_until` finds everything up to it.
        await self._redis.hset(nodes, node, repr(now))

    async def read(self, since: float, now: float) -> dict[str, NodeReport]:
        """By node, the calls that were reported from `since` on. A node that has said nothing for as long as records are kept
        is forgotten."""
        told: Any = await self._redis.hgetall(f"{self._prefix}cdr_nodes")
        known = {node: float(at) for node, at in told.items() if float(at) > now - self._days * DAY_S}
        return {node: NodeReport(at, await self._calls(node, since)) for node, at in known.items()}

    async def _calls(self, node: str, since: float) -> tuple[NodeCall, ...]:
        """A call whose rows came in several reports is one."""
        rows: Any = await self._redis.zrangebyscore(self._key(node), repr(since), "+inf")
        calls: dict[str, NodeCall] = {}
        for row in rows:
            call = _DECODER.decode(row)
            before = calls.get(call.call_id)
            calls[call.call_id] = call if before is None or call.ended_at >= before.ended_at else before
        return tuple(calls.values())

    def _key(self, node: str) -> str:
        return f"{self._prefix}cdr_of:{node}"
