"""What can be told of a line now: read from Redis in one round trip, forecast from its own session. No decisions."""

from collections.abc import Awaitable, Generator, Iterable
from typing import Any

from msgspec import Struct
from redis.asyncio import Redis

from config.clock import Clock
from config.scripts import load
from config.settings import Settings
from config.shared import begin
from queueing.forecast import Forecast, forecast
from queueing.keys import line_keys
from queueing.pace import Pace, Prior, read_pace
from queueing.seats import SeatNow, read_seat

#: Of the seat, what changes while it is open; who it is hangs on the board.
_SEAT = ("state", "since", "until", "reason", "closing", "held", "gone")
#: States of a seat whose leader is not there.
AWAY = ("closed", "paused")

#: So long is a moment: hundreds who call at once are told the same of lines that are the same.
MOMENT_S = 0.02
#: More than a session has.
SEATS_KEPT = 100

_LOOK = load(__file__, "look-5")


class LineNow(Struct, frozen=True):
    """A seat (how it stands now, without its details), the callers in its line, and how it goes there."""

    seat: SeatNow
    depth: int
    pace: Pace
    #: Of the callers, those who have hung up and keep the place.
    kept: int = 0


class Look:
    """What was asked of some lines, and of one call in them. Await it once: the lines, in the order they were asked for, and
    the positions of the call by seat (0 = not in that line; empty when no call was asked for)."""

    def __init__(
        self, asked: list[tuple[str, Awaitable[Any]]], ranks: list[Awaitable[Any]], outlook: "Outlook"
    ) -> None:
        self._asked, self._ranks, self._outlook = asked, ranks, outlook

    def __await__(self) -> Generator[Any, None, tuple[list[LineNow], dict[str, int]]]:
        return self._seen().__await__()

    async def _seen(self) -> tuple[list[LineNow], dict[str, int]]:
        lines = [self._outlook.line(one, await answer) for one, answer in self._asked]
        positions = {}
        for (one, _), asked in zip(self._asked, self._ranks, strict=False):
            rank = await asked
            positions[one] = 0 if rank is None else int(rank) + 1
        return lines, positions


class Outlook:
    """Raises redis.exceptions.RedisError when Redis is away."""

    def __init__(self, redis: Redis, settings: Settings, clock: Clock) -> None:
        self._redis, self._prefix, self._clock = redis, settings.redis_prefix, clock
        self._settings = settings
        self._prior = Prior(
            settings.handle_time_s, settings.handle_time_weight, settings.patience_s, settings.patience_weight,
            settings.keeping,
        )
        #: By seat: the answer that was read last, what it says, and when that was: many who ask in one moment are answered alike.
        self._read: dict[str, tuple[list[Any], LineNow, float]] = {}

    async def look(self, seat_ids: Iterable[str]) -> list[LineNow]:
        """These lines, in the order given."""
        return (await self.begin(seat_ids))[0]

    def begin(self, seat_ids: Iterable[str], call_id: str = "") -> Look:
        """The same, asked now, and where a call is in them: once for all who ask in this moment, but for their places."""
        asked, ranks = [], []
        for one in seat_ids:
            names = line_keys(self._prefix, one)
            keys = (names.waiting, names.seat, names.pace, names.left, names.marks)
            asked.append((one, _LOOK.begin(self._redis, keys, *_SEAT, same=True)))
            if call_id:
                ranks.append(begin(self._redis, "ZRANK", names.waiting, call_id))
        return Look(asked, ranks, self)

    def line(self, seat_id: str, row: list[Any]) -> LineNow:
        """From the script's answer."""
        known, now = self._read.get(seat_id), self._clock()
        if known is not None and known[0] == row and 0.0 <= now - known[2] < MOMENT_S:
            return known[1]
        depth, values, pace, left, kept = row
        seat = {name: value for name, value in zip(_SEAT, values, strict=True) if value is not None}
        line = LineNow(
            read_seat(seat_id, seat, now), depth, read_pace(_fields(pace), _fields(left)), kept
        )
        if len(self._read) >= SEATS_KEPT:
            self._read.clear()
        self._read[seat_id] = row, line, now
        return line

    def forecast(self, line: LineNow, ahead: int, closes_at: float) -> Forecast:
        """For a caller of this line with `ahead` callers before them."""
        settings, seat, now = self._settings, line.seat, self._clock()
        return forecast(
            ahead=ahead,
            kept=min(line.kept, ahead),
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
