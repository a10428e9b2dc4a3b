"""What no webhook does: interrupts callers on hold, looks for those who fell silent, takes up what the fallback kept.

Runs in every api process. An interruption is made by the one that is told `yours` (see legs); the sweeps, and what an
Asterisk bridge does for its callers (wake-ups, the switchboard, commands left over), by the one that holds the lease.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from calls.store import CorruptCall
from config.changes import Change, listen
from config.clock import pause
from config.database import DatabaseUnavailable
from config.ids import new_id
from config.lease import Lease
from ivr.call import Call
from telephony.errors import CallGone, CarrierRefused, CarrierUnavailable
from telephony.switchboard import Switchboard
from telephony.twilio.callbacks import call_back, look_for_missed
from telephony.twilio.exchange import Exchange, is_ours, leg_of
from telephony.twilio.outbound import Outbound
from telephony.twilio.resync import account_for, check, watch_live
from telephony.twilio.spool import Spool, sweep

log = structlog.get_logger()

#: Updates under way at a time: at closing time everybody who waits is told.
AT_ONCE = 10
#: A webhook whose change this is has answered by then.
SETTLES_S = 0.03
#: A webhook is under way, or the cloud did not answer: look again.
AGAIN_S = 0.1
LOOKS_MAX = 100
LEASE_S = 5.0
SWEEP_EVERY_S = 5.0
#: The cloud's own list of calls is compared with the ledger.
ACCOUNT_EVERY_S = 600.0


class Bridge:
    """One per api process. `run` returns when `stop` is set."""

    def __init__(self, exchange: Exchange, spool: Spool) -> None:
        self._exchange, self._core, self._spool = exchange, exchange.core, spool
        self._outbound = Outbound(exchange)
        self._prefix = exchange.settings.redis_prefix
        self._lease = Lease(self._core.redis, f"{self._prefix}bridge:twilio", LEASE_S)
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._looking: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        #: Looked at in vain for long; the sweep comes back to them.
        self._given_up: set[str] = set()
        #: Newest `seq` announced of calls that are looked at in a moment.
        self._changed: dict[str, int] = {}
        self._ended = False

    async def run(self, stop: asyncio.Event) -> None:
        """Follow the changes; sweep and drive what has no webhook while the lease is ours."""
        tasks = [asyncio.create_task(part) for part in (self._follow(), self._lead(stop), self._take_up(stop))]
        try:
            await stop.wait()
        finally:
            self._ended = True
            looking = list(self._looking.values())
            for task in (*tasks, *looking):
                task.cancel()
            await asyncio.gather(*tasks, *looking, return_exceptions=True)
            with suppress(RedisError, OSError):
                await self._lease.release()

    # -- interruptions ------------------------------------------------------------------------------------------------
    async def _follow(self) -> None:
        async for change in listen(self._core.redis, self._prefix):
            if change.kind == "call" and is_ours(change.id):
                self._look_soon(change)
            elif change.kind == "resync":
                with suppress(RedisError, OSError):
                    for call_id in await self._core.calls.live():
                        if is_ours(call_id):
                            self._look_at(call_id)

    def _look_soon(self, change: Change) -> None:
        """Most changes are a webhook's own, which shows them itself: several of them are one look, if one is needed."""
        if change.id not in self._changed:
            asyncio.get_running_loop().call_later(SETTLES_S, self._settled, change.id)
        self._changed[change.id] = max(change.seq, self._changed.get(change.id, 0))

    def _settled(self, call_id: str) -> None:
        seq = self._changed.pop(call_id, 0)
        if not self._ended and not self._exchange.legs.has_answered(call_id, seq):
            self._look_at(call_id)

    def _look_at(self, call_id: str) -> None:
        """One look at a time for a call; a change during a look leads to another one."""
        if call_id in self._looking:
            self._again.add(call_id)
            return
        task = self._looking[call_id] = asyncio.create_task(self._look(call_id))
        task.add_done_callback(lambda _: self._looked(call_id))

    def _looked(self, call_id: str) -> None:
        self._looking.pop(call_id, None)
        if call_id in self._again:
            self._again.discard(call_id)
            self._look_at(call_id)

    async def _look(self, call_id: str) -> None:
        question = new_id()
        for _ in range(LOOKS_MAX):
            try:
                async with self._slots:
                    if await self._interrupt(call_id, question):
                        return
            except (RedisError, OSError, CarrierUnavailable) as error:
                log.warning("a caller could not be interrupted yet", call_id=call_id, error=type(error).__name__)
            except (CarrierRefused, CorruptCall) as error:
                log.error(
                    "a caller cannot be interrupted", call_id=call_id, error=type(error).__name__, detail=str(error)
                )
                return
            await asyncio.sleep(AGAIN_S)
        log.error("a caller could not be interrupted and is looked at with the next sweep", call_id=call_id)
        self._given_up.add(call_id)

    async def _interrupt(self, call_id: str, question: str) -> bool:
        """True: there is nothing more to do."""
        call = await self._core.calls.get(call_id)
        if call is None or call.node in ("ended", "kept"):
            return True
        if call.node == "calling":
            await call_back(self._exchange, self._outbound, call)
            return True
        verdict = await self._exchange.legs.interrupt(call, question)
        if verdict == "yours":
            await self._update(call)
        return verdict != "busy"

    async def _update(self, call: Call) -> None:
        url = self._exchange.addresses.turn("present", call)
        try:
            if call.node == "ringing":
                await self._core.line.renew(call.seat_id, call.token, self._exchange.settings.claim_lease_s)
            await self._exchange.connection.redirect(leg_of(call), url, self._exchange.addresses.fallback(call))
        except CallGone:
            await check(self._exchange, call.id)
        except (CarrierUnavailable, CarrierRefused):
            await self._exchange.legs.not_shown(call)
            raise

    # -- sweeps -------------------------------------------------------------------------------------------------------
    async def _take_up(self, stop: asyncio.Event) -> None:
        """What this machine's fallback kept, and callers who could not be interrupted."""
        while not await pause(stop, SWEEP_EVERY_S):
            while self._given_up:
                self._look_at(self._given_up.pop())
            await _carefully("the spool", sweep(self._exchange, self._spool))

    async def _lead(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            if await self._hold():
                await self._drive(stop)
            await pause(stop, LEASE_S / 4)

    async def _drive(self, stop: asyncio.Event) -> None:
        core = self._core
        switchboard = Switchboard(
            self._exchange.settings, core.redis, core.line, core.seats, core.turns, owner=f"cloud:{self._lease.owner}"
        )
        over = asyncio.Event()
        parts = (switchboard.run(over), core.wakeups.run(over), core.outbox.drain(over), self._look_for_silent(over))
        tasks = [asyncio.create_task(part) for part in parts]
        try:
            while not await pause(stop, LEASE_S / 4) and await self._hold() and not any(t.done() for t in tasks):
                pass
        finally:
            over.set()
            for task in tasks:
                task.cancel()
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(result, Exception):
                    log.error("a part of the cloud bridge broke", error=type(result).__name__, exc_info=result)

    async def _look_for_silent(self, over: asyncio.Event) -> None:
        exchange, accounted = self._exchange, float("-inf")
        while not await pause(over, SWEEP_EVERY_S):
            await _carefully("live calls", watch_live(exchange))
            await _carefully("silent callers", self._check_silent())
            await _carefully("callers who are rung", look_for_missed(exchange, self._outbound))
            if (now := self._core.clock()) - accounted > ACCOUNT_EVERY_S:
                accounted = now
                await _carefully("the cloud's calls", account_for(exchange))

    async def _check_silent(self) -> None:
        for call_id in await self._exchange.legs.silent(self._exchange.settings.twilio_silence_s):
            await check(self._exchange, call_id)

    async def _hold(self) -> bool:
        try:
            return await self._lease.hold()
        except (RedisError, OSError):
            return False


async def _carefully(what: str, doing: Coroutine[Any, Any, Any]) -> None:
    """A sweep that fails is made again."""
    try:
        await doing
    except (RedisError, SQLAlchemyError, DatabaseUnavailable, CarrierUnavailable, OSError) as error:
        log.warning("a sweep waits", what=what, error=type(error).__name__)
    except Exception as error:
        log.exception("a sweep failed and is made again", what=what, error=type(error).__name__)
