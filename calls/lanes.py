"""The lanes of commands in Redis: which are due, whose they are, how far they are performed. It performs nothing."""

import secrets
from collections.abc import Awaitable, Sequence
from typing import Any, Literal, cast

import structlog
from msgspec import DecodeError, Struct
from redis.asyncio import Redis

from calls.entries import Entry, Lane, decode, encode
from calls.shards import SHARDS, ShardKeys, shard_keys, shard_of
from calls.store import PERFORM_LEASE_S, Granted
from config.clock import Clock
from config.scripts import load
from config.settings import Settings

log = structlog.get_logger()

#: Commands read, and confirmed, at a time.
BATCH = 32
#: Pause after the first failure; it doubles up to the longest.
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
#: About two minutes of failures; then the command is set aside, so that the call's others go on.
TRIES_BEFORE_SET_ASIDE = 10
#: Lanes whose age is looked at for the report.
SAMPLED = 50

_ADD = load(__file__, "add-2")
_PICK = load(__file__, "pick-2")
_DONE = load(__file__, "done-any")
_FAILED = load(__file__, "failed-5")


class Lag(Struct, frozen=True):
    """How far the outbox is behind. All zero when nothing waits."""

    #: Lanes with commands that are not performed yet, those under way included.
    lanes: int
    #: Of these, lanes of commands that failed often and were set aside: somebody has to look.
    stuck: int
    #: Age of the oldest command in seconds.
    oldest_s: float


class Stuck(Struct, frozen=True):
    """A command that failed often and was set aside: the oldest one of its call. `entry`: None when it cannot be read."""

    call_id: str
    entry: Entry | None


