"""Calls back who keeps a place in the line. Whoever answers comes in as the same call, by a channel whose id holds the
call's id: a bridge that starts anew recognises it, and the same try is never made twice."""

import asyncio

import structlog
from redis.exceptions import RedisError

from calls.store import CorruptCall
from config.numbers import read_dialable
from config.settings import Settings
from ivr.call import Call
from ivr.verbs import CallBack
from telephony.asterisk import dialplan
from telephony.asterisk.dial_string import dial_string
from telephony.asterisk.exchange import Exchange, callback_uniqueid
from telephony.asterisk.leg import Leg
from telephony.asterisk.legs import Legs
from telephony.errors import CallGone, CarrierRefused, CarrierUnavailable

log = structlog.get_logger()


class Callbacks:
    """Of one bridge."""

    def __init__(self, exchange: Exchange, legs: Legs) -> None:
        self._exchange, self._legs = exchange, legs
        self._tasks: set[asyncio.Task[None]] = set()

    def notice(self, call_id: str) -> None:
        """A call changed that has no leg here: it may be one to call back."""
        if not call_id.startswith(f"a-{self._exchange.settings.pbx_node}-"):
            return
        task = asyncio.create_task(self._look(call_id), name="callback")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look(self, call_id: str) -> None:
        try:
            call = await self._exchange.calls.get(call_id)
            if call is None or call.node != "calling":
                return
            turn = await self._exchange.turns.present(call_id)
        except (RedisError, OSError, CorruptCall) as error:
            log.warning("a caller cannot be called back yet", call_id=call_id, error=type(error).__name__)
            return  # the claim lapses, and the seat claims the caller again
        verb = turn.verbs[0] if turn.verbs else None
        if isinstance(verb, CallBack) and call_id not in self._legs:
            await self._call(turn.call, verb)

    async def _call(self, call: Call, verb: CallBack) -> None:
        uniqueid = callback_uniqueid(call.id, verb.token)
        leg = Leg(self._exchange, call.id, "", uniqueid)
        leg.claim = (call.seat_id, call.token)
        self._legs.add(leg)
        settings = self._exchange.settings
        try:
            number = read_dialable(verb.number, settings)
            if not number:
                raise CarrierRefused("this is no telephone that may be rung")
            fields = {
                "Channel": dial_string(callback_address(settings, number)),
                "ChannelId": uniqueid,
                "Context": dialplan.SERVICE_CONTEXT,
                "Exten": dialplan.BACK_EXTEN,
                "Priority": "1",
                "Timeout": str(int(verb.ring_s * 1000)),
                "CallerID": settings.service_number,
                "Async": "true",
            }
            await self._exchange.connection.action("Originate", fields)
        except (CallGone, CarrierRefused) as error:
            log.warning("a caller could not be called back", call_id=call.id, error=str(error))
            leg.hear("Hangup", {})
        except CarrierUnavailable:
            return  # every leg is taken up anew when the connection is back


def callback_address(settings: Settings, number: str) -> str:
    """The line at which a number is called back: by CALLBACK_LINE, else behind the trunk. Raises CarrierRefused."""
    if not settings.callback_line:
        return number
    return settings.callback_line.replace("{number}", number)
