"""What the person at a phone does, written down beforehand, so that no test races with the clock."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Listening = Literal["", "gather", "record", "talk"]


@dataclass(frozen=True, slots=True)
class When:
    """After hearing `hears` (a part of a text or of an audio URL; empty = at once): press keys, speak, or hang up.

    Keys wait until something listens for keys, speech until something records. One step is done after the other; a step
    listens only to what is on the line after the step before was done.
    """

    hears: str
    press: str = ""
    speak_s: float = 0.0
    hang_up: bool = False
    #: Virtual seconds of hesitation.
    after_s: float = 0.0


class Script:
    """The steps that are still to be done."""

    def __init__(self, steps: Iterable[When] = ()) -> None:
        self._steps = deque(steps)
        self._mark = 0

    def reached(self, heard: list[str]) -> When | None:
        """The step whose words were heard; None when there is none."""
        if self._steps and any(self._steps[0].hears in text for text in (heard[self._mark :] or [""])):
            return self._steps[0]
        return None

    def possible(self, step: When, listening: Listening) -> bool:
        """Whether somebody listens for what the step does."""
        return listening == "record" if step.speak_s else bool(listening) or not step.press

    def done(self, heard: list[str]) -> None:
        """The first step was done."""
        self._mark = len(heard)
        self._steps.popleft()
