"""The bridge: drives one Asterisk node over AMI. One is active per node, by a lease; the others stand by.

It only routes events to legs, keeps the channels' leases alive and tells how it is. Calls are decided in `ivr`, kept in
`calls`, played in `interpreter`.
"""

import asyncio
import contextlib
import signal
import sys

import msgspec
import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from calls.assembly import Core, build
from config.changes import listen
from config.clock import now, pause
from config.database import DatabaseUnavailable
from config.secrets import secret
from config.settings import Settings
from ivr.facts import SessionFacts
from sessions.board import read_board
from telephony.asterisk.audit import Audit
from telephony.asterisk.callbacks import Callbacks
from telephony.asterisk.connection import Connection, Event
from telephony.asterisk.exchange import Exchange, health_json
from telephony.asterisk.legs import Legs
from telephony.asterisk.placed import PlacedChannels
from telephony.asterisk.resync import resync
from telephony.asterisk.storage import trouble_with
from telephony.asterisk.supervising import Supervising
from telephony.asterisk.tenure import Tenure
from telephony.asterisk.testing import Testing
from telephony.errors import CallGone, CarrierRefused, CarrierUnavailable
from telephony.prompts import Prompts
from telephony.speech import SpeechUnavailable
from telephony.switchboard import Switchboard

log = structlog.get_logger()

#: `/readyz` takes a bridge for dead when its heartbeat is older.
HEALTH_LASTS_S = 10
CARRIER_ERRORS = (CallGone, CarrierUnavailable, CarrierRefused)
#: How often it sees whether Redis still remembers this bridge.
REMEMBERED_EVERY_S = 0.5
#: Events tell everything; this is for what they did not tell.
AUDIT_EVERY_S = 15.0
#: A sentence nobody thought of is made in a thread; with Python's own 5 ms each of the loop's answers would wait that long.
GIL_SWITCH_S = 0.0005
#: Channels' leases are renewed three times before they end.
RENEWALS_PER_LEASE = 3


