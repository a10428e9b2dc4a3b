"""What an operator has directed for a session that is held: an announcement, admission closed. In Redis, with the line it
is about; the calendar's own steps (open, close, extend) are in the database."""

from typing import Any, cast

from msgspec import Struct
from redis.asyncio import Redis

from config.redis import shard_key

#: Longer than any session.
KEPT_S = 24 * 3600
_LOOKED_AFTER = "looked_after"


class Directions(Struct, frozen=True):
    """Empty = nothing was directed. `notice_at` in Unix seconds."""

    notice: str = ""
    notice_at: float = 0.0
    admission_closed: bool = False


async def read_directions(redis: Redis, prefix: str, session_id: str) -> Directions:
    """The directions for a session as they stand."""
    fields: Any = await cast(Any, redis.hgetall(_key(prefix, session_id)))
    return Directions(
        fields.get("notice", ""), float(fields.get("notice_at") or 0), fields.get("admission") == "closed"
    )


async def announce(redis: Redis, prefix: str, session_id: str, notice: str, at: float) -> None:
    """Everybody who waits is to hear `notice`, a key of the wording."""
    await _put(redis, _key(prefix, session_id), {"notice": notice, "notice_at": repr(at)})


async def admit(redis: Redis, prefix: str, session_id: str, *, closed: bool) -> None:
    """Close or open the line for who is not in it."""
    await _put(redis, _key(prefix, session_id), {"admission": "closed" if closed else "open"})


async def restore(redis: Redis, prefix: str, session_id: str, directions: Directions) -> None:
    """As they stood before Redis lost them."""
    if directions.notice:
        await announce(redis, prefix, session_id, directions.notice, directions.notice_at)
    await admit(redis, prefix, session_id, closed=directions.admission_closed)


async def are_lost(redis: Redis, prefix: str, session_id: str) -> bool:
    """Redis does not know that this session was ever looked after: it is new, or everything was lost."""
    return not await cast(Any, redis.hexists(_key(prefix, session_id), _LOOKED_AFTER))


async def look_after(redis: Redis, prefix: str, session_id: str) -> None:
    """From now on, until Redis loses it, the directions stand there as the ledger has them."""
    await _put(redis, _key(prefix, session_id), {_LOOKED_AFTER: "1"})


async def _put(redis: Redis, key: str, fields: dict[str, str]) -> None:
    for name, value in fields.items():
        await redis.hset(key, name, value)
    await redis.expire(key, KEPT_S)


def _key(prefix: str, session_id: str) -> str:
    return shard_key(prefix, f"session:{session_id}", "directions")