class Lanes:
    """Raises redis.exceptions.RedisError when Redis is away."""

    def __init__(self, redis: Redis, settings: Settings, clock: Clock) -> None:
        self._redis, self._prefix, self._clock = redis, settings.redis_prefix, clock
        self._shards = [shard_keys(self._prefix, shard) for shard in range(SHARDS)]

    async def lag(self) -> Lag:
        """For readiness and metrics, in two round trips."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for shard in self._shards:
                pipe.zrange(shard.outbox, 0, -1)
            members = [member for row in await pipe.execute() for member in row]
        stuck = sum(member.startswith("stuck:") for member in members)
        return Lag(len(members), stuck, await self._age(members[:SAMPLED]))

    async def stuck(self) -> tuple[Stuck, ...]:
        """Of each call with commands that were set aside, the oldest one."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for shard in self._shards:
                pipe.zrange(shard.outbox, 0, -1)
            lanes = [_parts(member) for row in await pipe.execute() for member in row]
        stuck = [call_id for lane, call_id in lanes if lane == "stuck"][:SAMPLED]
        async with self._redis.pipeline(transaction=False) as pipe:
            for call_id in stuck:
                pipe.lindex(self._todo("stuck", call_id), 0)
            rows = await pipe.execute() if stuck else []
        return tuple(Stuck(call_id, _readable(row)) for call_id, row in zip(stuck, rows, strict=True))

    async def _age(self, members: list[str]) -> float:
        async with self._redis.pipeline(transaction=False) as pipe:
            for member in members:
                pipe.lindex(self._todo(*_parts(member)), 0)
            rows = await pipe.execute() if members else []
        saved = [entry.at for entry in map(_readable, rows) if entry]
        return max(0.0, self._clock() - min(saved)) if saved else 0.0

    async def add(self, lane: Lane, entry: Entry) -> None:
        """One that belongs to no turn; whoever drains performs it."""
        shard = self._shards[shard_of(entry.call_id)]
        member = f"{lane}:{entry.call_id}"
        await _ADD.run(
            self._redis, (shard.outbox, self._todo(lane, entry.call_id)), member, repr(self._clock()), encode(entry)
        )

    async def due_shards(self) -> list[ShardKeys]:
        now = repr(self._clock())
        async with self._redis.pipeline(transaction=False) as pipe:
            for shard in self._shards:
                pipe.zcount(shard.outbox, "-inf", now)
            counts = await pipe.execute()
        return [shard for shard, count in zip(self._shards, counts, strict=True) if count]

    async def pick(self, shard: ShardKeys) -> Granted | None:
        performer = secrets.token_hex(8)
        now = self._clock()
        keys = (shard.outbox, shard.performers)
        member = await _PICK.run(self._redis, keys, now, performer, now + PERFORM_LEASE_S)
        if not member:
            return None
        lane, call_id = _parts(member)
        return Granted(lane, call_id, performer, None)

    async def read(self, granted: Granted) -> tuple[Entry | None, ...]:
        rows: Any = await self._redis.lrange(self._todo(granted.lane, granted.call_id), 0, BATCH - 1)
        return tuple(map(_readable, rows))

    async def done(self, granted: Granted, count: int) -> int:
        """How many commands are left, which go on as `granted.rest`; -1 when the lane is not ours any more."""
        return (await self.done_many([(granted, count)]))[0]

    def begin_done(self, granted: Granted, count: int) -> Awaitable[list[int]]:
        """The same as a list of one, told now, whenever it is awaited."""
        return self._begin_done(shard_of(granted.call_id), [(granted, count)])

    async def done_many(self, lanes: Sequence[tuple[Granted, int]]) -> list[int]:
        """The same of several lanes, in the order given; one script for each shard."""
        of_shards: dict[int, list[int]] = {}
        for at, (granted, _) in enumerate(lanes):
            of_shards.setdefault(shard_of(granted.call_id), []).append(at)
        begun = [(places, self._begin_done(shard, [lanes[at] for at in places])) for shard, places in of_shards.items()]
        left = [0] * len(lanes)
        for places, answer in begun:
            for at, count in zip(places, await answer, strict=True):
                left[at] = int(count)
        return left

    def _begin_done(self, shard: int, lanes: Sequence[tuple[Granted, int]]) -> Awaitable[list[int]]:
        keys = self._shards[shard]
        todos = [self._todo(granted.lane, granted.call_id) for granted, _ in lanes]
        about: list[str | int] = []
        for granted, count in lanes:
            about += (_member(granted), granted.performer, count, granted.rest.performer)
        until = self._clock() + PERFORM_LEASE_S
        return _DONE.begin(self._redis, (keys.outbox, keys.performers, keys.tries, *todos), until, *about)

    async def failed(self, granted: Granted, entry: Entry | None, done: int, failure: BaseException) -> None:
        shard = self._shards[shard_of(granted.call_id)]
        todo, stuck = (self._todo(lane, granted.call_id) for lane in (granted.lane, "stuck"))
        tries = await _FAILED.run(
            self._redis, (todo, shard.outbox, shard.performers, shard.tries, stuck),
            _member(granted), granted.performer, done, self._clock(), FIRST_PAUSE_S, LONGEST_PAUSE_S,
            TRIES_BEFORE_SET_ASIDE, f"stuck:{granted.call_id}",
        )  # fmt: skip
        serious = granted.lane == "stuck" or tries >= TRIES_BEFORE_SET_ASIDE
        (log.error if serious else log.warning)(
            "a command failed and will be tried again",
            command_id=entry.id if entry else "unreadable",
            call_id=granted.call_id,
            lane=granted.lane,
            tries=tries,
            error=type(failure).__name__,
        )

    def _todo(self, lane: str, call_id: str) -> str:
        return self._shards[shard_of(call_id)].todo(lane, call_id)


def _member(granted: Granted) -> str:
    return f"{granted.lane}:{granted.call_id}"


def _parts(member: str) -> tuple[Lane, str]:
    lane, _, call_id = member.partition(":")
    return cast(Literal["line", "books", "stuck"], lane), call_id


def _readable(row: str | None) -> Entry | None:
    try:
        return decode(row) if row else None
    except DecodeError:
        return None
