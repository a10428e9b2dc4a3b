"""Webhooks of the leg to the leader or the operators: whisper, press 1, put through. The caller's call is named in the URL."""

from calls.store import UnknownCall
from calls.turn import Turn
from ivr.call import Call
from ivr.events import Answered
from ivr.nodes.operator import is_answered
from ivr.verbs import Connect
from telephony.twilio.addresses import Step
from telephony.twilio.exchange import Exchange, call_id_of
from telephony.twilio.interpreter import Interpreter, hang_up, nothing
from telephony.twilio.webhook import Webhook

#: How often a leader is asked to press 1.
ASKED_TIMES = 2
CONFIRMATION = "1"


class OtherSide:
    """The steps of that leg. An empty answer puts the two through."""

    def __init__(self, exchange: Exchange, interpreter: Interpreter) -> None:
        self._exchange, self._interpreter = exchange, interpreter

    async def answer(self, step: Step, hook: Webhook) -> str:
        """The TwiML for the other side. Who is called for nobody any more hears nothing and is let go."""
        if not hook.for_sid:
            return hang_up()
        try:
            return await self._answer(step, call_id_of(hook.for_sid), hook)
        except UnknownCall:
            return hang_up()

    @staticmethod
    def may_wait(step: Step, hook: Webhook) -> bool:
        """They took the call and have not said yet that they want it: our troubles are not theirs, and no miss."""
        return not hook.ended and (step == "whisper" or (step == "confirm" and hook.keys != CONFIRMATION))

    def without_redis(self, step: Step, hook: Webhook) -> str:
        """The two are there, and we cannot note it: they talk all the same; how long tells the end of the leg."""
        confirmed = step == "joined" or (step == "confirm" and hook.keys == CONFIRMATION)
        return nothing() if confirmed or step == "leg" else hang_up()

    async def _answer(self, step: Step, call_id: str, hook: Webhook) -> str:
        match step:
            case "leg":
                await self._renew(await self._exchange.core.calls.get(call_id), hook)
                return nothing()
            case "whisper":
                return await self._whisper(call_id, hook, 1)
            case "confirm" if hook.keys != CONFIRMATION:
                return await self._whisper(call_id, hook, hook.tries + 1)
            case _:
                return await self._join(call_id, hook)

    async def _whisper(self, call_id: str, hook: Webhook, tries: int) -> str:
        turn = await self._exchange.core.turns.present(call_id)
        verb = turn.verbs[-1] if turn.verbs else None
        if turn.call.scene != hook.scene or not isinstance(verb, Connect) or tries > ASKED_TIMES:
            return hang_up()
        await self._renew(turn.call, hook)
        return self._interpreter.whisper(turn.call, verb, tries)

    async def _join(self, call_id: str, hook: Webhook) -> str:
        turn: Turn = await self._exchange.core.turns.take_turn(call_id, lambda facts: Answered(facts=facts), hook.scene)
        here = turn.call.scene == hook.scene and (turn.call.node == "talking" or is_answered(turn.call))
        return nothing() if here else hang_up()

    async def _renew(self, call: Call | None, hook: Webhook) -> None:
        """The leader's line shows life: the claim must not lapse while it rings."""
        if call is not None and call.node == "ringing" and call.scene == hook.scene and not hook.ended:
            settings = self._exchange.settings
            await self._exchange.core.line.renew(call.seat_id, call.token, settings.claim_lease_s)
