"""The waiting line of one seat: first come, first served, one winner per claim. Each act is one Lua script.

Who waits and who is just offered to the leader are both in the line: a caller whose leader does not answer never lost
the place, and nobody's position rises when that happens. Time is handed in by our clock and not read by Redis (TIME),
because rehearsals run the same scripts in virtual time; the clocks of the machines must agree to well under a lease.
"""

import secrets
from collections.abc import Awaitable, Sequence
from itertools import count
from typing import Any, Literal

from msgspec import Struct
from redis.asyncio import Redis

from config.changes import channel
from config.clock import Clock
from config.scripts import load
from config.settings import Settings
from queueing.keys import LineKeys, line_keys, line_news

#: Joining times are compared in milliseconds; within one, this many callers keep the order in which they came.
#: Milliseconds times this stay exact in a double until the year 2248.
PLACES_PER_MS = 1024
#: An act that arrives later than this after the first act on the line is not recognised as old any more.
REMEMBER_S = 24 * 3600
#: Callers of one line who are listed; `depth` counts them all.
LISTED = 1000

_JOIN = load(__file__, "join-4")
_TAKE_OVER = load(__file__, "take_over-5")
_LEAVE = load(__file__, "leave-6")
_CLAIM_NEXT = load(__file__, "claim_next-2")
_TAKE = load(__file__, "take-4")
_FREE = load(__file__, "free-2")
_RETURN_TO_HEAD = load(__file__, "return_to_head-2")
_MARK = load(__file__, "mark-2")
_RENEW = load(__file__, "renew-1")
_REAP = load(__file__, "reap-1")
_RESTORE = load(__file__, "restore-3")


class Claim(Struct, frozen=True):
    """The right to ring the leader for one caller, until `until` (Unix seconds) unless it is renewed."""

    seat_id: str
    call_id: str
    #: Grows with every claim of the seat; whoever holds an older one is fenced off.
    token: int
    until: float
    line_asterisk: str = ""
    line_twilio: str = ""

    @property
    def line(self) -> str:
        """Where the leader answers for this caller's carrier: SIP URI or number."""
        return self.line_twilio if self.call_id.startswith("t-") else self.line_asterisk


#: callback = nobody is on the phone, the place is kept.
State = Literal["waiting", "offered", "callback"]


class Waiting(Struct, frozen=True):
    """One caller in the line."""

    call_id: str
    #: From 1. The caller who is offered counts.
    position: int
    joined_at: float
    state: State


class Joined(Struct, frozen=True):
    """What became of a join."""

    #: From 1; 0 = not in the line.
    position: int
    #: It was not there before.
    is_new: bool
    #: When it came into the line, in Unix seconds, if that was late and nobody was told; 0 = in time, or told.
    late_at: float = 0.0


def depth_of(listed: Sequence[object], counted: int) -> int:
    """How many stand in a line of which these were listed, and so many counted a moment before or after."""
    return len(listed) if len(listed) < LISTED else max(len(listed), counted)


def order_of(joined_at: float) -> tuple[int, int]:
    """First and last score in the line for a joining time (Unix seconds). Smaller is served earlier."""
    first = int(joined_at * 1000) * PLACES_PER_MS
    return first, first + PLACES_PER_MS - 1


