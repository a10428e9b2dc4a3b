"""One leg of a call as its person lives it: what they hear, and what a test can do in their place."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal

from tests.cloud.clock import Clock, Wait
from tests.cloud.script import Listening, Script, When
from tests.cloud.signals import CallOver, EndedBy, HungUp, KeyPressed, Overtaken, Redirected, Signal, Spoke
from tests.cloud.watch import Watch

Status = Literal[
    "queued", "initiated", "ringing", "in-progress", "completed", "busy", "no-answer", "failed", "canceled"
]
Kind = Literal["say", "play", "pause", "key", "lost_key", "beep", "record", "ring", "silence", "bridged", "error"]
FINAL_STATES: tuple[Status, ...] = ("completed", "busy", "no-answer", "failed", "canceled")


@dataclass(frozen=True, slots=True)
class Heard:
    """One thing on the line: a text, a sound's URL, a key. `at` in virtual Unix seconds."""

    kind: Kind
    text: str
    at: float


@dataclass(frozen=True, slots=True)
class Parties:
    """Who talks with whom, as the webhooks say it."""

    from_: str
    to: str
    direction: Literal["inbound", "outbound-api", "outbound-dial"]
    parent: "Leg | None" = None
    forwarded_from: str = ""
    caller_name: str = ""


class Leg:
    """A call in Twilio's sense: one SID. Everything public is for tests; the engine uses the same names."""

    def __init__(self, sid: str, parties: Parties, clock: Clock, script: Script, watch: Watch) -> None:
        self.sid = sid
        self.parties = parties
        self.status: Status = "queued"
        self.ended_by: EndedBy | None = None
        self.answered_by = ""
        self.created_at = clock.now()
        self.answered_at: float | None = None
        self.ended_at: float | None = None
        self.dialed: list[Leg] = []
        self.listening: Listening = ""
        self._clock = clock
        self._script = script
        self._watch = watch
        self._heard: list[Heard] = []
        self._signals: asyncio.Queue[Signal] = asyncio.Queue()
        self._step: When | None = None
        self._ripe = False

    # -- for tests ----------------------------------------------------------------------------------------------------
    @property
    def transcript(self) -> tuple[Heard, ...]:
        """Everything that was on the line, in order."""
        return tuple(self._heard)

    @property
    def texts(self) -> list[str]:
        """What was spoken or played, in order."""
        return [heard.text for heard in self._heard if heard.kind in ("say", "play")]

    @property
    def over(self) -> bool:
        """Whether the call has ended."""
        return self.status in FINAL_STATES

    async def heard(self, text: str, timeout_s: float = 10.0) -> None:
        """Wait until `text` is on the line. TimeoutError after so many real seconds."""
        await self._watch.until(lambda: any(text in t for t in self.texts), timeout_s, f"{self} never heard {text!r}")

    async def until(self, status: Status, timeout_s: float = 10.0) -> None:
        """Wait for a status. TimeoutError after so many real seconds."""
        await self._watch.until(lambda: self.status == status, timeout_s, f"{self} never became {status}")

    async def ended(self, timeout_s: float = 10.0) -> None:
        """Wait for the end. TimeoutError after so many real seconds."""
        await self._watch.until(lambda: self.over, timeout_s, f"{self} never ended")

    async def press(self, keys: str, timeout_s: float = 10.0) -> None:
        """Press keys as soon as something listens for them."""
        await self._watch.until(lambda: bool(self.listening) or self.over, timeout_s, f"{self} could not press {keys}")
        self.press_now(keys)

    def press_now(self, keys: str) -> None:
        """Press keys now; they are lost when nothing listens."""
        for key in keys:
            self._signals.put_nowait(KeyPressed(key))

    async def speak(self, seconds: float, timeout_s: float = 10.0) -> None:
        """Speak into the recording, as soon as there is one."""
        await self._watch.until(lambda: self.listening == "record", timeout_s, f"{self} was never recorded")
        self._signals.put_nowait(Spoke(seconds))

    def hang_up(self) -> None:
        """Put the receiver down."""
        self.interrupt(HungUp("callee" if self.parties.direction == "outbound-dial" else "caller"))

    def __repr__(self) -> str:
        last = self._heard[-1].text if self._heard else ""
        return f"<Leg {self.sid[:6]} {self.status} by={self.ended_by} listening={self.listening!r} last={last!r}>"

    # -- for the engine -----------------------------------------------------------------------------------------------
    def interrupt(self, signal: Signal) -> None:
        """Something happens to this leg."""
        self._signals.put_nowait(signal)

    def hear(self, kind: Kind, text: str) -> None:
        """Something is on the line now."""
        self._heard.append(Heard(kind, text, self._clock.now()))
        self._watch.changed()
        self._follow_script()

    def listen(self, listening: Listening) -> None:
        """From now on keys or speech are listened for, or no longer."""
        self.listening = listening
        self._watch.changed()
        self._follow_script()

    def become(self, status: Status) -> None:
        """A new status, with its time."""
        self.status = status
        if status == "in-progress":
            self.answered_at = self._clock.now()
        if self.over:
            self.ended_at = self._clock.now()
            self.listening = ""
        self._watch.changed()

    @property
    def duration(self) -> int:
        """Virtual seconds since the answer, as in CallDuration."""
        if self.answered_at is None:
            return 0
        return round((self.ended_at or self._clock.now()) - self.answered_at)

    async def wait(
        self,
        seconds: float | None,
        tasks: Collection["asyncio.Future[Any]"] = (),
        on: Callable[[Signal], bool] | None = None,
    ) -> None:
        """Let time pass until one of `tasks` is done, `on` is satisfied by a key or speech, or `seconds` are over.

        Raises CallOver and Overtaken. Keys that nobody wants are lost, and noted as such.
        """
        if seconds is None:
            await self._wait(None, tasks, on)
            return
        with self._clock.awaited(self._clock.now() + seconds) as wait:
            await self._wait(wait, tasks, on)

    async def _wait(
        self, wait: Wait | None, tasks: Collection["asyncio.Future[Any]"], on: Callable[[Signal], bool] | None
    ) -> None:
        while True:
            signal = await self._next_signal(wait, tasks)
            if signal is not None:
                if self._takes(signal, on):
                    return
            elif wait is None or wait.left() <= 0 or any(task.done() for task in tasks):
                return

    async def _next_signal(self, wait: Wait | None, tasks: Collection["asyncio.Future[Any]"]) -> Signal | None:
        """A key, speech or an end; None when one of the tasks is done, or when the time went by, which the wait is told."""
        if self._signals.empty():
            left = None if wait is None else wait.left()
            if (left is not None and left <= 0) or any(task.done() for task in tasks):
                return None
            getter = asyncio.ensure_future(self._signals.get())
            try:
                await asyncio.wait({getter, *tasks}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            finally:
                done = getter.done()
                getter.cancel()
            if done and not getter.cancelled():
                return getter.result()
            if wait is not None and not any(task.done() for task in tasks):
                wait.over()
            return None
        return self._signals.get_nowait()

    def _takes(self, signal: Signal, on: Callable[[Signal], bool] | None) -> bool:
        match signal:
            case HungUp(by):
                raise CallOver(by)
            case Redirected(source):
                raise Overtaken(source)
            case KeyPressed(key):
                self.hear("key" if on is not None else "lost_key", key)
            case Spoke():
                pass
        return on is not None and on(signal)

    def _follow_script(self) -> None:
        step = self._script.reached(self.texts)
        if step is None or self.over:
            return
        if step is not self._step:
            self._step, self._ripe = step, step.after_s <= 0
            if not self._ripe:
                self._clock.later(step.after_s, self._ripen)
        if self._ripe and self._script.possible(step, self.listening):
            self._script.done(self.texts)
            self._act(step)
            self._follow_script()

    def _ripen(self) -> None:
        self._ripe = True
        self._follow_script()

    def _act(self, step: When) -> None:
        self.press_now(step.press)
        if step.speak_s:
            self._signals.put_nowait(Spoke(step.speak_s))
        if step.hang_up:
            self.hang_up()