class Bridge:
    """One bridge process. `run` returns when `stop` is set."""

    def __init__(self, settings: Settings, core: Core, prompts: Prompts) -> None:
        self._settings, self._core = settings, core
        self._tenure = Tenure(core.redis, self._key("bridge"), settings)
        user, password = settings.ami_user, secret(settings, "ami_secret")
        where = (settings.ami_host, settings.effective_ami_port)
        self._connection = Connection(*where, user, password, self._on_event, self._tenure.may_act)
        exchange = Exchange(
            settings=settings,
            connection=self._connection,
            calls=core.calls,
            turns=core.turns,
            prompts=prompts,
            line=core.line,
        )
        self._exchange = exchange
        self._legs = Legs(exchange)
        self._callbacks = Callbacks(exchange, self._legs)
        self._audit = Audit(exchange, core, self._legs)
        self._supervising = Supervising(exchange, core, self._legs)
        self._testing = Testing(exchange, core)
        self._placed = PlacedChannels(exchange, core)
        owner = f"bridge:{self._tenure.owner}"
        self._switchboard = Switchboard(
            settings, core.redis, core.line, core.seats, core.turns, owner, on_turn=self._legs.take
        )
        self._warming: asyncio.Task[None] | None = None
        #: Set when every caller was taken up, once at least.
        self._in_step = asyncio.Event()
        self._audit_now = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Stand by until the node is ours, drive it while it is; again, until `stop`."""
        health = asyncio.create_task(self._tell_health(stop))
        log.info("this bridge stands by", node=self._settings.pbx_node)
        try:
            while not stop.is_set():
                if await self._tenure.hold():
                    log.info("this bridge drives", node=self._settings.pbx_node)
                    await self._drive(stop)
                await pause(stop, self._settings.bridge_lease_s / 6)
        finally:
            health.cancel()
            with contextlib.suppress(RedisError, OSError):
                await self._tenure.release()

    async def _drive(self, stop: asyncio.Event) -> None:
        """Everything an active bridge does, until `stop` or until the node is somebody else's."""
        lost = asyncio.Event()
        self._tenure.begin()
        self._in_step.clear()
        parts = [
            self._connection.keep(self._on_login, lost),
            self._tenure.keep(lost),
            self._tenure.stay_awake(lost),
            self._renew_leases(lost),
            self._renew_claims(lost),
            self._stay_remembered(lost),
            self._keep_accounts(lost),
            self._follow_changes(),
            self._supervising.run(),
            self._core.outbox.drain(lost),
            self._core.wakeups.run(lost),
            self._serve_seats(lost),
        ]
        tasks = [asyncio.create_task(part) for part in parts]
        watch = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([watch, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            lost.set()
            self._tenure.driving = False
            for task in [watch, *tasks, *([self._warming] if self._warming else [])]:
                task.cancel()
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(result, Exception):
                    log.error("a part of the bridge broke", exc_info=result)
            await self._legs.let_go()
            await self._placed.let_go()

    # -- Asterisk -----------------------------------------------------------------------------------------------------
    async def _on_login(self) -> None:
        """Connected, perhaps again: nothing that was known of channels holds any more."""
        await self._legs.let_go()
        await resync(self._exchange, self._legs)
        await self._placed.take_up()
        self._in_step.set()
        self._audit_now.set()
        self._supervising.take_up()
        log.info("asterisk is driven", node=self._settings.pbx_node, calls=len(self._legs))

    def _on_event(self, event: Event) -> None:
        others = (self._supervising, self._testing, self._placed)
        if self._tenure.may_act() and not any(one.hear(event) for one in others):
            self._legs.route(event)

    async def _serve_seats(self, lost: asyncio.Event) -> None:
        """Not before everybody who waits is known to wait."""
        await self._in_step.wait()
        await self._switchboard.run(lost)

    async def _renew_leases(self, lost: asyncio.Event) -> None:
        every = self._settings.channel_lease_s / RENEWALS_PER_LEASE
        while not await pause(lost, every):
            for leg in self._legs.all():
                try:
                    if leg.leased:
                        await leg.channel.renew_lease(self._settings.channel_lease_s)
                except CallGone:
                    continue
                except (CarrierUnavailable, CarrierRefused) as error:
                    log.warning("a lease could not be renewed", call_id=leg.call_id, error=type(error).__name__)

    async def _renew_claims(self, lost: asyncio.Event) -> None:
        """Apart from the channels' leases, which must not wait for Redis."""
        while not await pause(lost, self._settings.claim_lease_s / RENEWALS_PER_LEASE / 2):
            for claim in [leg.claim for leg in self._legs.all() if leg.claim is not None]:
                try:
                    await self._core.line.renew(*claim, self._settings.claim_lease_s)
                except (RedisError, OSError) as error:
                    log.warning("claims are not renewed", error=type(error).__name__)
                    break

    async def _keep_accounts(self, lost: asyncio.Event) -> None:
        """Nobody is forgotten, whatever events were missed. Neither Redis nor the database need be there."""
        while not lost.is_set():
            await pause(self._audit_now, AUDIT_EVERY_S)
            self._audit_now.clear()
            try:
                if self._connection.connected and self._in_step.is_set() and await self._audit.look():
                    self._audit_now.set()
                    await pause(lost, 1.0)
            except (RedisError, SQLAlchemyError, DatabaseUnavailable, OSError, *CARRIER_ERRORS) as error:
                log.warning("calls are not audited now", error=type(error).__name__)
                self._audit_now.set()
                await pause(lost, 1.0)

    async def _stay_remembered(self, lost: asyncio.Event) -> None:
        """See at once when Redis lost everything, and put calls, line and seats back, talks first."""
        key = self._key("bridge-run")
        await self._in_step.wait()
        while not lost.is_set():
            try:
                if await self._core.redis.get(key) is None:
                    await self._restore_calls()
                    await self._core.redis.set(key, self._tenure.owner)
            except (RedisError, OSError, *CARRIER_ERRORS) as error:
                log.warning("whether Redis remembers is not known", error=type(error).__name__)
            await pause(lost, REMEMBERED_EVERY_S)

    async def _restore_calls(self) -> None:
        for leg in sorted(self._legs.all(), key=lambda leg: not leg.talk.other_side):
            if not leg.gone:
                await leg.be_known()
        self._legs.change_all()
        self._audit_now.set()

    async def _follow_changes(self) -> None:
        async for change in listen(self._core.redis, self._settings.redis_prefix):
            self._supervising.follow(change)
            self._testing.follow(change)
            if change.kind == "call" and change.id in self._legs:
                self._legs.change(change.id, change.seq)
            elif change.kind == "call":
                self._callbacks.notice(change.id)
            elif change.kind == "resync":
                self._legs.change_all()
            if change.kind in ("session", "resync"):
                self._warm()

    def _warm(self) -> None:
        """Have the names of the sessions' leaders and units spoken before somebody asks for them."""
        if self._warming is None or self._warming.done():
            self._warming = asyncio.create_task(self._warm_prompts())

    async def _warm_prompts(self) -> None:
        try:
            board = await read_board(self._core.redis, self._settings.redis_prefix)
            posted = [session for session in (board.open, board.next) if session is not None]
            sessions = [msgspec.convert(session, SessionFacts, from_attributes=True) for session in posted]
            await self._exchange.prompts.warm(sessions)
        except (SpeechUnavailable, RedisError, OSError) as error:
            log.warning("prompts are not made beforehand", error=str(error))

    async def _tell_health(self, stop: asyncio.Event) -> None:
        told = ""
        while not stop.is_set():
            if self._tenure.driving:
                full = await asyncio.to_thread(trouble_with, self._settings.recordings)
                state = "ok" if self._connection.connected and not full else "down"
                if full and full != told:
                    log.error("recordings cannot be kept", reason=full)
                told = full
                value = health_json(state, self._connection.trouble or full, now())
                with contextlib.suppress(RedisError, OSError):
                    await self._core.redis.set(self._key("health:bridge"), value, ex=HEALTH_LASTS_S)
            await pause(stop, 1.0)

    def _key(self, part: str) -> str:
        return f"{self._settings.redis_prefix}{part}:{self._settings.pbx_node}"


async def run(settings: Settings) -> None:
    """`hotline bridge`: until SIGTERM or Ctrl-C."""
    stop = asyncio.Event()
    sys.setswitchinterval(GIL_SWITCH_S)
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    core = build(settings)
    try:
        await Bridge(settings, core, Prompts(settings)).run(stop)
    finally:
        await core.close()
