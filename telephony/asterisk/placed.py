"""Calls about orders on this Asterisk: whoever answers hears the same conversation as over the cloud. No citizen's call, so it
has no Call in Redis and nothing in the ledger; what is true is the record in the database.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

import structlog
from msgspec import Struct
from sqlalchemy.exc import SQLAlchemyError

from calls import placed_talk, placing
from calls.assembly import Core
from calls.placed_talk import MakeEvent, Said
from config.database import DatabaseUnavailable
from ivr.events import Keyed, Missed, TalkEnded, TimedOut
from ivr.facts import Facts
from ivr.placed import present
from telephony.asterisk import dialplan
from telephony.asterisk.channel import Channel
from telephony.asterisk.connection import Event
from telephony.asterisk.exchange import Exchange
from telephony.asterisk.interpreter import EndedBy, Interpreter
from telephony.asterisk.placing import PREFIX, read_uniqueid
from telephony.errors import CallGone, CarrierRefused, CarrierUnavailable

log = structlog.get_logger()

#: The database may be away this long before the call is given up; then it is placed again later.
PATIENCE_S, RETRY_S = 8.0, 0.5
RENEWALS_PER_LEASE = 3
#: Of a call that nobody took, by Asterisk's reason (OriginateResponse) or the cause of the hang-up.
REASONS = {"1": "no_answer", "3": "no_answer", "5": "busy"}
CAUSES = {"17": "busy", "18": "no_answer", "19": "no_answer", "21": "busy"}

#: HOTLINE_RESULT of a channel that was with the operators.
BACK: dict[str, MakeEvent] = {
    "talked": lambda facts: TalkEnded(facts=facts, seconds=1.0),
    "missed": lambda facts: Missed(facts=facts, reason="no_answer"),
}

T = TypeVar("T")


class Due(Struct, frozen=True):
    """The scene that plays came to its end by itself."""

    scene: int


class PlacedInterpreter(Interpreter):
    """Its channels have a context of their own."""

    home = (dialplan.PLACED_CONTEXT, dialplan.START_EXTEN)
    operators = (dialplan.PLACED_CONTEXT, dialplan.OPERATOR_EXTEN)


class PlacedLeg:
    """One channel. `run` ends with it."""

    def __init__(self, exchange: Exchange, core: Core, placed_id: str, leg: str, name: str) -> None:
        self._exchange, self._core, self._id, self._leg = exchange, core, placed_id, leg
        self.channel = Channel(exchange.connection, name, f"p-{leg}")
        self._interpreter = PlacedInterpreter(
            self.channel, exchange.prompts, exchange.recordings, exchange.beep, self._timed_out, _never_recorded
        )
        self._interpreter.adopt(answered=True, music=False)
        self._inbox: asyncio.Queue[Event | Due] = asyncio.Queue()
        self._playing: asyncio.Task[None] | None = None
        self._scene = -1
        self._over = False

    def hear(self, event: Event) -> None:
        """Quick: it only goes to the inbox, except for answers somebody waits for."""
        if event.get("Event") == "AsyncAGIExec":
            self.channel.answered(event.get("CommandID", ""), event.get("Result", ""))
        else:
            self._inbox.put_nowait(event)

    async def run(self) -> None:
        """Until the channel is gone; what breaks ends the call, and it is placed again when its time is up."""
        try:
            while not self._over:
                await self._next()
        except CallGone:
            await self._missed("unconfirmed")
        except CarrierUnavailable as error:
            log.info("a call about an order is let go", placed_id=self._id, reason=str(error))
        except Exception as error:
            log.exception("a call about an order broke", placed_id=self._id, error=type(error).__name__)
            with suppress(CarrierUnavailable, CarrierRefused):
                await self.channel.hang_up()
        finally:
            if self._playing is not None:
                self._playing.cancel()

    async def _next(self) -> None:
        lease_s = self._exchange.settings.channel_lease_s
        try:
            async with asyncio.timeout(lease_s / RENEWALS_PER_LEASE):
                item = await self._inbox.get()
        except TimeoutError:
            if self.channel.in_agi.is_set():
                await self.channel.renew_lease(lease_s)
            return
        if isinstance(item, Due):
            await self._turn(lambda facts: TimedOut(facts=facts), item.scene)
        else:
            await self._on_ami(item)

    async def _on_ami(self, event: Event) -> None:
        match event.get("Event"):
            case "AsyncAGIStart":
                self.channel.name = event.get("Channel", self.channel.name)
                await self.enter()
            case "AsyncAGIEnd":
                self.channel.left_agi()
            case "DTMFEnd" if (key := event.get("Digit", "")) and key in "0123456789*#":
                await self._turn(lambda facts: Keyed(facts=facts, key=key), self._scene, at_once=True)
            case "Hangup":
                self._over = True
                self.channel.left_agi()
                await self._missed("unconfirmed")
            case _:
                pass

    async def enter(self) -> None:
        """The channel is in AGI: for the first time, back from the operators, or taken over."""
        self.channel.in_agi.set()
        await self.channel.renew_lease(self._exchange.settings.channel_lease_s)
        said = await self._patiently(
            lambda: placed_talk.answered(self._core.database, self._id, self._leg, self._facts())
        )
        if said is not None and said.talk.stage == "operator":
            result = await self.channel.get_variable(dialplan.RESULT)
            if result in BACK:
                await self._turn(BACK[result], said.talk.scene)
                return
        await self._show(said)

    async def _turn(self, make: MakeEvent, scene: int, *, at_once: bool = False) -> None:
        core = self._core
        said = await self._patiently(
            lambda: placed_talk.heard(core.database, core.settings, self._id, self._leg, scene, self._facts(), make)
        )
        await self._show(said, at_once=at_once)

    async def _show(self, said: Said | None, *, at_once: bool = False) -> None:
        """Play the scene unless it is on. Who is called by nobody any more is let go."""
        if said is None:
            await self.channel.hang_up()
            return
        if said.talk.scene == self._scene:
            return
        self._scene = said.talk.scene
        if self._playing is not None:
            self._playing.cancel()
        verbs = present(said.talk, said.facts)
        self._playing = asyncio.create_task(self._play(self._interpreter.play(verbs, said.talk.language, at_once=at_once)))

    async def _play(self, scene: Coroutine[Any, Any, None]) -> None:
        try:
            await scene
        except (CallGone, CarrierUnavailable):
            return
        except CarrierRefused as error:
            log.error("what is said about an order cannot be played", placed_id=self._id, error=str(error))
            with suppress(CarrierUnavailable, CarrierRefused):
                await self.channel.hang_up()

    async def _missed(self, reason: str) -> None:
        await tell_missed(self._core, self._id, self._leg, reason)

    def _facts(self) -> Facts:
        settings = self._core.settings
        return placed_talk.facts_of(settings, self._core.clock(), operators=bool(settings.operators_line))

    async def _patiently(self, act: Callable[[], Awaitable[T]]) -> T:
        return await patiently(act, self._id)

    def _timed_out(self) -> None:
        self._inbox.put_nowait(Due(self._scene))


class PlacedChannels:
    """Those of one bridge."""

    def __init__(self, exchange: Exchange, core: Core) -> None:
        self._exchange, self._core = exchange, core
        self._legs: dict[str, PlacedLeg] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def hear(self, event: Event) -> bool:
        """True for an event about a channel by which we call about an order."""
        uniqueid = event.get("Uniqueid", "")
        if not uniqueid.startswith(PREFIX):
            return False
        ids, name = read_uniqueid(uniqueid), event.get("Event", "")
        if ids is None:
            return True
        leg = self._legs.get(uniqueid)
        if leg is None and name == "AsyncAGIStart":
            leg = self._begin(uniqueid, ids, event.get("Channel", ""))
        if leg is not None:
            if not (name == "DTMFEnd" and event.get("Direction") != "Received"):
                leg.hear(event)
        elif name == "Hangup" or (name == "OriginateResponse" and event.get("Response") == "Failure"):
            self._start(tell_missed(self._core, ids[1], ids[0], _why(event)))
        return True

    async def take_up(self) -> None:
        """After a login: whoever is on the phone hears where they were, once more."""
        await self.let_go()
        for channel in await self._exchange.connection.listing("CoreShowChannels"):
            uniqueid = channel.get("Uniqueid", "")
            if (ids := read_uniqueid(uniqueid)) and channel.get("Context") == dialplan.PLACED_CONTEXT:
                leg = self._begin(uniqueid, ids, channel.get("Channel", ""))
                if channel.get("Application") == "AGI":
                    leg.hear({"Event": "AsyncAGIStart"})

    async def let_go(self) -> None:
        """The connection is gone, or the node is somebody else's."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._legs.clear()

    def _begin(self, uniqueid: str, ids: tuple[str, str], name: str) -> PlacedLeg:
        leg = self._legs[uniqueid] = PlacedLeg(self._exchange, self._core, ids[1], ids[0], name)
        self._start(leg.run()).add_done_callback(lambda _: self._legs.pop(uniqueid, None))
        return leg

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def tell_missed(core: Core, placed_id: str, leg: str, reason: str) -> None:
    """This try is over without an answer. What cannot be told is found out when its time is up."""
    with suppress(SQLAlchemyError, DatabaseUnavailable, OSError):
        await patiently(
            lambda: placing.missed(core.database, core.settings, placed_id, leg, reason, core.clock()), placed_id
        )


async def patiently(act: Callable[[], Awaitable[T]], placed_id: str) -> T:
    """An absent database is waited for, but not for long. Raises what it raises."""
    give_up = asyncio.get_running_loop().time() + PATIENCE_S
    while True:
        try:
            return await act()
        except (SQLAlchemyError, DatabaseUnavailable, OSError) as error:
            if asyncio.get_running_loop().time() > give_up:
                raise
            log.warning("a call about an order waits for the database", placed_id=placed_id, error=type(error).__name__)
            await asyncio.sleep(RETRY_S)


def _why(event: Event) -> str:
    if event.get("Event") == "OriginateResponse":
        return REASONS.get(event.get("Reason", ""), "failed")
    return CAUSES.get(event.get("Cause", ""), "failed")


def _never_recorded(seconds: float, ended_by: EndedBy) -> None:
    """No scene of these calls records."""
