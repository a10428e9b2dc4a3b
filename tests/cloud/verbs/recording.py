"""Record: what the caller says, until a key, silence, the longest time or the receiver ends it."""

from tests.cloud.clock import Clock
from tests.cloud.document import Node
from tests.cloud.execution import Execution
from tests.cloud.recordings import Recording, subscription
from tests.cloud.signals import CallOver, KeyPressed, Overtaken, Signal, Source, Spoke

ANY_KEY = "1234567890*#"


class Voice:
    """Whether and until when the caller speaks, and which key ended the recording. `trimmed`: silence at its end is cut off."""

    def __init__(self, clock: Clock, finish: str, trimmed: bool) -> None:
        self.key = ""
        self.spoke = False
        #: When silence or the longest time ended it, however late that was noticed.
        self.ended: float | None = None
        self.trimmed = trimmed
        self.started = self.silent_from = clock.now()
        self._clock = clock
        self._finish = finish

    def take(self, signal: Signal) -> bool:
        """Speech or a finishing key; other keys are only heard."""
        match signal:
            case Spoke(seconds):
                self.spoke = True
                self.silent_from = self._clock.now() + seconds
                return True
            case KeyPressed(key) if key in self._finish:
                self.key = key
                return True
            case _:
                return False

    def is_nothing(self, run: Execution) -> bool:
        """No sound at all. Silence that is not to be trimmed is a recording."""
        return not self.spoke and (self.trimmed or run.cloud.recordings.silence_is_nothing)

    @property
    def seconds(self) -> float:
        """How long the recording is."""
        end = self._clock.now() if self.ended is None else self.ended
        return (min(end, self.silent_from) if self.trimmed else end) - self.started


async def record(run: Execution, node: Node) -> Source | None:
    """https://www.twilio.com/docs/voice/twiml/record. Nothing recorded: no request, the next verb."""
    if node.flag("playBeep", True):
        run.leg.hear("beep", "")
    trimmed = node.attributes.get("trim", "trim-silence") == "trim-silence"
    voice = Voice(run.cloud.clock, node.attributes.get("finishOnKey", ANY_KEY), trimmed)
    run.leg.listen("record")
    try:
        await _listen(run, node, voice)
    except (CallOver, Overtaken) as interruption:
        if not voice.is_nothing(run):
            made = _keep(run, node, voice)
            if isinstance(interruption, CallOver) and interruption.by in ("caller", "callee"):
                run.leg.become("completed")
                await run.request_in_vain(run.next_source(node, _params(run, made) | {"Digits": "hangup"}))
        raise
    finally:
        run.leg.listen("")
    if voice.is_nothing(run):
        empty = Recording(run.leg.sid, "RecordVerb", 1, 0, voice.started)
        run.cloud.recordings.miss(empty, subscription(node, run.resolve))
        return None
    made = _keep(run, node, voice)
    return run.next_source(node, _params(run, made) | ({"Digits": voice.key} if voice.key else {}))


async def _listen(run: Execution, node: Node, voice: Voice) -> None:
    longest = node.integer("maxLength", 3600)
    patience = node.integer("timeout", 5)
    end = voice.started + longest
    while not voice.key and (left := min(end, voice.silent_from + patience) - run.cloud.clock.now()) > 0:
        await run.leg.wait(left, on=voice.take)
    voice.ended = None if voice.key else min(end, voice.silent_from + patience)


def _keep(run: Execution, node: Node, voice: Voice) -> Recording:
    kept = Recording(run.leg.sid, "RecordVerb", 1, voice.seconds, voice.started)
    run.cloud.recordings.keep(kept, subscription(node, run.resolve))
    return kept


def _params(run: Execution, made: Recording) -> dict[str, str]:
    """Only what is documented: the recording's SID is not."""
    return {
        "RecordingUrl": run.cloud.recordings.url(made.sid),
        "RecordingDuration": str(made.duration),
    }
