"""Webhooks of the caller's own leg: each is one event for the call, answered with the TwiML of what is heard then."""

import secrets
from typing import Literal

from msgspec import Struct

from calls.store import CorruptCall, Reading, Saved, UnknownCall
from calls.turn import MakeEvent, Turn
from ivr.call import Call
from ivr.events import Answered, Arrived, HungUp, Keyed, Missed, Recorded, TalkEnded, TimedOut
from ivr.nodes.operator import is_answered
from ivr.nodes.ringing import must_confirm
from ivr.verbs import Ask, Await, Hold
from telephony.twilio.addresses import Step
from telephony.twilio.callbacks import is_of_another_leg
from telephony.twilio.exchange import Exchange, call_id_of, new_call
from telephony.twilio.interpreter import Interpreter
from telephony.twilio.webhook import Webhook

#: An interruption comes within this time, or its place is taken.
INTERRUPTED_S = 2

MissedReason = Literal["no_answer", "busy", "declined", "unreachable", "gone", "unconfirmed"]
#: DialCallStatus of a leg that was not put through.
MISSED: dict[str, MissedReason] = {
    "busy": "busy",
    "no-answer": "no_answer",
    "failed": "unreachable",
    "canceled": "gone",
}


class _Heard(Struct, frozen=True):
    """A turn, and whether its scene is heard already and only goes on."""

    turn: Turn
    again: bool = False


