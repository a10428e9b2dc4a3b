"""Webhooks of the caller's own leg: each is one event for the call, answered with the TwiML of what is heard then."""

import secrets
from functools import partial
from typing import Literal

from msgspec import Struct

from calls.job_names import FETCH_RECORDING
from calls.store import UnknownCall
from calls.turn import Begun, MakeEvent, Turn
from ivr.call import Call
from ivr.events import Answered, Arrived, HungUp, Keyed, Missed, Recorded, TalkEnded, TimedOut
from ivr.nodes.operator import is_answered
from ivr.nodes.ringing import must_confirm
from ivr.verbs import Ask, Await, Hold
from telephony.twilio.addresses import Step
from telephony.twilio.callbacks import is_of_another_leg
from telephony.twilio.exchange import Exchange, call_id_of, new_call
from telephony.twilio.interpreter import Interpreter
from telephony.twilio.legs import Legs, Told
from telephony.twilio.webhook import Webhook

#: An interruption is under way: silence until it is looked again whether it has come, or has failed.
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


class _Answering:
    """The answer to one webhook, kept in one step with the turn that leads to it, where there is one."""

    def __init__(self, legs: Legs, interpreter: Interpreter, step: Step, hook: Webhook, request: str) -> None:
        self._legs, self._interpreter, self._hook, self._request = legs, interpreter, hook, request
        self._presents = step in ("present", "fallback") and not hook.waits
        self._goes_on = step == "keys"
        self._shown: tuple[Call, str, Told] | None = None

    def show(self, turn: Turn) -> Told:
        """This is what the turn will be answered with, if it is saved."""
        call, hook = turn.call, self._hook
        twiml = self._render(_going_on(turn, hook) if self._goes_on else _Heard(turn))
        told = self._legs.beside(call, hook.digest, self._request, twiml, presents=self._presents)
        self._shown = call, twiml, told
        return told

    async def finish(self, heard: _Heard) -> str | None:
        """The TwiML; None when it is not to be given, because an interruption shows the scene."""
        call = heard.turn.call
        if self._shown is not None:
            shown, twiml, told = self._shown
            if told.said >= 0 and shown == call:
                return twiml if told.said else None
        twiml = self._render(heard)
        said = await self._legs.finish(call, self._hook.digest, self._request, twiml, presents=self._presents)
        if isinstance(said, str):
            return said
        if said:
            self._legs.note_answer(call)
        return twiml if said else None

    def _render(self, heard: _Heard) -> str:
        turn = heard.turn
        return self._interpreter.render(turn.call, turn.verbs, again=heard.again, count=self._hook.count)


