"""One caller's leg on this Asterisk: turns AMI events into turns of the call, and plays the scene that follows.

One task and one inbox per caller, so that whatever happens to a caller happens in order. Nothing true is kept here: a
leg that is lost is made anew from the call in Redis and the channel in Asterisk.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, Literal, TypeVar, get_args

import structlog
from msgspec import Struct
from redis.exceptions import RedisError

from calls.store import UnknownCall
from calls.turn import Turn
from config.numbers import read_number
from config.settings import Settings
from ivr.anywhere import RELEASABLE
from ivr.call import Call
from ivr.events import (
    Answered,
    Arrived,
    Keyed,
    Missed,
    Released,
    TalkEnded,
)  # fmt: skip
from ivr.verbs import Hold, Record
from telephony.asterisk import dialplan
from telephony.asterisk.channel import Channel
from telephony.asterisk.closing import close_gone
from telephony.asterisk.connection import Event
from telephony.asterisk.exchange import Exchange
from telephony.asterisk.restore import as_text, restore
from telephony.asterisk.stage import MakeEvent, Stage
from telephony.errors import CallGone, CarrierRefused, CarrierUnavailable

log = structlog.get_logger()

#: Keys that wait for their turn. Who mashes more than this is heard for the first ones.
KEYS_WAITING_MAX = 32
#: Redis may be away this long before a caller is handed to the fallback.
PATIENCE_S = 4.0
RETRY_S = 0.25
RETRY_GONE_S = 1.0

#: Changes of which it was not told up to where.
NEWEST = sys.maxsize

T = TypeVar("T")

#: A seat is claimed for the caller and waits for them.
_CLAIMED = ("ringing", "calling", "screening")
#: Whoever is on this channel has taken our call back.
_NOBODY_THERE = ("calling", "kept")

#: Nodes at which the channel is in the dialplan's hands, with somebody else or about to be.
_WITH_OTHERS = ("ringing", "operator", "talking")

MissedReason = Literal["no_answer", "busy", "declined", "unreachable", "gone", "unconfirmed"]
#: HOTLINE_RESULT as the dialplan writes it.
MISSED: dict[str, MissedReason] = {reason: reason for reason in get_args(MissedReason)}


class _Ami(Struct, frozen=True):
    """An AMI event about this caller's channel or the leader's."""

    name: str
    fields: Event


class _Due(Struct, frozen=True):
    """The scene that is playing came to something by itself."""

    make: MakeEvent
    scene: int


class _Changed(Struct, frozen=True):
    """Turns of this call were saved, perhaps only our own."""


class _Taken(Struct, frozen=True):
    """The switchboard of this process took a turn of this call: it need not be read again."""

    turn: Turn


class Found(Struct, frozen=True):
    """A caller's channel as a newly connected bridge finds it."""

    context: str
    bridged: bool
    number: str