class Caller:
    """The steps of the caller's leg. They raise what `turns` raise."""

    def __init__(self, exchange: Exchange, interpreter: Interpreter) -> None:
        self._exchange, self._interpreter = exchange, interpreter
        self._turns, self._legs = exchange.core.turns, exchange.legs

    async def answer(self, step: Step, hook: Webhook) -> str:
        """The TwiML. A repetition gets the answer that was given before."""
        call_id, request = call_id_of(hook.for_sid or hook.call_sid), secrets.token_hex(6)
        begun = self._legs.begin(call_id, hook.digest, request)
        reading = self._begin(step, call_id, hook)
        if given := await begun:
            return given
        heard = await self._known(step, call_id, hook, reading)
        call = heard.turn.call
        twiml = self._interpreter.render(call, heard.turn.verbs, again=heard.again, count=hook.count)
        presents = step in ("present", "fallback")
        if await self._legs.finish(call, hook.digest, request, twiml, presents=presents):
            return twiml
        return self._interpreter.later(self._exchange.addresses.turn("present", call), INTERRUPTED_S, apologise=False)

    async def gone(self, call_id: str, hook: Webhook) -> Turn:
        """The caller hung up. A talk whose beginning nobody told us of is put down first. A leg that the call has left is
        no news."""
        turn = await self._turns.present(call_id)
        # A call that began with a leg of ours has that leg; only one that goes on with a call is a second leg.
        if is_of_another_leg(turn.call, hook.call_sid, hook.leg if hook.for_sid else ""):
            return turn
        if hook.bridged:
            await self._take(call_id, lambda facts: Answered(facts=facts), hook.scene)
        return await self._take(call_id, lambda facts: HungUp(facts=facts, seconds=hook.recorded_s))

    def _begin(self, step: Step, call_id: str, hook: Webhook) -> Reading:
        """The call's record, asked together with what is known of the webhook; made when the call arrives."""
        calls = self._exchange.core.calls
        if _arrives(step, hook):
            return calls.begin_create(new_call(self._exchange, call_id, hook.number, self._exchange.core.clock()))
        return calls.begin_read(call_id)

    async def _known(self, step: Step, call_id: str, hook: Webhook, reading: Reading) -> _Heard:
        """As `_hear`; a call that nobody knows (any more) begins anew, which is better than silence."""
        try:
            known = await reading
        except CorruptCall:
            known = None  # the turn repairs it
        try:
            return await self._hear("voice" if _arrives(step, hook) else step, call_id, hook, known)
        except UnknownCall:
            fresh = await self._begin("voice", call_id, hook)
            return await self._hear("voice", call_id, hook, fresh)

    async def _hear(self, step: Step, call_id: str, hook: Webhook, known: Saved | None) -> _Heard:
        if hook.ended or hook.hung_up:
            return _Heard(await self.gone(call_id, hook))
        match step:
            case "voice":
                leg = hook.call_sid if hook.for_sid else ""
                return _Heard(await self._take(call_id, lambda facts: Arrived(facts=facts, leg=leg), known=known))
            case "keys":
                return await self._keyed(call_id, hook, known)
            case "silence":
                return _Heard(await self._take(call_id, lambda facts: TimedOut(facts=facts), hook.scene, known=known))
            case "hold":
                return _going_on(await self._turns.present(call_id, known), hook)
            case "awaited":
                return await self._awaited(call_id, hook, known)
            case "recorded":
                return _Heard(await self._recorded(call_id, hook, known))
            case "dialled":
                return _Heard(await self._dialled(call_id, hook, known))
            case _:
                return _Heard(await self._turns.present(call_id, known))

    async def _take(
        self,
        call_id: str,
        make: MakeEvent,
        seen: int | None = None,
        at_seq: int | None = None,
        known: Saved | None = None,
    ) -> Turn:
        return await self._turns.take_turn(call_id, make, seen, at_seq, known)

    # -- keys ---------------------------------------------------------------------------------------------------------
    async def _keyed(self, call_id: str, hook: Webhook, known: Saved | None) -> _Heard:
        if not hook.keys:
            return _Heard(await self._turns.present(call_id, known))
        if hook.several:
            return _Heard(await self._keyed_number(call_id, hook, known))
        key = hook.keys[0]
        pressed = await self._take(call_id, lambda facts: Keyed(facts=facts, key=key), hook.scene, known=known)
        return _going_on(pressed, hook)

    async def _keyed_number(self, call_id: str, hook: Webhook, known: Saved | None) -> Turn:
        """Keys of a number, all at once. How many the call holds already tells which of them are new."""
        keys = [key for key in hook.keys if key.isdigit()]
        turn = await self._turns.present(call_id, known)
        while turn.call.scene == hook.scene and (done := len(turn.call.typed) - hook.typed) < len(keys):
            turn = await self._type(turn.call, keys[max(0, done)])
        if turn.call.scene != hook.scene:
            return turn
        return await self._type(turn.call, "#")

    async def _type(self, call: Call, key: str) -> Turn:
        return await self._take(call.id, lambda facts: Keyed(facts=facts, key=key), call.scene, call.seq)

    # -- what came to an end ------------------------------------------------------------------------------------------
    async def _awaited(self, call_id: str, hook: Webhook, known: Saved | None) -> _Heard:
        turn = await self._turns.present(call_id, known)
        verb = turn.verbs[-1] if turn.verbs else None
        if turn.call.scene == hook.scene and isinstance(verb, Await) and hook.count >= verb.timeout_s:
            return _Heard(await self._take(call_id, lambda facts: TimedOut(facts=facts), hook.scene))
        return _going_on(turn, hook)

    async def _recorded(self, call_id: str, hook: Webhook, known: Saved | None) -> Turn:
        ended_by: Literal["key", "unknown"] = "key" if hook.keys else "unknown"
        return await self._take(
            call_id,
            lambda facts: Recorded(facts=facts, seconds=hook.recorded_s, ended_by=ended_by),
            hook.scene,
            known=known,
        )

    async def _dialled(self, call_id: str, hook: Webhook, known: Saved | None) -> Turn:
        """The leg to the leader or the operators is over, and the caller still there."""
        turn = await self._turns.present(call_id, known)
        call = turn.call
        if call.scene != hook.scene:
            return turn
        if call.node == "talking" and hook.bridged is False:  # gone between the whisper's end and the talk
            return await self._take(call_id, lambda facts: Missed(facts=facts, reason="gone"), hook.scene)
        if call.node == "talking" or is_answered(call):
            since = call.talk_started_at
            return await self._take(
                call_id, lambda facts: TalkEnded(facts=facts, seconds=max(0.0, facts.now - since)), hook.scene
            )
        if _was_put_through(call, hook):
            seconds = max(1.0, hook.dialled_s)
            return await self._take(call_id, lambda facts: TalkEnded(facts=facts, seconds=seconds), hook.scene)
        reason = MISSED.get(hook.dial_status) or ("unconfirmed" if must_confirm(call.leader_line) else "gone")
        return await self._take(call_id, lambda facts: Missed(facts=facts, reason=reason), hook.scene)


def _arrives(step: Step, hook: Webhook) -> bool:
    """A call of which nobody may have heard yet."""
    return step == "voice" or (step == "fallback" and hook.scene < 0)


def _was_put_through(call: Call, hook: Webhook) -> bool:
    """A talk of which only the end is told. Who must press 1 and did not was never put through."""
    if hook.bridged is not None:
        return hook.bridged
    return hook.dial_status == "completed" and hook.dialled_s > 0 and not must_confirm(call.leader_line)


def _going_on(turn: Turn, hook: Webhook) -> _Heard:
    """The same scene: it is not spoken a second time."""
    verb = turn.verbs[-1] if turn.verbs else None
    return _Heard(turn, again=turn.call.scene == hook.scene and isinstance(verb, Ask | Hold | Await))
