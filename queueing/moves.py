"""An operator's act on the order of a line: move a caller who waits to another position."""

from redis.asyncio import Redis

from config.changes import channel
from config.scripts import load
from config.settings import Settings
from queueing.keys import line_keys, line_news

_MOVE = load(__file__, "move-2")


class NotInLine(Exception):
    """The caller is not in this line (any more)."""


class IsOffered(Exception):
    """The leader's line is ringing for this caller: there is nothing to move."""


async def move(redis: Redis, settings: Settings, seat_id: str, call_id: str, position: int) -> int:
    """The new position, from 1; a position beyond the end is the end. Raises NotInLine, IsOffered."""
    keys = line_keys(settings.redis_prefix, seat_id)
    arguments = (call_id, position, channel(settings.redis_prefix), line_news(seat_id))
    moved = int(await _MOVE.run(redis, (keys.waiting, keys.seat), *arguments))
    if moved == 0:
        raise NotInLine(call_id)
    if moved < 0:
        raise IsOffered(call_id)
    return moved
