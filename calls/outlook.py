"""What can be told of a line now: read from Redis in one round trip, forecast from its own session. No decisions."""

from collections.abc import Awaitable, Iterable
from typing import Any

from msgspec import Struct
from redis.asyncio import Redis

from config.clock import Clock
from config.scripts import load
from config.settings import Settings
from queueing.forecast import Forecast, forecast
from queueing.keys import line_keys
from queueing.pace import Pace, Prior, read_pace
from queueing.seats import SeatNow, read_seat

#: States of a seat whose leader is not there.
AWAY = ("closed", "paused")

_LOOK = load(__file__, "look-4")


class LineNow(Struct, frozen=True):
    """A seat, the callers in its line, and how it goes there."""

    seat: SeatNow
    depth: int
    pace: Pace


class Look:
    """What was asked of some lines. `seen` it once."""

    def __init__(
        self,
        asked: list[tuple[str, Awaitable[Any]]],
        seat_id: str,
        elsewhere: Awaitable[Any] | None,
        clock: Clock,
    ) -> None:
        self._asked, self._seat_id, self._elsewhere, self._clock = asked, seat_id, elsewhere, clock

    async def seen(self) -> tuple[list[LineNow], int]:
        """As `Outlook.look`."""
        rows = [(one, await answer) for one, answer in self._asked]
        mine = await self._elsewhere if self._elsewhere is not None else None
        now, lines = self._clock(), []
        for one, row in rows:
            depth, _, seat, pace, left = row
            lines.append(LineNow(read_seat(one, _fields(seat), now), depth, read_pace(_fields(pace), _fields(left))))
            if one == self._seat_id:
                mine = row
        return lines, 0 if mine is None or mine[1] is None else int(mine[1]) + 1


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
        return await self.begin(tuple(seat_ids), call_id, seat_id).seen()

    def begin(self, seat_ids: tuple[str, ...], call_id: str = "", seat_id: str = "") -> "Look":
        """The same, asked now."""
        asked = [(one, self._ask(one, call_id)) for one in seat_ids]
        elsewhere = self._ask(seat_id, call_id) if seat_id and seat_id not in seat_ids else None
        return Look(asked, seat_id, elsewhere, self._clock)

    def _ask(self, seat_id: str, call_id: str) -> Awaitable[Any]:
        names = line_keys(self._prefix, seat_id)
        return _LOOK.begin(self._redis, (names.waiting, names.seat, names.pace, names.left), call_id)

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


def _fields(flat: list[str]) -> dict[str, str]:
    """Of a hash as a script returns it."""
    each = iter(flat)
    return dict(zip(each, each, strict=True))
