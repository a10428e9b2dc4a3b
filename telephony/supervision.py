"""Who listens to a talk, whispers, barges in or is its third party: the records of it in Redis, one hash a seat. The API
asks, the bridge of the Asterisk that carries the talk does; what is true is what that bridge wrote."""

from collections.abc import Iterable
from typing import Any, Literal, cast, get_args

import msgspec
from msgspec import Struct
from redis.asyncio import Redis

from config.changes import Change, announce
from config.redis import shard_key

#: listen: hears both, is heard by nobody. whisper: the leader hears them, too. barge: both do. three-way: one more in the
#: talk, and in its recording.
Kind = Literal["listen", "whisper", "barge", "three-way"]
State = Literal["asked", "ringing", "on", "ended"]
#: no_talk: nobody talked (any more). over: somebody hung up. ended: by an act. no_bridge: nobody drives that Asterisk.
Why = Literal["", "no_talk", "no_answer", "busy", "unreachable", "over", "ended", "no_bridge"]
KINDS: tuple[Kind, ...] = get_args(Kind)

#: Longer than any session.
KEPT_S = 24 * 3600
#: What a seat remembers.
KEPT = 50


class Supervision(Struct, frozen=True):
    """One of them. `host`: the node whose bridge is asked. `phone`: where it rings, an address of ours."""

    id: str
    kind: Kind
    seat_id: str
    call_id: str
    host: str
    phone: str
    who: str
    asked_at: float
    state: State = "asked"
    why: Why = ""


class Supervisions:
    """Raises redis.exceptions.RedisError when Redis is away."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis, self._prefix = redis, prefix

    async def put(self, one: Supervision) -> None:
        """Save it as it is now, and tell everybody."""
        key = self._key(one.seat_id)
        await cast(Any, self._redis.hset(key, one.id, msgspec.json.encode(one).decode()))
        await self._redis.expire(key, KEPT_S)
        await self._tell(one.seat_id, one.id)

    async def want_end(self, seat_id: str, supervision_id: str) -> None:
        """Whoever does it ends it, or does not begin."""
        await cast(Any, self._redis.hset(self._key(seat_id), _end(supervision_id), "1"))
        await self._tell(seat_id, supervision_id)

    async def is_to_end(self, one: Supervision) -> bool:
        return bool(await cast(Any, self._redis.hexists(self._key(one.seat_id), _end(one.id))))

    async def get(self, seat_id: str, supervision_id: str) -> Supervision | None:
        row: Any = await cast(Any, self._redis.hget(self._key(seat_id), supervision_id))
        return _read(row)

    async def of_seat(self, seat_id: str) -> list[Supervision]:
        """The newest first; what is long over is forgotten by this."""
        rows: Any = await cast(Any, self._redis.hgetall(self._key(seat_id)))
        found = sorted(filter(None, map(_read, rows.values())), key=lambda one: one.asked_at, reverse=True)
        await self._forget(seat_id, [one.id for one in found[KEPT:] if one.state == "ended"])
        return found[:KEPT]

    async def _forget(self, seat_id: str, ids: Iterable[str]) -> None:
        if fields := [field for one in ids for field in (one, _end(one))]:
            await cast(Any, self._redis.hdel(self._key(seat_id), *fields))

    async def _tell(self, seat_id: str, supervision_id: str) -> None:
        await announce(self._redis, self._prefix, Change("supervision", f"{seat_id}.{supervision_id}"))

    def _key(self, seat_id: str) -> str:
        return shard_key(self._prefix, f"line:{seat_id}", "supervisions")


def _end(supervision_id: str) -> str:
    return f"{supervision_id}/end"


def _read(row: str | None) -> Supervision | None:
    """None for what is no record: the wish to end one."""
    return msgspec.json.decode(row, type=Supervision) if row and row.startswith("{") else None
