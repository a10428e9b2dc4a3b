"""Every webhook, answered: by the step it is for, and when Redis or something of ours is away, by what needs neither.

It knows no HTTP: signature and body are checked before. Nothing raised here reaches the cloud.
"""

import asyncio
from urllib.parse import parse_qsl

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from calls.turn import Congested
from config.database import DatabaseUnavailable
from config.within import Within
from telephony.errors import TelephonyError
from telephony.twilio.addresses import Step
from telephony.twilio.caller import Caller
from telephony.twilio.exchange import Exchange, call_id_of
from telephony.twilio.interpreter import Interpreter, hang_up, nothing
from telephony.twilio.music import Music
from telephony.twilio.notices import Notices
from telephony.twilio.other_side import OtherSide
from telephony.twilio.outbound import MACHINES, Outbound
from telephony.twilio.placed import NOT_REACHED, PlacedLegs
from telephony.twilio.speech import Speech
from telephony.twilio.spool import Message, Spool
from telephony.twilio.webhook import Webhook

log = structlog.get_logger()

#: The cloud waits 15 s in all; an apology must be out well before.
TURN_WITHIN_S = 8.0
PRESENT_WITHIN_S = 3.0
#: A caller hears an apology so often, then leaves a message instead.
RETRIES_MAX = 12
PAUSE_S = 3

OTHER_SIDE: frozenset[Step] = frozenset({"whisper", "confirm", "joined", "leg"})
NOTICES: frozenset[Step] = frozenset({"status", "recording"})
FALLBACKS: frozenset[Step] = frozenset({"fallback", "fallback-recorded"})

AWAY = (RedisError, SQLAlchemyError, DatabaseUnavailable, TelephonyError, Congested, OSError, TimeoutError)


class Webhooks:
    """All steps of one process."""

    def __init__(self, exchange: Exchange) -> None:
        settings, addresses = exchange.settings, exchange.addresses
        self.music = Music(settings, addresses)
        speech = Speech(settings, exchange.prompts, addresses)
        self._interpreter = Interpreter(settings, addresses, speech, self.music)
        self._exchange = exchange
        self._caller = Caller(exchange, self._interpreter)
        self._other_side = OtherSide(exchange, self._interpreter)
        self._outbound = Outbound(exchange)
        self.spool = Spool(settings)
        self._within = Within()
        self._notices = Notices(exchange, self._caller, self._outbound, self.spool)
        self._placed = PlacedLegs(exchange, self._outbound, speech, self.music)

    async def answer(self, step: Step, query: str, hook: Webhook) -> str:
        """The TwiML."""
        try:
            return await self._within.run(
                self._answer(step, hook), PRESENT_WITHIN_S if step in FALLBACKS else TURN_WITHIN_S
            )
        except AWAY as error:
            log.warning("a webhook waits", step=step, error=type(error).__name__, retries=hook.retries)
        except Exception as error:
            log.exception("a webhook broke", step=step, error=type(error).__name__)
            if step not in NOTICES and step not in OTHER_SIDE and not hook.placed:
                return await self._sorry(hook)
        return await self._without_redis(step, query, hook)

    async def _answer(self, step: Step, hook: Webhook) -> str:
        if hook.is_misled:
            return nothing() if step in NOTICES else hang_up()
        if hook.placed:
            return await self._placed.answer(step, hook)
        if step in NOTICES:
            await (self._notices.status(hook) if step == "status" else self._notices.recording(hook))
            return nothing()
        if step in OTHER_SIDE:
            return await self._other_side.answer(step, hook)
        if step == "fallback-recorded":
            return await self._message(hook)
        if step == "fallback" and not hook.error.startswith(NOT_REACHED):
            return await self._sorry(hook)
        if not hook.call_sid:
            return hang_up()
        if hook.leg and hook.answered_by and not await self._outbound.answered(hook.leg, hook.answered_by):
            return hang_up()
        answer = await self._caller.answer(step, hook)
        if self.spool.is_open(hook.call_sid):
            await asyncio.to_thread(self.spool.withdraw, hook.call_sid)
        return answer

    async def _without_redis(self, step: Step, query: str, hook: Webhook) -> str:
        if step in NOTICES:
            return nothing()  # made up for by the sweeps: the cloud does not repeat it
        tired = hook.retries >= RETRIES_MAX
        if step in OTHER_SIDE:
            waits = not tired and self._other_side.may_wait(step, hook)
            return self._later(step, query, hook) if waits else self._other_side.without_redis(step, hook)
        if hook.placed and (tired or hook.ended):
            return self._placed.give_up()
        if not hook.placed and (step in FALLBACKS or tired or hook.ended or not hook.call_sid):
            return await self._sorry(hook)
        return self._later(step, query, hook)

    def _later(self, step: Step, query: str, hook: Webhook) -> str:
        return self._interpreter.later(self._once_more(step, query, hook), PAUSE_S, apologise=hook.retries % 4 == 0)

    def _once_more(self, step: Step, query: str, hook: Webhook) -> str:
        ours = {name: value for name, value in parse_qsl(query) if name != "retries"}
        again = {"seq": "0", **ours, **dict(hook.carried), "retries": str(hook.retries + 1)}
        return self._exchange.addresses.step(step, again)

    async def _sorry(self, hook: Webhook) -> str:
        """A message without Redis and without the database. Also who hangs up before it is spoken is put down; a machine that
        answered a call of ours is not spoken to."""
        if hook.leg and hook.answered_by.startswith(MACHINES):
            return hang_up()
        await self._keep(hook, done=hook.ended)
        about = {name: value for name, value in {"leg": hook.leg, "of": hook.for_sid}.items() if hook.for_sid and value}
        return hang_up() if hook.ended else self._interpreter.sorry(about)

    async def _message(self, hook: Webhook) -> str:
        await self._keep(hook, done=True)
        return self._interpreter.thanks()

    async def _keep(self, hook: Webhook, *, done: bool) -> None:
        if not hook.call_sid:
            return
        message = Message(
            call_sid=hook.call_sid,
            of=hook.for_sid,
            leg=hook.leg,
            at=self._exchange.core.clock(),
            recorded_s=hook.spoken_s,
            recording_sid=hook.recording_sid,
            done=done,
        )
        try:
            await asyncio.to_thread(self.spool.keep, message, hook.number)
        except OSError as error:
            log.error("a caller could not be put down", call_id=call_id_of(hook.call_sid), error=type(error).__name__)
