"""`hotline cron`: what is due, by the clock of the database. Of all that run, the one with the lease acts."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog
from msgspec import Struct
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from calls.acts import Acts, Author
from calls.assembly import Core, build
from calls.job_names import FINISH_RECORDING, PLACE_CALL, SWEEP_RECORDINGS
from calls.kept_places import KeptPlaces
from calls.opening import Opening
from calls.placed_register import due, wanted_follow_ups
from calls.placing import AskRefused, ask
from calls.seals import Seals, keep_head, kept_head, raise_alarm
from calls.store import CorruptCall, UnknownCall
from calls.strays import Strays
from calls.turn import Congested
from config.clock import pause
from config.database import DatabaseUnavailable
from config.lease import Lease
from config.settings import Settings
from ivr.events import Missed
from queueing.line import Claim
from sessions.calendar import NEVER_OPENED, Calendar
from workorders.progress import UnknownOrder
from workorders.register import unfinished

log = structlog.get_logger()

#: A second cron takes over after this.
LEASE_S = 5.0
TICK_S = 1.0
#: An order whose recording is not finished by now has lost its job, or its recording is not complete yet.
SWEEP_AFTER_S = 5.0
#: How often such an order's job is enqueued anew.
SWEEP_EVERY_S = 10.0
DEPTH_EVERY_S = 10.0
#: So long may a caller be told a place too many; announcements are further apart.
STRAYS_EVERY_S = 10.0
CLOUD_EVERY_S = 30.0
FOLLOW_UP_EVERY_S = 30.0
#: What somebody with the database's password changes sooner than this stays unnoticed.
SEAL_EVERY_S = 60.0
_TROUBLE = (RedisError, SQLAlchemyError, DatabaseUnavailable, OSError)


class Task(Struct, frozen=True):
    """One line of the table: what to do, and how often."""

    name: str
    every_s: float
    act: Callable[[], Awaitable[object]]


class Cron:
    """The table of one process. `run` it until `stop`; a task that fails is tried again when it is due next."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._lease = Lease(core.redis, f"{core.settings.redis_prefix}cron", LEASE_S)
        self._calendar = Calendar(core.database, core.clock)
        self.opening = Opening(
            core.settings, core.redis, self._calendar, core.seats, core.line, core.turns, core.ledger, KeptPlaces(core)
        )
        self._seals = Seals(core.database, core.settings, core.clock)
        self._due: dict[str, float] = {}
        #: By call: claims that were taken back, and whose callers have not heard so yet.
        self._lapsed: dict[str, Claim] = {}
        self.table = (
            Task("sessions", TICK_S, self.opening.tick),
            Task("sessions never opened", TICK_S, self.retire),
            Task("lapsed claims", TICK_S, self.reap),
            Task("strays", STRAYS_EVERY_S, Strays(core).look),
            Task("unfinished orders", TICK_S * 2, self.sweep),
            Task("placed calls", TICK_S, self.place_due),
            Task("follow-ups", FOLLOW_UP_EVERY_S, self.ask_follow_ups),
            Task("depth", DEPTH_EVERY_S, self.sample),
            Task("cloud recordings", CLOUD_EVERY_S, self.sweep_cloud),
            Task("ledger seals", SEAL_EVERY_S, self.seal),
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`."""
        while not stop.is_set():
            await self.tick()
            await pause(stop, TICK_S)
        await self.let_go()

    async def let_go(self) -> None:
        """Give the lease back, so that another need not wait for it to lapse."""
        await self._attempt("lease", self._lease.release)

    async def tick(self) -> bool:
        """Do what is due, when the lease is ours; True when it was."""
        if not await self._attempt("lease", self._lease.hold):
            return False
        now = self._core.clock()
        for task in self.table:
            if now >= self._due.get(task.name, 0.0):
                self._due[task.name] = now + task.every_s
                await self._attempt(task.name, task.act)
        return True

    async def retire(self) -> int:
        """Sessions whose time passed while nothing ran are cancelled; ledger and log say so, for somebody has to see it."""
        missed = await self._calendar.retire_due()
        for session_id in missed:
            log.error("a session never took place: nothing opened it in its time", session_id=session_id)
            await Acts(self._core).note_session(session_id, "never_opened", Author("system", NEVER_OPENED))
            for seat in (await self._calendar.get(session_id)).seats:
                await self._core.seats.close(seat.id)
        return len(missed)

    async def reap(self) -> int:
        """Callers whose claim lapsed (its bridge is gone) wait again, and hear so."""
        for seat_id in await self._core.seats.known():
            if claim := await self._core.line.reap(seat_id):
                self._lapsed[claim.call_id] = claim
        told = 0
        for claim in [*self._lapsed.values()]:
            try:
                told += await self._tell_missed(claim)
            except Congested:
                continue  # at the next look
            except (CorruptCall, UnknownCall) as error:  # one damaged call is not in the way of the others
                log.error("a lapsed claim is of no call that can be told", call_id=claim.call_id, error=type(error).__name__)
            del self._lapsed[claim.call_id]
        return told

    async def _tell_missed(self, claim: Claim) -> bool:
        call = await self._core.calls.get(claim.call_id)
        if call is None or call.node != "ringing" or call.token != claim.token:
            return False
        await self._core.turns.take_turn(claim.call_id, lambda facts: Missed(facts=facts, reason="unreachable"))
        return True

    async def sweep(self) -> int:
        """Enqueue the job of every order that should be dispatched by now: its job was lost, or waits for its file."""
        now = self._core.clock()
        orders = await unfinished(self._core.database, now - SWEEP_AFTER_S)
        attempt = int(now // SWEEP_EVERY_S)
        for order_id in orders:
            await self._core.queue.enqueue(FINISH_RECORDING, order_id, attempt)
        return len(orders)

    async def sweep_cloud(self) -> None:
        """Have the recordings fetched that the cloud never told us of. One sweep at a time, however long it takes."""
        if self._core.settings.twilio_account_sid:
            await self._core.queue.enqueue(SWEEP_RECORDINGS, "all")

    async def place_due(self) -> int:
        """Enqueue the job of every call about an order that is due. A job that died is made up for after SWEEP_EVERY_S."""
        now = self._core.clock()
        ids = await due(self._core.database, now)
        for placed_id in ids:
            await self._core.queue.enqueue(PLACE_CALL, placed_id, int(now // SWEEP_EVERY_S))
        return len(ids)

    async def ask_follow_ups(self) -> int:
        """Where it is wanted: a follow-up for every order that was replied to and whose petitioner nobody asked yet."""
        if not self._core.settings.follow_up_automatic:
            return 0
        orders = await wanted_follow_ups(self._core.database)
        for order_id in orders:
            with suppress(AskRefused, UnknownOrder):  # it moved on meanwhile
                await ask(self._core.database, order_id, "follow_up", self._core.clock(), actor="system")
        return len(orders)

    async def sample(self) -> None:
        """Keep the depth of every open seat's line."""
        for seat in await self._core.seats.all(await self._core.seats.known()):
            if seat.state != "closed":
                await self._core.depths.sample(seat.id)

    async def seal(self) -> int:
        """Seal the ledger, and keep the newest seal where the database's owner cannot change it. A chain in which the seal kept
        last is not found any more is sealed on, but never vouched for again."""
        redis, prefix = self._core.redis, self._core.settings.redis_prefix
        broken = await self._seals.compare(await kept_head(redis, prefix))
        sealed = await self._seals.seal()
        if broken:
            await raise_alarm(redis, prefix, broken)
        else:
            await keep_head(redis, prefix, *await self._seals.head())
        return sealed

    async def _attempt(self, name: str, act: Callable[[], Awaitable[object]]) -> object:
        """What it returned; None when Redis or the database are away."""
        try:
            return await act()
        except _TROUBLE as error:
            log.warning("cron could not act and tries again", task=name, error=type(error).__name__, detail=str(error))
            return None


def run(settings: Settings) -> int:
    """The process: until SIGTERM or Ctrl-C."""
    return asyncio.run(_run(settings))


async def _run(settings: Settings) -> int:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    core = build(settings)
    try:
        log.info("cron runs")
        await Cron(core).run(stop)
    finally:
        await core.close()
    return 0