class Caller:
    """The steps of the caller's leg. They raise what `turns` raise."""

    def __init__(self, exchange: Exchange, interpreter: Interpreter) -> None:
        self._exchange, self._interpreter = exchange, interpreter
        self._turns, self._legs = exchange.core.turns, exchange.legs

    async def answer(self, step: Step, hook: Webhook) -> str:
        """The TwiML. A repetition gets the answer that was given before."""
        call_id = call_id_of(hook.for_sid or hook.call_sid)
        # A call that arrives and ends at once has its record first: its end is the turn.
        fresh = self._fresh(call_id, hook) if hook.arrives and not _is_over(hook) else None
        request = "" if fresh is not None else secrets.token_hex(6)
        if fresh is not None and not hook.for_sid:
            # As good as always nobody knows it; else its first turn is not saved, and the answer is looked for at the end.
            begun = self._turns.begin_new(fresh)
        else:
            asked = self._legs.begin(call_id, hook.digest, request)
            facts = self._turns.begin_facts(call_id, fresh)
            given, *record = await asked
            if given:
                return str(given)
            begun = self._turns.go_on(call_id, record, facts, fresh)
        answering = _Answering(self._legs, self._interpreter, step, hook, request)
        heard = await self._known(step, call_id, hook, begun, answering)
        if twiml := await answering.finish(heard):
            return twiml
        url = self._exchange.addresses.turn("present", heard.turn.call, waits=1)
        return self._interpreter.later(url, INTERRUPTED_S, apologise=False)

    async def gone(self, call_id: str, hook: Webhook, begun: Begun | None = None) -> Turn:
        """The caller hung up. A talk whose beginning nobody told us of is put down first. A leg that the call has left is
        no news."""
        turn = await self._turns.present(call_id, begun)
        # A call that began with a leg of ours has that leg; only one that goes on with a call is a second leg.
        if is_of_another_leg(turn.call, hook.call_sid, hook.leg if hook.for_sid else ""):
            return turn
        if hook.bridged:
            await self._take(call_id, lambda facts: Answered(facts=facts), hook.scene)
        return await self._take(call_id, lambda facts: HungUp(facts=facts, seconds=hook.recorded_s))

    def _fresh(self, call_id: str, hook: Webhook) -> Call:
        return new_call(self._exchange, call_id, hook.number, self._exchange.core.clock())

    async def _known(self, step: Step, call_id: str, hook: Webhook, begun: Begun, answering: "_Answering") -> _Heard:
        """As `_hear`; a call that nobody knows (any more) begins anew, which is better than silence."""
        try:
            return await self._hear("voice" if hook.arrives else step, call_id, hook, begun, answering)
        except UnknownCall:
            fresh = self._turns.begin(call_id, self._fresh(call_id, hook))
            return await self._hear("voice", call_id, hook, fresh, answering)

    async def _hear(self, step: Step, call_id: str, hook: Webhook, begun: Begun, answering: "_Answering") -> _Heard:
        if _is_over(hook):
            return _Heard(await self.gone(call_id, hook, begun))
        take = partial(self._turns.take_turn, call_id, begun=begun, shows=answering.show)
        match step:
            case "voice":
                leg = hook.call_sid if hook.for_sid else ""
                return _Heard(await take(lambda facts: Arrived(facts=facts, leg=leg)))
            case "keys" if hook.several:
                return _Heard(await self._keyed_number(call_id, hook, begun))
            case "keys" if hook.keys:
                return _going_on(await take(lambda facts: Keyed(facts=facts, key=hook.keys[0]), hook.scene), hook)
            case "silence":
                return _Heard(await take(lambda facts: TimedOut(facts=facts), hook.scene))
            case "hold":
                return _going_on(await self._turns.present(call_id, begun), hook)
            case "awaited":
                return await self._awaited(call_id, hook, begun)
            case "recorded":
                ended_by: Literal["key", "unknown"] = "key" if hook.keys else "unknown"
                message = partial(Recorded, seconds=hook.spoken_s, ended_by=ended_by)
                await self._clear_away(hook)
                return _Heard(await take(lambda facts: message(facts=facts), hook.scene))
            case "dialled":
                return _Heard(await self._dialled(call_id, hook, begun))
            case _:
                return _Heard(await self._turns.present(call_id, begun))

    async def _take(self, call_id: str, make: MakeEvent, seen: int | None = None, at_seq: int | None = None) -> Turn:
        return await self._turns.take_turn(call_id, make, seen, at_seq)

    # -- keys ---------------------------------------------------------------------------------------------------------
    async def _keyed_number(self, call_id: str, hook: Webhook, begun: Begun) -> Turn:
        """Keys of a number, all at once. How many the call holds already tells which of them are new."""
        keys = [key for key in hook.keys if key.isdigit()]
        turn = await self._turns.present(call_id, begun)
        while turn.call.scene == hook.scene and (done := len(turn.call.typed) - hook.typed) < len(keys):
            turn = await self._type(turn.call, keys[max(0, done)])
        if turn.call.scene != hook.scene:
            return turn
        return await self._type(turn.call, "#")

    async def _type(self, call: Call, key: str) -> Turn:
        return await self._take(call.id, lambda facts: Keyed(facts=facts, key=key), call.scene, call.seq)

    async def _clear_away(self, hook: Webhook) -> None:
        """A recording of silence belongs to no order, which would look for it at the cloud if its notice were lost."""
        if hook.recording and hook.recording_sid and not hook.spoken_s:
            await self._exchange.core.queue.enqueue(FETCH_RECORDING, f"{hook.recording_sid}-{hook.recording}")

    # -- what came to an end ------------------------------------------------------------------------------------------
    async def _awaited(self, call_id: str, hook: Webhook, begun: Begun) -> _Heard:
        turn = await self._turns.present(call_id, begun)
        verb = turn.verbs[-1] if turn.verbs else None
        if turn.call.scene == hook.scene and isinstance(verb, Await) and hook.count >= verb.timeout_s:
            return _Heard(await self._take(call_id, lambda facts: TimedOut(facts=facts), hook.scene))
        return _going_on(turn, hook)

    async def _dialled(self, call_id: str, hook: Webhook, begun: Begun) -> Turn:
        """The leg to the leader or the operators is over, and the caller still there."""
        turn = await self._turns.present(call_id, begun)
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
        after = await self._take(call_id, lambda facts: Missed(facts=facts, reason=reason), hook.scene)
        await self._keep_claim(after.call)
        return after

    async def _keep_claim(self, call: Call) -> None:
        """The leader's next line rings now: its time is not that of the line before."""
        if call.node == "ringing":
            await self._exchange.core.line.renew(call.seat_id, call.token, self._exchange.settings.claim_lease_s)


def _is_over(hook: Webhook) -> bool:
    """The caller hung up."""
    return hook.ended or hook.hung_up


def _was_put_through(call: Call, hook: Webhook) -> bool:
    """A talk of which only the end is told. Who must press 1 and did not was never put through."""
    if hook.bridged is not None:
        return hook.bridged
    return hook.dial_status == "completed" and hook.dialled_s > 0 and not must_confirm(call.leader_line)


def _going_on(turn: Turn, hook: Webhook) -> _Heard:
    """The same scene: it is not spoken a second time."""
    verb = turn.verbs[-1] if turn.verbs else None
    return _Heard(turn, again=turn.call.scene == hook.scene and isinstance(verb, Ask | Hold | Await))
