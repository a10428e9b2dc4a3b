"""A seat's life: closed, free, ringing, talking, wrap_up, paused. Claims move it too, in line.py's scripts."""

from collections.abc import Iterable
from typing import Any, Literal, cast

from msgspec import Struct
from redis.asyncio import Redis

from config.changes import channel
from config.clock import Clock
from config.redis import shard_key
from config.scripts import load
from config.settings import Settings
from queueing.keys import line_keys, line_news

State = Literal["closed", "free", "ringing", "talking", "wrap_up", "paused"]

#: A seat that was opened longer ago than this is not looked at any more.
KNOWN_FOR_S = 7 * 24 * 3600

_OPEN = load(__file__, "open-1")
_PAUSE = load(__file__, "pause-1")
_RESUME = load(__file__, "resume-1")
_CLOSE = load(__file__, "close-1")
_HOLD = load(__file__, "hold-1")

#: Why a seat reads as paused while its line is held.
HELD = "held"
#: While a seat is so, its newest claim is open.
BUSY = frozenset({"ringing", "talking"})


class SeatNow(Struct, frozen=True):
    """A seat at this moment. Times are Unix seconds, 0.0 = none."""

    id: str
    state: State = "closed"
    session_id: str = ""
    unit: str = ""
    leader: str = ""
    line_asterisk: str = ""
    line_twilio: str = ""
    #: Token of the newest claim, and the caller it is for while the seat rings or talks.
    token: int = 0
    call_id: str = ""
    #: When the state began.
    since: float = 0.0
    #: End of wrap-up, or of the ringing claim's lease.
    until: float = 0.0
    #: Why it is paused.
    reason: str = ""
    #: It closes, or pauses for this reason, when the claim that is open now is over.
    closing: bool = False
    pause_after: str = ""
    #: The whole line is held: whatever the seat's own state is, it gets no caller.
    held: bool = False
    #: Times in a row that the leader took the call and hung up before the two were together.
    gone: int = 0


def read_seat(seat_id: str, fields: dict[str, str], now: float) -> SeatNow:
    """The seat from its hash. Wrap-up that is over reads as free, and a free seat whose line is held as paused."""
    state = cast(State, fields.get("state", "closed"))
    until = float(fields.get("until") or 0)
    if state == "wrap_up" and until <= now:
        state, until = "free", 0.0
    held, reason = fields.get("held") == "1", fields.get("reason", "")
    if held and state == "free":
        state, reason = "paused", HELD
    return SeatNow(
        seat_id,
        state,
        fields.get("session_id", ""),
        fields.get("unit", ""),
        fields.get("leader", ""),
        fields.get("line_asterisk", ""),
        fields.get("line_twilio", ""),
        int(fields.get("token") or 0),
        fields.get("call_id", "") if state in BUSY else "",
        float(fields.get("since") or 0),
        until,
        reason,
        fields.get("closing") == "1",
        fields.get("pause_after", ""),
        held,
        int(fields.get("gone") or 0),
    )


class Seats:
    """All seats. Raises redis.exceptions.RedisError when Redis is away."""

    def __init__(self, redis: Redis, settings: Settings, clock: Clock) -> None:
        self._redis = redis
        self._prefix = settings.redis_prefix
        self._channel = channel(settings.redis_prefix)
        self._known = shard_key(settings.redis_prefix, "seats", "known")
        self._clock = clock

    async def open(
        self,
        seat_id: str,
        session_id: str = "",
        unit: str = "",
        leader: str = "",
        line_asterisk: str = "",
        line_twilio: str = "",
    ) -> State:
        """The leader signs in. A closed seat is free now; an open one keeps its state and takes the new details."""
        now = self._clock()
        await self._redis.zadd(self._known, {seat_id: now})
        state = await _OPEN.run(
            self._redis, (self._seat(seat_id),),
            now, session_id, unit, leader, line_asterisk, line_twilio, self._channel, line_news(seat_id),
        )  # fmt: skip
        return cast(State, state)

    async def pause(self, seat_id: str, reason: str) -> bool:
        """No more callers until resume; at once, or after the claim that is open. False when closed."""
        arguments = (self._clock(), reason, self._channel, line_news(seat_id))
        return bool(await _PAUSE.run(self._redis, (self._seat(seat_id),), *arguments))

    async def resume(self, seat_id: str) -> bool:
        """Ready at once: ends a pause and wrap-up, not a hold. False when closed."""
        arguments = (self._clock(), self._channel, line_news(seat_id))
        return bool(await _RESUME.run(self._redis, (self._seat(seat_id),), *arguments))

    async def hold(self, seat_id: str, *, on: bool) -> bool:
        """The seat gets no callers until it is off again, whether its leader is there or not. False when it was so already."""
        arguments = ("1" if on else "", self._channel, line_news(seat_id))
        return bool(await _HOLD.run(self._redis, (self._seat(seat_id),), *arguments))

    async def close(self, seat_id: str) -> State:
        """The leader signs out; a talk goes on and the seat closes after it. The state it has now."""
        arguments = (self._clock(), self._channel, line_news(seat_id))
        return cast(State, await _CLOSE.run(self._redis, (self._seat(seat_id),), *arguments))

    async def state(self, seat_id: str) -> SeatNow:
        """One seat; `closed` when it was never opened."""
        fields: Any = await self._redis.hgetall(self._seat(seat_id))
        return read_seat(seat_id, fields, self._clock())

    async def all(self, seat_ids: Iterable[str]) -> list[SeatNow]:
        """These seats, in one round trip, in the order given."""
        wanted = list(seat_ids)
        async with self._redis.pipeline(transaction=False) as pipe:
            for seat_id in wanted:
                pipe.hgetall(self._seat(seat_id))
            rows = await pipe.execute() if wanted else []
        now = self._clock()
        return [read_seat(seat_id, fields, now) for seat_id, fields in zip(wanted, rows, strict=True)]

    async def known(self) -> list[str]:
        """Ids of the seats that were opened in the last week, whatever became of them."""
        await self._redis.zremrangebyscore(self._known, "-inf", self._clock() - KNOWN_FOR_S)
        ids: Any = await self._redis.zrange(self._known, 0, -1)
        return list(ids)

    def _seat(self, seat_id: str) -> str:
        return line_keys(self._prefix, seat_id).seat
