"""What can be told of a line now: read from Redis in one round trip, forecast from its own session. No decisions."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct
from redis.asyncio import Redis

from config.clock import Clock
from config.settings import Settings
from queueing.forecast import Forecast, forecast
from queueing.keys import line_keys
from queueing.pace import Pace, Prior, read_pace
from queueing.seats import SeatNow, read_seat

#: States of a seat whose leader is not there.
AWAY = ("closed", "paused")


class LineNow(Struct, frozen=True):
    """A seat, the callers in its line, and how it goes there."""

    seat: SeatNow
    depth: int
    pace: Pace


class Outlook:
    """Raises redis.exceptions.RedisError when Redis is away."""

    def __init__(self, redis: Redis, settings: Settings, clock: Clock) -> None:
        self._redis, self._prefix, self._clock = redis, settings.redis_prefix, clock
        self._settings = settings
        self._prior = Prior(
            settings.handle_time_s, settings.handle_time_weight, settings.patience_s, settings.patience_weight
        )

    async def look(self, seat_ids: Iterable[str], call_id: str = "", seat_id: str = "") -> tuple[list[LineNow], int]:
        """These lines, in the order given, and the position of a call in the line of `seat_id` (0 = not in it)."""
        wanted = list(seat_ids)
        async with self._redis.pipeline(transaction=False) as pipe:
            for names in (line_keys(self._prefix, one) for one in wanted):
                pipe.hgetall(names.seat)
                pipe.zcard(names.waiting)
                pipe.hgetall(names.pace)
                pipe.hgetall(names.left)
            if seat_id:
                pipe.zrank(line_keys(self._prefix, seat_id).waiting, call_id)
            rows: list[Any] = await pipe.execute() if wanted or seat_id else []
        rank = rows.pop() if seat_id else None
        now = self._clock()
        lines = [
            LineNow(read_seat(one, rows[at], now), int(rows[at + 1]), read_pace(rows[at + 2], rows[at + 3]))
            for one, at in zip(wanted, range(0, len(rows), 4), strict=True)
        ]
        return lines, 0 if rank is None else int(rank) + 1

    def forecast(self, line: LineNow, ahead: int, closes_at: float) -> Forecast:
        """For a caller of this line with `ahead` callers before them."""
        settings, seat, now = self._settings, line.seat, self._clock()
        return forecast(
            ahead=ahead,
            closes_in_s=closes_at - now,
            pace=line.pace,
            prior=self._prior,
            talking_s=now - seat.since if seat.state == "talking" else None,
            rest_s=seat.until - now if seat.state == "wrap_up" else 0.0,
            away=seat.state in AWAY,
            wrap_up_s=settings.wrap_up_s,
            discouraged_below=settings.discouraged_below,
            ended_below=settings.admission_ends_below,
        )