class Leg:
    """See the module. `run` ends when the caller is gone or the bridge lets go of the call."""

    def __init__(self, exchange: Exchange, call_id: str, channel_name: str, uniqueid: str) -> None:
        self._exchange = exchange
        self.call_id, self.uniqueid = call_id, uniqueid
        self.channel = Channel(exchange.connection, channel_name, call_id)
        self.stage = Stage(exchange, self.channel, call_id, self._on_due)
        self._inbox: asyncio.Queue[_Ami | _Due | _Changed | _Taken] = asyncio.Queue()
        #: The call's `seq` as we know it, and the newest one that was announced.
        self._known_seq, self._announced_seq = -1, 0
        self._keys_waiting = 0
        self._change_waiting = False
        #: As the channel brought it.
        self.number = ""
        #: The scene and node of which the channel was told last.
        self._told: tuple[int, str] = (-1, "")
        self._telling: set[asyncio.Task[None]] = set()
        #: Uniqueid of the other side's channel while one is being dialled or talked to.
        self.other_side = ""
        self._talk_since = 0.0
        #: Seat and token of the claim by which the leader is being rung; it is kept alive as long as we are.
        self.claim: tuple[str, int] | None = None
        self.gone = False

    # -- what the bridge tells a leg ----------------------------------------------------------------------------------
    def hear(self, name: str, fields: Event) -> None:
        """An AMI event. Quick: it only goes to the inbox, except for answers somebody waits for."""
        if name == "AsyncAGIExec":
            self.channel.answered(fields.get("CommandID", ""), fields.get("Result", ""))
            return
        if name == "DTMFEnd":
            if self._keys_waiting >= KEYS_WAITING_MAX:
                return
            self._keys_waiting += 1
        self._inbox.put_nowait(_Ami(name, fields))

    def change(self, seq: int = NEWEST) -> None:
        """The call was changed up to `seq`, perhaps by ourselves."""
        self._announced_seq = max(self._announced_seq, seq or NEWEST)
        if not self._change_waiting:
            self._change_waiting = True
            self._inbox.put_nowait(_Changed())

    def take(self, turn: Turn) -> None:
        """A turn of the call that was taken in this process."""
        self._inbox.put_nowait(_Taken(turn))

    @property
    def leased(self) -> bool:
        """The channel is ours to keep alive: in AGI, not in a talk and not in the fallback."""
        return self.channel.in_agi.is_set() and not self.stage.hands_off and not self.gone

    # -- life ---------------------------------------------------------------------------------------------------------
    async def run(self, found: Found | None = None) -> None:
        """Work through the inbox until the caller is gone. Whatever breaks leads to the fallback, never to silence.
        `found`: the channel was there before us; take it up as it is."""
        try:
            if found is not None:
                await self._guarded(self._adopt(found))
            while not self.gone:
                item = await self._inbox.get()
                if not self._exchange.connection.may_act():
                    raise CarrierUnavailable("another process may drive this call by now")
                await self._guarded(self._handle(item))
        except CarrierUnavailable as error:
            log.info("leg let go", call_id=self.call_id, reason=str(error))
        finally:
            self.stage.stop()

    async def _guarded(self, step: Awaitable[None]) -> None:
        """After a failure the dialplan serves the caller, and the leg waits for the end of the call, to account for it."""
        try:
            await step
        except CarrierUnavailable:
            raise
        except CallGone:
            if not self.gone:
                await self._hung_up()
        except Exception:
            log.exception("leg broke, the caller goes to the fallback", call_id=self.call_id)
            await self.stage.rescue()

    async def _adopt(self, found: Found) -> None:
        """Leave in peace what goes on, take up what has stopped."""
        settings = self._exchange.settings
        self.number = found.number
        call = await self.known_call()
        if found.context in (dialplan.CONNECT_CONTEXT, dialplan.TRANSFER_CONTEXT):
            if call.node in _WITH_OTHERS or found.bridged:
                self.stage.resume(call, answered=True)
            self._talk_since = call.talk_started_at
            if found.bridged and call.node in ("ringing", "operator", "waiting"):
                await self._answered()
        elif found.context == dialplan.SERVICE_CONTEXT:
            self.channel.in_agi.set()
            # The lease may be nearly over.
            await self.channel.renew_lease(settings.channel_lease_s)
            if call.node in _WITH_OTHERS or (call.node == "waiting" and await self._talked_meanwhile()):
                await self._came_back(call)
            else:
                await self._adopt_in_agi(call)
        else:
            await self.watch()
            if found.bridged:
                await self._answered()

    async def watch(self) -> None:
        """The dialplan serves this caller; take note of it."""
        self.stage.hands_off = True
        self.stage.stop()
        await self._turn(lambda facts: Released(facts=facts, to="fallback", reason="error"))

    async def _adopt_in_agi(self, call: Call) -> None:
        turn = await self._present()
        last = turn.verbs[-1] if turn.verbs else None
        if call.node == "arriving":
            await self._turn(lambda facts: Arrived(facts=facts))
        elif call.node in _NOBODY_THERE:
            await self._turn(lambda facts: Arrived(facts=facts, leg=self.uniqueid))
        elif isinstance(last, Hold):
            self.stage.resume(turn.call, answered=True)
            self.stage.play((Hold(keys=last.keys),), turn.call, at_once=False)
        elif isinstance(last, Record):
            self.stage.resume(turn.call, answered=True)
            self.stage.finish_recording(last)
        else:
            self._show(turn)

    # -- the inbox ----------------------------------------------------------------------------------------------------
    async def _handle(self, item: _Ami | _Due | _Changed | _Taken) -> None:
        match item:
            case _Ami():
                await self._on_ami(item.name, item.fields)
            case _Due():
                await self._turn(item.make, seen=item.scene)
            case _Changed():
                self._change_waiting = False
                await self._on_change()
            case _Taken(turn=turn):
                if turn.call.seq > self._known_seq:
                    await self._look_at(turn)

    async def _on_change(self) -> None:
        """Nobody waits for this look: while Redis is away it is left out, another one follows its return."""
        announced, self._announced_seq = self._announced_seq, 0
        if announced <= self._known_seq:
            return  # the echo of our own turns
        try:
            turn = await self._exchange.turns.present(self.call_id)
        except UnknownCall:
            await self.known_call()
            return
        except (RedisError, OSError):
            return
        await self._look_at(turn)

    async def _look_at(self, turn: Turn) -> None:
        if self.stage.hands_off and turn.call.node in RELEASABLE:
            await self.watch()  # they must not stay in the line
        else:
            self._show(turn)

    async def known_call(self) -> Call:
        """The call; one that Redis does not know is made, from what its channel remembers if it remembers anything."""
        exchange = self._exchange
        call = await self._patiently(lambda: exchange.calls.get(self.call_id))
        if call is None:
            new = new_call(exchange.settings, self.call_id, self.number, exchange.now())
            call = await self._patiently(lambda: restore(exchange, self.channel, new))
        return call

    async def be_known(self) -> None:
        """See that Redis knows the call. A channel that has just gone has its end accounted for elsewhere."""
        with suppress(CallGone):
            await self.known_call()

    async def _on_ami(self, name: str, fields: Event) -> None:
        match name:
            case "AsyncAGIStart":
                await self._entered_agi(fields)
            case "AsyncAGIEnd":
                self.channel.left_agi()  # what follows tells: a Redirect of ours, the fallback, or Hangup
            case dialplan.FELL_BACK:
                self.channel.left_agi()
                await self.watch()
            case "DTMFEnd":
                self._keys_waiting -= 1
                await self._pressed(fields.get("Digit", ""))
            case "DialBegin":
                self.other_side = fields.get("DestUniqueid", "")
            case "BridgeEnter":
                await self._answered()
            case "Hangup":
                await self._hung_up()
            case "OtherSideLeft":
                await self._other_side_left(fields.get("Uniqueid", ""))
            case _:
                pass

    async def _pressed(self, key: str) -> None:
        if len(key) == 1 and key in "0123456789*#" and not self.other_side and not self.stage.hands_off:
            await self._turn(lambda facts: Keyed(facts=facts, key=key), at_once=True)

    async def _entered_agi(self, fields: Event) -> None:
        self.channel.name = fields.get("Channel", self.channel.name)
        self.channel.in_agi.set()
        self.stage.hands_off = False
        self.number = fields.get("CallerIDNum", "")
        call = await self.known_call()
        if call.node in _WITH_OTHERS:
            await self._came_back(call)
        elif call.node == "arriving":
            # The first lease is short: from here on they are to outlast a restart of the bridge like everybody else.
            self._in_background(self.channel.renew_lease(self._exchange.settings.channel_lease_s))
            await self._turn(lambda facts: Arrived(facts=facts))
        elif call.node in _NOBODY_THERE:
            await self._turn(lambda facts: Arrived(facts=facts, leg=self.uniqueid))
        elif not self.stage.is_on(call):
            self._show(await self._present())
        self.other_side, self._talk_since = "", 0.0

    # -- the talk -----------------------------------------------------------------------------------------------------
    async def _answered(self) -> None:
        if not self._talk_since:
            turn = await self._turn(lambda facts: Answered(facts=facts))
            self._talk_since = turn.call.talk_started_at or turn.call.entered_at or 1.0

    async def _other_side_left(self, uniqueid: str) -> None:
        """The leader's channel is gone: the earliest sign that a talk is over. One that was dialled before tells nothing."""
        if uniqueid != self.other_side:
            return
        self.other_side = ""
        if self._talk_since:
            await self._talk_ended()

    async def _talk_ended(self) -> None:
        since, self._talk_since = self._talk_since, 0.0
        await self._turn(lambda facts: TalkEnded(facts=facts, seconds=max(0.0, facts.now - since) if since else 0.0))

    async def _talked_meanwhile(self) -> bool:
        """Nobody could tell us, the claim was given up, and they talked all the same."""
        return await self.channel.get_variable(dialplan.RESULT) == dialplan.TALKED

    async def _came_back(self, call: Call) -> None:
        """Back in AGI from the dialplan's Dial: with a talk, without one, or never having been there."""
        if call.node == "talking" or self._talk_since:
            await self._talk_ended()
            return
        result, seconds = await asyncio.gather(
            self.channel.get_variable(dialplan.RESULT), self.channel.get_variable(dialplan.TALK_S)
        )
        await self.channel.set_variable(dialplan.RESULT, "")
        if not result:
            # The call is to be connected, but the bridge that should have done it died first.
            self._show(await self._present())
        elif result == dialplan.TALKED:
            await self._turn(lambda facts: Answered(facts=facts))
            await self._turn(lambda facts: TalkEnded(facts=facts, seconds=float(seconds or 0)))
        else:
            reason = MISSED.get(result, "unreachable")
            await self._turn(lambda facts: Missed(facts=facts, reason=reason))

    async def _hung_up(self) -> None:
        self.gone = True
        self.claim = None
        self.stage.stop()
        await self._patiently(self._account)

    async def _account(self) -> None:
        """A call that came and went while Redis was away is left to the audit, which knows Asterisk's own records."""
        with suppress(UnknownCall):
            await close_gone(self._exchange, self.call_id, self.stage.recorded_s)

    # -- turns and scenes ---------------------------------------------------------------------------------------------
    async def _turn(self, make: MakeEvent, seen: int | None = None, *, at_once: bool = False) -> Turn:
        turn = await self._take_turn(make, seen)
        if not self.gone:
            self._show(turn, at_once=at_once)
        return turn

    async def _take_turn(self, make: MakeEvent, seen: int | None) -> Turn:
        try:
            return await self._patiently(lambda: self._exchange.turns.take_turn(self.call_id, make, seen))
        except UnknownCall:
            await self.known_call()
            return await self._patiently(lambda: self._exchange.turns.take_turn(self.call_id, make, seen))

    async def _present(self) -> Turn:
        return await self._patiently(lambda: self._exchange.turns.present(self.call_id))

    async def _patiently(self, act: Callable[[], Awaitable[T]]) -> T:
        """An absent Redis is waited for, but not longer than a caller bears silence; for ever once the caller is gone."""
        loop = asyncio.get_running_loop()
        give_up = loop.time() + PATIENCE_S
        while True:
            try:
                return await act()
            except (RedisError, OSError) as error:
                if loop.time() > give_up and not self.gone:
                    raise
                log.warning("a turn waits for Redis", call_id=self.call_id, error=type(error).__name__)
                await asyncio.sleep(RETRY_GONE_S if self.gone else RETRY_S)

    def _show(self, turn: Turn, *, at_once: bool = False) -> None:
        self._known_seq = turn.call.seq
        ringing = turn.call.node in _CLAIMED
        self.claim = (turn.call.seat_id, turn.call.token) if ringing and not self.stage.hands_off else None
        self.stage.show(turn, at_once=at_once)
        self._tell_channel(turn.call)

    def _tell_channel(self, call: Call) -> None:
        """Have the channel remember the call, for the day on which Redis remembers nothing."""
        state = (call.scene, call.node)
        if self.channel.name and state != self._told and call.node != "ended" and (text := as_text(call)):
            self._told = state
            self._in_background(self.channel.set_variable(dialplan.SAVED, text))

    def _in_background(self, telling: Coroutine[Any, Any, None]) -> None:
        """Tell the channel something that nobody waits for; a channel that has gone need not know it."""

        async def tell() -> None:
            with suppress(CallGone, CarrierUnavailable, CarrierRefused):
                await telling

        task = asyncio.create_task(tell())
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    def _on_due(self, make: MakeEvent, scene: int) -> None:
        self._inbox.put_nowait(_Due(make, scene))


def new_call(settings: Settings, call_id: str, number: str, at: float) -> Call:
    """The record of a call that nobody knows yet. A withheld or unreadable number is empty."""
    return Call(
        id=call_id,
        carrier="asterisk",
        started_at=at,
        number=read_number(number, settings),
        host=settings.pbx_node,
        language=settings.language,
    )
