"""The commands of saved turns, performed: in order within a lane of a call, exactly once in effect, never dropped.

Who saved a turn performs its commands at once. When that process dies, its lease lapses and `drain`, which every bridge
and worker runs, goes on. A command that fails is tried again later and later, without holding up other calls.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog
from msgspec import DecodeError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from calls.entries import Entry, is_fact
from calls.lanes import Lag, Lanes, Stuck
from calls.store import PERFORM_LEASE_S, Granted, Put
from config.clock import Clock, pause
from config.database import DatabaseUnavailable
from config.settings import Settings

log = structlog.get_logger()

#: A performer says this often that it is alive.
ALIVE_EVERY_S = PERFORM_LEASE_S / 3
#: How often a drainer looks for what others left.
LOOK_EVERY_S = 0.5
#: Facts wait so long for others: a transaction costs the same for one as for a hundred.
TOGETHER_S, MOST_TOGETHER = 0.02, 500
#: After a transaction with the facts of so many calls they wait longer: many call, and the next comes with more.
MANY, LONGER = 10, 5
#: Lanes that one process performs at the same time; SQLite has one writer anyway.
AT_ONCE = 8

Perform = Callable[[Entry], Awaitable[None]]
#: Puts down facts of many calls in one transaction: all of them, or none.
WriteDown = Callable[[Sequence[Entry]], Awaitable[None]]


class Outbox:
    """Performs commands by `perform`, which must be idempotent by the entry's id."""

    def __init__(
        self,
        redis: Redis,
        settings: Settings,
        clock: Clock,
        perform: Perform,
        write_down: WriteDown | None = None,
        together_s: float = TOGETHER_S,
    ) -> None:
        """`write_down`: puts down the facts of many calls at once, of all that come within `together_s`; without it they are
        performed one by one."""
        self._lanes = Lanes(redis, settings, clock)
        self._clock = clock
        self._perform = perform
        self._write_down, self._together_s = write_down, together_s
        #: Lanes of facts that go down together next.
        self._facts: list[Granted] = []
        self._putting_down = False
        #: By identity: what is performed now.
        self._under_way: dict[int, Granted] = {}
        self._alive: asyncio.TimerHandle | None = None
        self._slots = asyncio.Semaphore(AT_ONCE)
        #: What is performed now, and what is only told to Redis: facts that go down, commands that are done.
        self._tasks: set[asyncio.Task[None]] = set()
        self._telling: set[asyncio.Task[None]] = set()

    async def settle(self, put: Put) -> None:
        """Performs what a put granted: the line's commands now, the books' in the background."""
        for granted in put.granted:
            if granted.lane == "books":
                self._keep(granted)
        for granted in put.granted:
            if granted.lane != "books":
                await self._go_through(granted)

    async def add(self, fact: Entry) -> None:
        """A fact that no turn says: put down like those of the call's turns, after them. Idempotent by its id."""
        await self._lanes.add("books", fact)

    def _keep(self, granted: Granted) -> None:
        """Facts wait a moment for those of other calls; everything else of the books begins now."""
        if self._write_down is None or not granted.entries or not all(map(is_fact, granted.entries)):
            self._start(granted)
            return
        self._facts.append(granted)
        if not self._putting_down:
            self._putting_down = True
            self._add(self._telling, asyncio.create_task(self._put_down(self._write_down), name="outbox facts"))

    async def _put_down(self, write_down: WriteDown) -> None:
        wait_s = self._together_s
        try:
            while self._facts:
                if wait_s:
                    await asyncio.sleep(wait_s)
                lanes, self._facts = self._facts[:MOST_TOGETHER], self._facts[MOST_TOGETHER:]
                await self._put_down_some(write_down, lanes)
                wait_s = self._together_s * (LONGER if len(lanes) >= MANY else 1)
        finally:
            self._putting_down = False

    async def _put_down_some(self, write_down: WriteDown, lanes: list[Granted]) -> None:
        self._work_at(*lanes)
        try:
            await write_down([entry for granted in lanes for entry in granted.entries or ()])
            done = await self._lanes.done_many([(granted, len(granted.entries or ())) for granted in lanes])
            for granted, left in zip(lanes, done, strict=True):
                if left > 0:
                    self._start(granted.rest)
        except DatabaseUnavailable as error:
            await self._none_of(lanes, error)
        except (RedisError, OSError) as error:
            log.warning("commands wait for Redis", lanes=len(lanes), error=type(error).__name__)
        except Exception as error:  # noqa: BLE001 - whatever it is, one by one tells which of them it was
            log.warning("facts are put down one by one", lanes=len(lanes), error=type(error).__name__)
            for granted in lanes:
                self._start(granted)
        finally:
            self._leave_off(*lanes)

    async def _none_of(self, lanes: list[Granted], failure: DatabaseUnavailable) -> None:
        try:
            for granted in lanes:
                await self._lanes.failed(granted, (granted.entries or (None,))[0], 0, failure)
        except (RedisError, OSError) as error:
            log.warning("commands wait for Redis", lanes=len(lanes), error=type(error).__name__)

    @property
    def is_idle(self) -> bool:
        """Nothing that this process started is under way."""
        return not (self._tasks or self._telling)

    async def idle(self, *, told: bool = True) -> None:
        """Returns when nothing that this process started is under way. Without `told`, facts may still be going down, and
        Redis may not have heard yet of what was performed."""
        while under_way := self._tasks | self._telling if told else self._tasks:
            await asyncio.wait(under_way)

    async def drain(self, stop: asyncio.Event) -> None:
        """Goes on with what dead or failing performers left, until `stop` is set."""
        while not stop.is_set():
            try:
                await self.drain_once()
            except (RedisError, OSError) as error:
                log.warning("the outbox cannot be read", error=type(error).__name__)
            await pause(stop, LOOK_EVERY_S)
        await self.idle()

    async def drain_once(self) -> int:
        """Takes over every lane that is due now; how many."""
        taken = 0
        for shard in await self._lanes.due_shards():
            while granted := await self._lanes.pick(shard):
                await self._slots.acquire()
                self._slots.release()
                self._start(granted)
                taken += 1
        return taken

    async def lag(self) -> Lag:
        """For readiness and metrics."""
        return await self._lanes.lag()

    async def stuck(self) -> tuple[Stuck, ...]:
        """Of each call with commands that were set aside, the oldest one: somebody has to look. The first fifty calls."""
        return await self._lanes.stuck()

    def _start(self, granted: Granted) -> None:
        self._add(self._tasks, asyncio.create_task(self._in_background(granted), name=f"outbox {granted.lane}"))

    def _add(self, tasks: set[asyncio.Task[None]], task: asyncio.Task[None]) -> None:
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def _in_background(self, granted: Granted) -> None:
        since = self._clock()
        async with self._slots:
            waited = self._clock() - since
            if waited < ALIVE_EVERY_S or await self._still_ours(granted):
                await self._go_through(granted)

    async def _still_ours(self, granted: Granted) -> bool:
        try:
            return await self._lanes.done(granted, 0) >= 0
        except (RedisError, OSError):
            return False

    async def _go_through(self, granted: Granted) -> None:
        """Performs the lane's commands, until one fails. Nobody waits for Redis to hear that they are done."""
        self._work_at(granted)
        try:
            todo = granted.entries if granted.entries is not None else await self._lanes.read(granted)
            if await self._perform_all(granted, todo):
                left = self._lanes.begin_done(granted, len(todo))
                self._add(self._telling, asyncio.create_task(self._go_on(granted, left), name="outbox done"))
        except (RedisError, OSError) as error:
            # What was not confirmed is performed again, by whoever comes first after the lease.
            log.warning("commands wait for Redis", call_id=granted.call_id, error=type(error).__name__)
        finally:
            self._leave_off(granted)

    async def _go_on(self, granted: Granted, left: Awaitable[list[int]]) -> None:
        """With what came into the lane meanwhile, unless somebody else took over."""
        try:
            if (await left)[0] > 0:
                self._start(granted.rest)
        except (RedisError, OSError) as error:
            log.warning("commands wait for Redis", call_id=granted.call_id, error=type(error).__name__)

    def _work_at(self, *lanes: Granted) -> None:
        self._under_way.update((id(granted), granted) for granted in lanes)
        if self._alive is None:
            self._alive = asyncio.get_running_loop().call_later(ALIVE_EVERY_S, self._say_alive)

    def _leave_off(self, *lanes: Granted) -> None:
        for granted in lanes:
            self._under_way.pop(id(granted), None)

    def _say_alive(self) -> None:
        """Whatever takes long keeps its lease meanwhile."""
        self._alive = None
        if self._under_way:
            self._alive = asyncio.get_running_loop().call_later(ALIVE_EVERY_S, self._say_alive)
            keeping = self._keep_leases(tuple(self._under_way.values()))
            self._add(self._telling, asyncio.create_task(keeping, name="outbox leases"))

    async def _keep_leases(self, lanes: tuple[Granted, ...]) -> None:
        try:
            await self._lanes.done_many([(granted, 0) for granted in lanes])
        except (RedisError, OSError) as error:
            log.warning("leases wait for Redis", error=type(error).__name__)

    async def _perform_all(self, granted: Granted, todo: tuple[Entry | None, ...]) -> bool:
        """False when one failed: the lane is not ours any more."""
        for number, entry in enumerate(todo):
            failure = await self._attempt(entry)
            if failure is not None:
                await self._lanes.failed(granted, entry, number, failure)
                return False
        return True

    async def _attempt(self, entry: Entry | None) -> Exception | None:
        """Performs one command; what went wrong, or None."""
        if entry is None:
            return DecodeError("unknown command")
        try:
            await self._perform(entry)
        except Exception as error:  # noqa: BLE001 - handed back: it is tried again
            return error
        return None
