"""Puts directors and operators into talks on this Asterisk: rings their phone, follows what becomes of it, ends it with the
talk. It touches no call: whether somebody listens or not, a call goes on and ends as it would."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import structlog
from msgspec.structs import replace
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from calls.assembly import Core
from calls.store import CorruptCall
from config.changes import Change
from config.database import DatabaseUnavailable
from telephony.asterisk import dialplan
from telephony.asterisk.connection import Event
from telephony.asterisk.dial_string import dial_string
from telephony.asterisk.exchange import Exchange
from telephony.asterisk.legs import Legs
from telephony.errors import CallGone, CarrierRefused, CarrierUnavailable
from telephony.supervision import Supervision, Supervisions, Why

log = structlog.get_logger()

#: Channels of ours are named so: the seat and the id of the record, parted by dots.
PREFIX = "watch."
#: OriginateResponse's Reason, a frame that Asterisk got from the phone last; everything else is out of reach.
_REASONS: dict[str, Why] = {"1": "no_answer", "3": "no_answer", "5": "busy"}
_AWAY = (RedisError, OSError, CorruptCall, CallGone, CarrierRefused, CarrierUnavailable)


class Supervising:
    """Of one bridge. Everything is done in order, by `run`; what is told in between only queues."""

    def __init__(self, exchange: Exchange, core: Core, legs: Legs) -> None:
        self._exchange, self._core, self._legs = exchange, core, legs
        self._records = Supervisions(core.redis, exchange.settings.redis_prefix)
        self._ongoing: dict[str, Supervision] = {}
        self._todo: asyncio.Queue[Coroutine[Any, Any, None]] = asyncio.Queue()
        self._noting: set[asyncio.Task[None]] = set()

    # -- what the bridge tells ----------------------------------------------------------------------------------------
    def follow(self, change: Change) -> None:
        """A record to begin or to end, a call whose talk may be over; or changes may have been missed."""
        if change.kind == "supervision":
            self._todo.put_nowait(self._look(*change.id.partition(".")[::2]))
        elif change.kind == "call" and any(one.call_id == change.id for one in self._ongoing.values()):
            self._todo.put_nowait(self._check_talk(change.id))
        elif change.kind == "resync":
            self.take_up()

    def take_up(self) -> None:
        """Connected, perhaps again: nothing that was known of channels holds any more."""
        self._todo.put_nowait(self._take_up())

    def hear(self, event: Event) -> bool:
        """True for an event about a channel of ours."""
        uniqueid = event.get("Uniqueid", "")
        if not uniqueid.startswith(PREFIX):
            return False
        if event.get("Event") in ("OriginateResponse", "Hangup"):
            self._todo.put_nowait(self._heard(uniqueid, event))
        return True

    async def run(self) -> None:
        """Until cancelled. An outage is waited out by the next look."""
        try:
            while True:
                step = await self._todo.get()
                try:
                    await step
                except _AWAY as error:
                    log.warning("a supervision is looked after later", error=type(error).__name__)
        finally:
            self._ongoing.clear()
            while not self._todo.empty():
                self._todo.get_nowait().close()

    # -- steps --------------------------------------------------------------------------------------------------------
    async def _look(self, seat_id: str, supervision_id: str) -> None:
        one = await self._records.get(seat_id, supervision_id)
        if one is None or one.host != self._exchange.settings.pbx_node or one.state == "ended":
            return
        if await self._records.is_to_end(one):
            await self._end(one, "ended")
        elif one.state == "asked" and one.id not in self._ongoing:
            await self._begin(one)

    async def _begin(self, one: Supervision) -> None:
        leg = self._legs.of(one.call_id)
        if leg is None or not await self._is_talking(one.call_id):
            await self._end(one, "no_talk")
            return
        target = leg.channel.name if one.kind == "three-way" else leg.talk.other_side
        fields = {
            "Channel": dial_string(one.phone),
            "ChannelId": _uniqueid(one),
            "Context": dialplan.SUPERVISE_CONTEXT,
            "Exten": one.kind,
            "Priority": "1",
            "Timeout": str(int(self._exchange.settings.operator_ring_s * 1000)),
            "CallerID": self._exchange.settings.service_number,
            "Variable": f"{dialplan.TARGET}={target}",
            "Async": "true",
        }
        try:
            await self._exchange.connection.action("Originate", fields)
        except (CallGone, CarrierRefused):
            await self._end(one, "unreachable")
            return
        await self._put(replace(one, state="ringing"))

    async def _heard(self, uniqueid: str, event: Event) -> None:
        one = self._ongoing.get(uniqueid.rpartition(".")[2])
        if one is None:
            return
        if event.get("Event") == "Hangup":
            await self._over(one, "over" if one.state == "on" else "no_answer")
        elif event.get("Response") == "Success":
            await self._put(replace(one, state="on"))
            self._note(one, "supervision_began")
        else:
            await self._over(one, _REASONS.get(event.get("Reason", ""), "unreachable"))

    async def _check_talk(self, call_id: str) -> None:
        if not await self._is_talking(call_id):
            for one in [one for one in self._ongoing.values() if one.call_id == call_id]:
                await self._end(one, "over" if one.state == "on" else "no_talk")

    async def _take_up(self) -> None:
        """Channels of ours against the records: who is in a talk stays there, what nobody follows any more is over."""
        channels = await self._exchange.connection.listing("CoreShowChannels")
        here = {channel["Uniqueid"] for channel in channels if channel.get("Uniqueid", "").startswith(PREFIX)}
        for seat_id in await self._core.seats.known():
            for one in await self._records.of_seat(seat_id):
                if one.host != self._exchange.settings.pbx_node or one.state == "ended":
                    continue
                if _uniqueid(one) in here:
                    self._ongoing[one.id] = one
                elif one.state != "asked":
                    await self._over(one, "over")
        for call_id in {one.call_id for one in self._ongoing.values()}:
            await self._check_talk(call_id)

    async def _end(self, one: Supervision, why: Why) -> None:
        if one.state != "asked":
            with suppress(CallGone):
                await self._exchange.connection.action("Hangup", {"Channel": _uniqueid(one), "Cause": "16"})
        await self._over(one, why)

    async def _over(self, one: Supervision, why: Why) -> None:
        if one.state == "on":
            self._note(one, "supervision_ended")
        await self._put(replace(one, state="ended", why=why))

    async def _put(self, one: Supervision) -> None:
        if one.state == "ended":
            self._ongoing.pop(one.id, None)
        else:
            self._ongoing[one.id] = one
        await self._records.put(one)

    async def _is_talking(self, call_id: str) -> bool:
        """The call says so, and the leader is there: one who hung up while no bridge drove has told nobody."""
        call, leg = await self._core.calls.get(call_id), self._legs.of(call_id)
        return call is not None and call.node == "talking" and (leg is None or bool(leg.talk.other_side))

    # -- the ledger ---------------------------------------------------------------------------------------------------
    def _note(self, one: Supervision, kind: str) -> None:
        """Who was in the talk, from when to when. The database may be slow: nobody waits for it."""
        task = asyncio.create_task(self._write(one, kind, self._core.clock()))
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def _write(self, one: Supervision, kind: str, at: float) -> None:
        data = {"act": one.kind, "who": one.who}
        try:
            call = await self._core.calls.get(one.call_id)
            about = {"session_id": call.session_id, "carrier": call.carrier, "host": call.host} if call else {}
            await self._core.ledger.note(f"{kind}-{one.id}", one.call_id, kind, at, data, **about)
        except (RedisError, SQLAlchemyError, DatabaseUnavailable, OSError, CorruptCall) as error:
            log.error("a supervision is not in the ledger", call_id=one.call_id, kind=kind, error=type(error).__name__)


def _uniqueid(one: Supervision) -> str:
    return f"{PREFIX}{one.seat_id}.{one.id}"
