"""One caller's leg on this Asterisk: turns AMI events into turns of the call, and plays the scene that follows.

One task and one inbox per caller, so that whatever happens to a caller happens in order. Nothing true is kept here: a
leg that is lost is made anew from the call in Redis and the channel in Asterisk.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog
from redis.exceptions import RedisError

from calls.store import UnknownCall
from calls.turn import Turn
from ivr.anywhere import RELEASABLE
from ivr.call import Call
from ivr.events import Arrived, Keyed, Released
from ivr.verbs import Prompt
from telephony.asterisk import dialplan
from telephony.asterisk.channel import Channel
from telephony.asterisk.closing import close_gone
from telephony.asterisk.connection import Event
from telephony.asterisk.exchange import Exchange
from telephony.asterisk.leg_inbox import Ami, Changed, Due, Item, Taken, time_of
from telephony.asterisk.leg_turns import LegTurns
from telephony.asterisk.restore import Memory
from telephony.asterisk.stage import MakeEvent, Stage
from telephony.asterisk.talk import Talk
from telephony.errors import CallGone, CarrierUnavailable

log = structlog.get_logger()

#: Keys that wait for their turn. Who mashes more than this is heard for the first ones.
KEYS_WAITING_MAX = 32
#: Changes of which it was not told up to where.
NEWEST = sys.maxsize

#: A seat is claimed for the caller and waits for them.
_CLAIMED = ("ringing", "calling", "screening")
#: Whoever is on this channel has taken our call back.
NOBODY_THERE = ("calling", "kept")
#: Nodes at which the channel is in the dialplan's hands, with somebody else or about to be.
WITH_OTHERS = ("ringing", "operator", "talking")


class Leg:
    """See the module. `run` ends when the caller is gone or the bridge lets go of the call."""

    def __init__(self, exchange: Exchange, call_id: str, channel_name: str, uniqueid: str) -> None:
        self._exchange = exchange
        self.call_id, self.uniqueid = call_id, uniqueid
        self.channel = Channel(exchange.connection, channel_name, call_id)
        self.stage = Stage(exchange, self.channel, call_id, self._on_due)
        self.turns = LegTurns(exchange, self.channel, call_id)
        self.talk = Talk(self.channel, self.turn)
        self._memory = Memory(self.channel)
        self._inbox: asyncio.Queue[Item] = asyncio.Queue()
        #: The call's `seq` as we know it, and the newest one that was announced.
        self._known_seq, self._announced_seq = -1, 0
        #: Where the call was when it was looked at last.
        self.node = ""
        self._keys_waiting = 0
        self._change_waiting = False
        #: Seat and token of the claim by which the leader is being rung; it is kept alive as long as we are.
        self.claim: tuple[str, int] | None = None

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
        self._inbox.put_nowait(Ami(name, fields))

    def change(self, seq: int = NEWEST) -> None:
        """The call was changed up to `seq`, perhaps by ourselves."""
        self._announced_seq = max(self._announced_seq, seq or NEWEST)
        if not self._change_waiting:
            self._change_waiting = True
            self._inbox.put_nowait(Changed())

    def take(self, turn: Turn) -> None:
        """A turn of the call that was taken in this process."""
        self._inbox.put_nowait(Taken(turn))

    @property
    def leased(self) -> bool:
        """The channel is ours to keep alive: in AGI, not in a talk and not in the fallback."""
        return self.channel.in_agi.is_set() and not self.stage.hands_off and not self.gone

    @property
    def gone(self) -> bool:
        """The caller has hung up."""
        return self.turns.gone

    # -- life ---------------------------------------------------------------------------------------------------------
    async def run(self, first: Callable[[], Awaitable[None]] | None = None) -> None:
        """Work through the inbox until the caller is gone. Whatever breaks leads to the fallback, never to silence.
        `first`: what is done before that."""
        try:
            if first is not None:
                await self._guarded(first(), found=True)
            while not self.gone:
                item = await self._inbox.get()
                if not self._exchange.connection.may_act():
                    raise CarrierUnavailable("another process may drive this call by now")
                await self._guarded(self._handle(item))
        except CarrierUnavailable as error:
            log.info("leg let go", call_id=self.call_id, reason=str(error))
        finally:
            self.stage.stop()

    async def _guarded(self, step: Awaitable[None], *, found: bool = False) -> None:
        """After a failure the dialplan serves the caller, and the leg waits for the end of the call, to account for it. A
        caller who was `found` and has gone before anything could be asked is left to the audit, which knows the records."""
        try:
            await step
        except CarrierUnavailable:
            raise
        except CallGone:
            if found or self.talk.is_unclear(self.node):
                self.turns.gone = True
            elif not self.gone:
                await self._hung_up()
        except Exception:
            if self.talk.other_side and not self.channel.in_agi.is_set():
                log.exception("leg broke, whoever talks goes on", call_id=self.call_id)
                self.turns.gone = True  # for us: the audit takes them up
                return
            log.exception("leg broke, the caller goes to the fallback", call_id=self.call_id)
            await self.stage.rescue()

    async def extend_lease(self) -> None:
        """Now, not with the next round for all channels."""
        await self.channel.renew_lease(self._exchange.settings.channel_lease_s)

    async def come_back(self, call: Call) -> None:
        """Back in AGI from where the caller was to be with somebody else."""
        if not await self.talk.come_back(call):
            self.show(await self.turns.present())

    async def watch(self) -> None:
        """The dialplan serves this caller; take note of it, and of a talk that was before."""
        self.stage.hands_off = True
        self.stage.stop()
        if not await self.talk.was(await self.turns.known_call()):
            await self.turn(lambda facts: Released(facts=facts, to="fallback", reason="error"))

    # -- the inbox ----------------------------------------------------------------------------------------------------
    async def _handle(self, item: Item) -> None:
        match item:
            case Ami():
                await self._on_ami(item.name, item.fields)
            case Due():
                await self.turn(item.make, seen=item.scene)
            case Changed():
                self._change_waiting = False
                await self._on_change()
            case Taken(turn=turn):
                if turn.call.seq > self._known_seq:
                    await self._look_at(turn)

    async def _on_change(self) -> None:
        """Nobody waits for this look: while Redis is away it is left out, another one follows its return."""
        announced, self._announced_seq = self._announced_seq, 0
        if announced <= self._known_seq:
            return  # the echo of our own turns
        try:
            if announced == NEWEST:
                await self.turns.regain()
            turn = await self._exchange.turns.present(self.call_id)
        except UnknownCall:
            await self.turns.known_call()
            return
        except (RedisError, OSError):
            return
        await self._look_at(turn)

    async def _look_at(self, turn: Turn) -> None:
        if self.stage.hands_off and turn.call.node in RELEASABLE:
            await self.watch()  # they must not stay in the line
            return
        if self._is_taken_back(turn.call):
            told = (Prompt("stopped_leader"),)
            await self.talk.break_off(await self._exchange.prompts.audio(told, turn.call.language))
        self.show(turn)

    def _is_taken_back(self, call: Call) -> bool:
        """Somebody took the caller out of a talk, or from before it, in which Asterisk would leave them."""
        there = self.node in ("ringing", "talking") and not self.channel.in_agi.is_set()
        return there and call.node not in (*WITH_OTHERS, "ended") and not self.stage.is_on(call)

    async def be_known(self) -> None:
        """See that Redis knows the call. A channel that has just gone has its end accounted for elsewhere."""
        with suppress(CallGone):
            await self.turns.known_call()

    async def _on_ami(self, name: str, fields: Event) -> None:
        self.talk.at = time_of(fields)
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
                self.talk.dialled(fields.get("DestUniqueid", ""))
            case "BridgeEnter":
                await self.talk.joined(fields.get("BridgeNumChannels", ""))
            case dialplan.TALK_LEFT:
                await self.talk.left(fields.get("Seconds", ""))
            case "Hangup":
                await self._hung_up()
            case "OtherSideLeft":
                await self.talk.other_side_left(fields.get("Uniqueid", ""))
            case _:
                pass

    async def _pressed(self, key: str) -> None:
        if len(key) == 1 and key in "0123456789*#" and not self.talk.other_side and not self.stage.hands_off:
            await self.turn(lambda facts: Keyed(facts=facts, key=key), at_once=True)

    async def _entered_agi(self, fields: Event) -> None:
        self.channel.name = fields.get("Channel", self.channel.name)
        self.channel.in_agi.set()
        self.stage.hands_off = False
        self.turns.number = fields.get("CallerIDNum", "")
        call = await self.turns.known_call()
        if call.node in WITH_OTHERS:
            await self.come_back(call)
        elif call.node == "arriving":
            # The first lease is short: from here on they are to outlast a restart of the bridge like everybody else.
            self.channel.in_background(self.extend_lease())
            await self.turn(lambda facts: Arrived(facts=facts))
        elif call.node in NOBODY_THERE:
            await self.turn(lambda facts: Arrived(facts=facts, leg=self.uniqueid))
        elif not self.stage.is_on(call):
            self.show(await self.turns.present())
        self.talk.forget()

    async def _hung_up(self) -> None:
        self.turns.gone = True
        self.claim = None
        self.stage.stop()
        await self.turns.patiently(self._account)

    async def _account(self) -> None:
        """A call that came and went while Redis was away is left to the audit, which knows Asterisk's own records."""
        with suppress(UnknownCall):
            await close_gone(self._exchange, self.call_id, self.stage.recorded_s)

    # -- turns and scenes ---------------------------------------------------------------------------------------------
    async def turn(self, make: MakeEvent, seen: int | None = None, *, at_once: bool = False) -> Turn:
        """Take a turn of the call and play the scene that follows. `seen`: the scene the event answers."""
        turn = await self.turns.take(make, seen)
        if not self.gone:
            self.show(turn, at_once=at_once)
        return turn

    def show(self, turn: Turn, *, at_once: bool = False) -> None:
        """Play the scene of this turn, unless it is on."""
        self._known_seq, self.node, self.turns.known = turn.call.seq, turn.call.node, turn.call
        ringing = turn.call.node in _CLAIMED
        self.claim = (turn.call.seat_id, turn.call.token) if ringing and not self.stage.hands_off else None
        self.stage.show(turn, at_once=at_once)
        self._memory.tell(turn.call)

    def _on_due(self, make: MakeEvent, scene: int) -> None:
        self._inbox.put_nowait(Due(make, scene))
