"""The commands of saved turns, performed: in order within a lane of a call, exactly once in effect, never dropped.

Who saved a turn performs its commands at once. When that process dies, its lease lapses and `drain`, which every bridge
and worker runs, goes on. A command that fails is tried again later and later, without holding up other calls.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, Literal, cast

import structlog
from msgspec import DecodeError, Struct
from redis.asyncio import Redis
from redis.exceptions import RedisError

from calls.entries import Entry, Lane, decode
from calls.shards import SHARDS, ShardKeys, shard_keys, shard_of, todo_key
from calls.store import PERFORM_LEASE_S, Granted, Put
from config.clock import Clock
from config.scripts import load
from config.settings import Settings

log = structlog.get_logger()

#: A performer says this often that it is alive.
ALIVE_EVERY_S = PERFORM_LEASE_S / 3
#: Commands read, and confirmed, at a time.
BATCH = 32
#: Pause after the first failure; it doubles up to the longest.
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
#: About two minutes of failures; then the command is set aside, so that the call's others go on.
TRIES_BEFORE_SET_ASIDE = 10
#: How often a drainer looks for what others left.
LOOK_EVERY_S = 0.5
#: Lanes that one process performs at the same time; SQLite has one writer anyway.
AT_ONCE = 8
#: Lanes whose age is looked at for the report.
SAMPLED = 50

_PICK = load(__file__, "pick-2")
_DONE = load(__file__, "done-4")
_FAILED = load(__file__, "failed-5")

Perform = Callable[[Entry], Awaitable[None]]


class Lag(Struct, frozen=True):
    """How far the outbox is behind. All zero when nothing waits."""

    #: Lanes with commands that are not performed yet, those under way included.
    lanes: int
    #: Of these, lanes of commands that failed often and were set aside: somebody has to look.
    stuck: int
    #: Age of the oldest command in seconds.
    oldest_s: float


class Outbox:
    """Performs commands by `perform`, which must be idempotent by the entry's id."""

    def __init__(self, redis: Redis, settings: Settings, clock: Clock, perform: Perform) -> None:
        self._redis = redis
        self._prefix = settings.redis_prefix
        self._clock = clock
        self._perform = perform
        self._shards = [shard_keys(self._prefix, shard) for shard in range(SHARDS)]
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    async def settle(self, put: Put) -> None:
        """Performs what a put granted: the line's commands now, the books' in the background."""
        for granted in put.granted:
            if granted.lane == "books":
                self._start(granted)
        for granted in put.granted:
            if granted.lane != "books":
                await self._go_through(granted)

    async def idle(self) -> None:
        """Returns when nothing that this process started is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def drain(self, stop: asyncio.Event) -> None:
        """Goes on with what dead or failing performers left, until `stop` is set."""
        while not stop.is_set():
            try:
                await self.drain_once()
            except (RedisError, OSError) as error:
                log.warning("the outbox cannot be read", error=type(error).__name__)
            await _wait(stop, LOOK_EVERY_S)
        await self.idle()

    async def drain_once(self) -> int:
        """Takes over every lane that is due now; how many."""
        taken = 0
        for shard in await self._due_shards():
            while granted := await self._pick(shard):
                await self._slots.acquire()
                self._slots.release()
                self._start(granted)
                taken += 1
        return taken

    async def lag(self) -> Lag:
        """For readiness and metrics, in two round trips."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for shard in self._shards:
                pipe.zrange(shard.outbox, 0, -1)
            members = [member for row in await pipe.execute() for member in row]
        stuck = sum(member.startswith("stuck:") for member in members)
        return Lag(len(members), stuck, await self._age(members[:SAMPLED]))

    async def _age(self, members: list[str]) -> float:
        async with self._redis.pipeline(transaction=False) as pipe:
            for member in members:
                pipe.lindex(self._todo(*_parts(member)), 0)
            rows = await pipe.execute() if members else []
        saved = [entry.at for entry in map(_readable, rows) if entry]
        return max(0.0, self._clock() - min(saved)) if saved else 0.0

    async def _due_shards(self) -> list[ShardKeys]:
        now = repr(self._clock())
        async with self._redis.pipeline(transaction=False) as pipe:
            for shard in self._shards:
                pipe.zcount(shard.outbox, "-inf", now)
            counts = await pipe.execute()
        return [shard for shard, count in zip(self._shards, counts, strict=True) if count]

    async def _pick(self, shard: ShardKeys) -> Granted | None:
        performer = secrets.token_hex(8)
        now = self._clock()
        keys = (shard.outbox, shard.performers)
        member = await _PICK.run(self._redis, keys, now, performer, now + PERFORM_LEASE_S)
        if not member:
            return None
        lane, call_id = _parts(member)
        return Granted(lane, call_id, performer, None)

    def _start(self, granted: Granted) -> None:
        task = asyncio.create_task(self._in_background(granted), name=f"outbox {granted.lane}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _in_background(self, granted: Granted) -> None:
        since = self._clock()
        async with self._slots:
            waited = self._clock() - since
            if waited < ALIVE_EVERY_S or await self._still_ours(granted):
                await self._go_through(granted)

    async def _still_ours(self, granted: Granted) -> bool:
        try:
            return await self._done(granted, 0) >= 0
        except (RedisError, OSError):
            return False

    async def _go_through(self, granted: Granted) -> None:
        """Performs the lane to its end, or until a command fails or somebody else took over."""
        entries = granted.entries
        try:
            while True:
                todo = entries if entries is not None else await self._read(granted)
                left = await self._perform_some(granted, todo)
                if left <= 0:
                    return
                entries = None
        except (RedisError, OSError) as error:
            # What was not confirmed is performed again, by whoever comes first after the lease.
            log.warning("commands wait for Redis", call_id=granted.call_id, error=type(error).__name__)

    async def _perform_some(self, granted: Granted, todo: tuple[Entry | None, ...]) -> int:
        """How many commands are left; -1 when they are not ours any more."""
        for number, entry in enumerate(todo):
            failure = await self._attempt(granted, entry)
            if failure is not None:
                await self._failed(granted, entry, number, failure)
                return -1
        return await self._done(granted, len(todo))

    async def _attempt(self, granted: Granted, entry: Entry | None) -> BaseException | None:
        """Performs one command, keeping the lease meanwhile; what went wrong, or None."""
        if entry is None:
            return DecodeError("unknown command")
        task = asyncio.ensure_future(self._perform(entry))
        try:
            while not (await asyncio.wait({task}, timeout=ALIVE_EVERY_S))[0]:
                await self._done(granted, 0)
        finally:
            if not task.done():
                task.cancel()
        return task.exception()

    async def _read(self, granted: Granted) -> tuple[Entry | None, ...]:
        rows: Any = await self._redis.lrange(self._todo(granted.lane, granted.call_id), 0, BATCH - 1)
        return tuple(map(_readable, rows))

    async def _done(self, granted: Granted, count: int) -> int:
        shard = self._shards[shard_of(granted.call_id)]
        keys = (
            self._todo(granted.lane, granted.call_id),
            shard.outbox,
            shard.performers,
            shard.tries,
        )
        until = self._clock() + PERFORM_LEASE_S
        left = await _DONE.run(self._redis, keys, _member(granted), granted.performer, count, until)
        return int(left)

    async def _failed(self, granted: Granted, entry: Entry | None, done: int, failure: BaseException) -> None:
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
        return todo_key(self._prefix, lane, call_id)


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


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