class Line:
    """The lines of all seats. Raises redis.exceptions.RedisError when Redis is away."""

    def __init__(self, redis: Redis, settings: Settings, clock: Clock) -> None:
        self._redis = redis
        self._prefix = settings.redis_prefix
        self._channel = channel(settings.redis_prefix)
        self._wrap_up_s, self._claim_lease_s = settings.wrap_up_s, settings.claim_lease_s
        self._clock = clock
        #: Each attempt to claim or to reap has a name of its own, among all processes.
        self._name, self._attempts = secrets.token_hex(8), count()

    async def join(
        self, seat_id: str, call_id: str, joined_at: float, at_seq: int, *, late_at: float = 0.0, from_call: str = ""
    ) -> Joined:
        """Idempotent. When a newer act on this call is known, it is not in the line. `late_at`: now, of a caller who said yes
        long ago; the line keeps it with the place, in one act, until `told_late`. `from_call`: an earlier call of the same number,
        whose place in the order this is, wherever operators had put it."""
        keys = self._keys(seat_id)
        touched: tuple[str, ...] = (keys.waiting, keys.callers, keys.seen, keys.late)
        arguments = (
            call_id, at_seq, joined_at, *order_of(joined_at), REMEMBER_S, self._channel, line_news(seat_id), late_at or "",
        )  # fmt: skip
        position: int
        if from_call:
            position = await _TAKE_OVER.run(self._redis, (*touched, keys.stood), *arguments, from_call)
        else:
            position = await _JOIN.run(self._redis, touched, *arguments)
        if late_at and position <= 0:  # an act that is repeated: it may have been late before, and nobody heard
            late_at = float(await self._redis.hget(keys.late, call_id) or 0)
        return Joined(abs(position), position > 0, late_at)

    async def told_late(self, seat_id: str, call_id: str) -> None:
        """It is known for good when this caller came into the line."""
        await self._redis.hdel(self._keys(seat_id).late, call_id)

    async def leave(self, seat_id: str, call_id: str, reason: str, at_seq: int) -> bool:
        """True when the caller was in the line. An offered caller's claim stays until it is freed or lapses."""
        keys = self._keys(seat_id)
        arguments = (call_id, at_seq, reason, REMEMBER_S, self._channel, line_news(seat_id))
        touched = (keys.waiting, keys.callers, keys.seen, keys.left, keys.marks, keys.stood)
        return bool(await _LEAVE.run(self._redis, touched, *arguments))

    async def newest_act(self, seat_id: str, call_id: str) -> int:
        """The call's `seq` at the newest act that is known here of it; 0 = of none."""
        return int(await self._redis.hget(self._keys(seat_id).seen, call_id) or 0)

    async def forget(self, claim: "Claim") -> None:
        """A claimed caller whose call nobody knows leaves the line, and the seat is free for those who are there. Who is restored
        afterwards joins again."""
        await self.leave(claim.seat_id, claim.call_id, "failed", await self.newest_act(claim.seat_id, claim.call_id))
        await self.free(claim.seat_id, claim.token, talked=False, at=self._clock())

    async def claim_next(self, seat_id: str, owner: str, lease_s: float) -> Claim | None:
        """The head of the line for a seat that is free; None when it is not, or when nobody waits."""
        keys, now = self._keys(seat_id), self._clock()
        until = now + lease_s
        row = await _CLAIM_NEXT.run(
            self._redis, (keys.waiting, keys.seat),
            f"{now:.6f}", f"{until:.6f}", f"{owner} {self._attempt()}", self._channel, line_news(seat_id),
        )  # fmt: skip
        if not row:
            return None
        call_id, token, line_asterisk, line_twilio = row
        return Claim(seat_id, call_id, int(token), until, line_asterisk, line_twilio)

    async def renew(self, seat_id: str, token: int, lease_s: float) -> bool:
        """False: the claim lapsed or was overtaken, and the owner must not go on with it."""
        keys = self._keys(seat_id)
        until = self._clock() + lease_s
        return bool(await _RENEW.run(self._redis, (keys.seat,), token, until))

    async def take(self, seat_id: str, token: int, at: float) -> bool:
        """The leader and the caller talk: the caller is out of the line. False for a stale token."""
        keys = self._keys(seat_id)
        touched = (keys.waiting, keys.callers, keys.seat, keys.left)
        return bool(await _TAKE.run(self._redis, touched, token, at, self._channel, line_news(seat_id)))

    async def free(self, seat_id: str, token: int, talked: bool, at: float) -> bool:
        """The claim is over; after a talk the seat wraps up. False for a stale token or a repetition."""
        keys = self._keys(seat_id)
        until = repr(at + self._wrap_up_s) if self._wrap_up_s > 0 else ""
        arguments = (token, "1" if talked else "0", until, at, self._channel, line_news(seat_id))
        return bool(await _FREE.run(self._redis, (keys.seat, keys.pace), *arguments))

    async def return_to_head(
        self, seat_id: str, token: int, reason: str, pause: bool, behind: int = 0, *, from_talk: bool = False
    ) -> bool:
        """The caller waits again, at the head or `behind` so many others; the seat pauses for `reason`, or is free.
        `from_talk`: of a talk that was none; its caller has joined again. False for a stale token."""
        keys = self._keys(seat_id)
        how = ("1" if pause else "0", self._clock(), behind, "1" if from_talk else "0")
        arguments = (token, reason, *how, self._channel, line_news(seat_id))
        return bool(await _RETURN_TO_HEAD.run(self._redis, (keys.seat, keys.waiting), *arguments))

    async def mark(self, seat_id: str, call_id: str, mark: str) -> None:
        """Show a caller as `callback`: nobody is on the phone, the place is kept. Empty = on the phone."""
        await self.begin_mark(seat_id, call_id, mark)

    def begin_mark(self, seat_id: str, call_id: str, mark: str) -> Awaitable[Any]:
        """The same, sent now; await it once."""
        keys, arguments = self._keys(seat_id), (call_id, mark, REMEMBER_S, self._channel, line_news(seat_id))
        return _MARK.begin(self._redis, (keys.marks, keys.pace), *arguments)

    async def reap(self, seat_id: str) -> Claim | None:
        """Takes back a ringing claim whose lease lapsed; its caller is at the head again. A talk never lapses."""
        keys = self._keys(seat_id)
        row = await _REAP.run(
            self._redis, (keys.seat,), self._clock(), self._attempt(), self._channel, line_news(seat_id)
        )
        if not row:
            return None
        call_id, token, line_asterisk, line_twilio, until = row
        return Claim(seat_id, call_id, int(token), float(until), line_asterisk, line_twilio)

    async def restore(
        self,
        seat_id: str,
        call_id: str,
        token: int,
        state: Literal["ringing", "talking"],
        since: float,
    ) -> int:
        """Put back a claim that Redis lost. The token that holds from now on: another one when the same caller was claimed anew
        meanwhile, 0 when somebody else was."""
        keys = self._keys(seat_id)
        touched = (keys.waiting, keys.callers, keys.seat)
        until = self._clock() + self._claim_lease_s if state == "ringing" else ""
        arguments = (call_id, token, state, since, until, self._channel, line_news(seat_id))
        return int(await _RESTORE.run(self._redis, touched, *arguments))

    async def position(self, seat_id: str, call_id: str) -> int:
        """From 1, in O(log n); 0 = not in the line. A caller who is offered keeps the position."""
        rank: Any = await self._redis.zrank(self._keys(seat_id).waiting, call_id)
        return 0 if rank is None else int(rank) + 1

    async def depth(self, seat_id: str) -> int:
        """Callers in the line, the offered one included."""
        return int(await self._redis.zcard(self._keys(seat_id).waiting))

    async def callers(self, seat_id: str, longest: int = LISTED) -> list[Waiting]:
        """The first `longest` callers, in order, at one moment."""
        keys = self._keys(seat_id)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.zrange(keys.waiting, 0, longest - 1)
            pipe.hgetall(keys.callers)
            pipe.hmget(keys.seat, ["state", "call_id"])
            pipe.hgetall(keys.marks)
            order, joined, seat, marks = await pipe.execute()
        offered = seat[1] if seat[0] == "ringing" else None
        return [
            Waiting(call_id, place, float(joined[call_id]), _state(call_id == offered, marks.get(call_id)))
            for place, call_id in enumerate(order, 1)
        ]

    async def members(self, seat_id: str, longest: int = 0) -> list[str]:
        """Call ids of everybody in the line, or of the first `longest`, the first first."""
        ids: Any = await self._redis.zrange(self._keys(seat_id).waiting, 0, longest - 1)
        return list(ids)

    async def left(self, seat_id: str) -> dict[str, int]:
        """How many left the line so far, by reason; `talked` are those who were put through."""
        counts: Any = await self._redis.hgetall(self._keys(seat_id).left)
        return {reason: int(count) for reason, count in counts.items()}

    def _attempt(self) -> str:
        return f"{self._name}-{next(self._attempts)}"

    def _keys(self, seat_id: str) -> LineKeys:
        return line_keys(self._prefix, seat_id)


def _state(offered: bool, mark: str | None) -> State:
    if offered:
        return "offered"
    return "callback" if mark == "callback" else "waiting"
