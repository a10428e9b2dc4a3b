"""Webhooks of the legs by which we call about an order. None of them is a citizen's call: no call in Redis, no ledger, no spool.

What is heard derives from the record in the database, so a repeated or late webhook re-presents and never re-advances.
"""

from calls import placed_talk, placing
from calls.placed_talk import MakeEvent, Said
from ivr.call import Call
from ivr.events import Keyed, Missed, TalkEnded, TimedOut
from ivr.placed import present
from ivr.verbs import Prompt
from telephony.errors import CallGone
from telephony.twilio.addresses import Addresses, Step
from telephony.twilio.exchange import Exchange
from telephony.twilio.interpreter import Interpreter, hang_up, nothing
from telephony.twilio.music import Music
from telephony.twilio.outbound import Outbound
from telephony.twilio.speech import Speech
from telephony.twilio.webhook import Webhook

#: Told of a leg without anything to be said to it; `joined`: put through to the operators.
SILENT: frozenset[Step] = frozenset({"recording", "leg", "joined", "whisper", "confirm"})
#: HTTP retrieval failures: what we would say was never heard. Other errors are about what we said.
NOT_REACHED = "11"
MISSED = {"busy": "busy", "no-answer": "no_answer", "failed": "failed", "canceled": "failed"}


class PlacedAddresses(Addresses):
    """URLs of the turns of such a leg: ids and the scene, which is its seq as well."""

    def turn(self, step: Step, call: Call, **more: str | int) -> str:
        return self.step(step, {"scene": call.scene, "seq": call.seq, "leg": call.leg, "placed": call.id})


class PlacedLegs:
    """The steps of these legs. They raise DatabaseUnavailable and RedisError."""

    def __init__(self, exchange: Exchange, outbound: Outbound, speech: Speech, music: Music) -> None:
        self._exchange, self._outbound = exchange, outbound
        self._settings, self._database = exchange.settings, exchange.core.database
        addresses = PlacedAddresses(exchange.settings, exchange.core.clock)
        self._interpreter = Interpreter(exchange.settings, addresses, speech, music)

    async def answer(self, step: Step, hook: Webhook) -> str:
        """The TwiML."""
        if step == "status":
            await self._status(hook)
            return nothing()
        if step in SILENT:
            return nothing()
        if step == "fallback" and not hook.error.startswith(NOT_REACHED):
            return self.give_up()  # what we say cannot be said: the same again would not help
        if hook.arrives and hook.answered_by and not await self._outbound.answered(hook.leg, hook.answered_by):
            await self._missed(hook, "voicemail")
            return hang_up()
        said = await self._hear(step, hook)
        return self._render(hook, said) if said is not None else hang_up()

    def give_up(self) -> str:
        """Ours does not answer: this try is looked after when its time is up."""
        return self._interpreter.farewell((Prompt("fallback_sorry"), Prompt("goodbye")))

    async def _hear(self, step: Step, hook: Webhook) -> Said | None:
        facts = placed_talk.facts_of(
            self._settings, self._exchange.core.clock(), operators=bool(self._settings.effective_twilio_operators_line)
        )
        event = _event(step, hook)
        if event is not None:
            return await placed_talk.heard(
                self._database, self._settings, hook.placed, hook.leg, hook.scene, facts, event
            )  # fmt: skip
        if hook.arrives and not hook.ended:
            return await placed_talk.answered(self._database, hook.placed, hook.leg, facts)
        return await placed_talk.present(self._database, hook.placed, hook.leg, facts)

    def _render(self, hook: Webhook, said: Said) -> str:
        """`Call` for the interpreter's sake: it holds the ids and the scene of which the addresses are made."""
        talk = said.talk
        shown = Call(
            id=hook.placed, carrier="twilio", started_at=0.0, language=talk.language, scene=talk.scene, seq=talk.scene,
            leg=hook.leg,
        )  # fmt: skip
        return self._interpreter.render(shown, present(talk, said.facts))

    async def _status(self, hook: Webhook) -> None:
        await self._outbound.note(hook.leg, hook.status, hook.call_sid)
        if hook.ended:
            voicemail = await self._outbound.state(hook.leg) == "machine"
            await self._missed(hook, "voicemail" if voicemail else MISSED.get(hook.status, "unconfirmed"))

    async def _missed(self, hook: Webhook, reason: str) -> None:
        now = self._exchange.core.clock()
        await placing.missed(self._database, self._settings, hook.placed, hook.leg, reason, now)


def _event(step: Step, hook: Webhook) -> MakeEvent | None:
    match step:
        case "keys" if hook.keys:
            return lambda facts: Keyed(facts=facts, key=hook.keys[0])
        case "silence" if not hook.ended:
            return lambda facts: TimedOut(facts=facts)
        case "dialled" if hook.dial_status == "completed":
            return lambda facts: TalkEnded(facts=facts, seconds=hook.dialled_s)
        case "dialled":
            return lambda facts: Missed(facts=facts, reason="no_answer")
        case _:
            return None


class CloudPlacing:
    """Rings by the cloud. Raises RedisError, CarrierUnavailable, CarrierUncertain and CarrierRefused."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange, self._outbound = exchange, Outbound(exchange)

    async def ring(self, claim: placing.Claim) -> None:
        """One try."""
        await self._outbound.place(claim.number, claim.leg, placed=claim.id, ring_s=claim.ring_s)

    async def is_over(self, leg: str) -> bool:
        """The cloud's own word on a try of which nothing was heard."""
        call_sid = await self._outbound.call_sid(leg)
        if not call_sid:
            return True
        try:
            return (await self._exchange.connection.call(call_sid)).ended
        except CallGone:
            return True
