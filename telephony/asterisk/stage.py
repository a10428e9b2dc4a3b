"""What one caller hears now: the scene that plays on their channel, and the way out when it breaks."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import structlog

from calls.turn import Turn
from ivr.call import Call
from ivr.events import AnyEvent, Recorded, TimedOut
from ivr.facts import Facts
from ivr.verbs import AnyVerb, Record
from telephony.asterisk import dialplan
from telephony.asterisk.channel import Channel
from telephony.asterisk.exchange import Exchange
from telephony.asterisk.interpreter import EndedBy, Interpreter
from telephony.errors import CallGone, CarrierRefused, CarrierUnavailable

log = structlog.get_logger()

MakeEvent = Callable[[Facts], AnyEvent]
#: The scene with this number came to something by itself.
OnDue = Callable[[MakeEvent, int], None]


class Stage:
    """One channel's scene. A new one replaces the old one; the same one is never played twice."""

    def __init__(self, exchange: Exchange, channel: Channel, call_id: str, on_due: OnDue) -> None:
        self._channel, self._call_id, self._on_due = channel, call_id, on_due
        self._interpreter = Interpreter(
            channel, exchange.prompts, exchange.recordings, exchange.beep, self._on_timed_out, self._on_recorded
        )
        self._playing: asyncio.Task[None] | None = None
        self._rescuing: asyncio.Task[None] | None = None
        self._scene = -1
        #: The dialplan serves this caller (fallback): we only watch.
        self.hands_off = False

    @property
    def recorded_s(self) -> float:
        """Seconds of the message in which the caller hung up."""
        return self._interpreter.recorded_s

    def is_on(self, call: Call) -> bool:
        """The call's scene is the one that plays, or has played."""
        return call.scene == self._scene

    def show(self, turn: Turn, *, at_once: bool = False) -> None:
        """Play the call's scene unless it is on already. `at_once`: do not let an older scene's sentence end first."""
        if self.is_on(turn.call) or self.hands_off:
            return
        self._scene = turn.call.scene
        self.play(turn.verbs, turn.call, at_once=at_once or turn.call.reason != "")

    def resume(self, call: Call, *, answered: bool) -> None:
        """The channel is as an earlier bridge left it; its scene counts as on."""
        self._scene = call.scene
        self._interpreter.adopt(answered=answered, music=False)

    def play(self, verbs: tuple[AnyVerb, ...], call: Call, *, at_once: bool) -> None:
        """Play these instead of what is on."""
        self._start(self._interpreter.play(verbs, call.language, at_once=at_once))

    def finish_recording(self, verb: Record) -> None:
        """Wait for the end of a recording that an earlier bridge began."""
        self._start(self._interpreter.finish_recording(verb))

    def stop(self) -> None:
        """Play nothing more. What Asterisk is playing already goes on to its end."""
        if self._playing is not None:
            self._playing.cancel()
            self._playing = None

    async def rescue(self) -> None:
        """Sorry, and then operators or a recorded message: the dialplan does it without us."""
        if self.hands_off:
            return  # it does already
        self.hands_off = True
        with suppress(CallGone, CarrierUnavailable, CarrierRefused):
            self._channel.left_agi()
            await self._channel.redirect(dialplan.FALLBACK_CONTEXT, dialplan.START_EXTEN)

    def _start(self, scene: Coroutine[Any, Any, None]) -> None:
        self.stop()
        self._playing = asyncio.create_task(scene)
        self._playing.add_done_callback(self._played)

    def _played(self, task: asyncio.Task[None]) -> None:
        """A scene that broke is the caller's silence: the same fallback as for everything that breaks."""
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, CallGone | CarrierUnavailable):
            return  # hung up; or the connection is away, and the bridge takes every call up anew
        log.error("a scene broke, the caller goes to the fallback", call_id=self._call_id, error=repr(error))
        self._rescuing = asyncio.create_task(self.rescue())

    def _on_timed_out(self) -> None:
        self._on_due(lambda facts: TimedOut(facts=facts), self._scene)

    def _on_recorded(self, seconds: float, ended_by: EndedBy) -> None:
        self._on_due(lambda facts: Recorded(facts=facts, seconds=seconds, ended_by=ended_by), self._scene)
