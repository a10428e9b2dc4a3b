"""Plays a call that we place about an order (`ivr.placed`) with words for events, in the terminal."""

from ivr.call import Language
from ivr.events import AnyEvent, Keyed, Missed, TalkEnded, TimedOut
from ivr.facts import Facts
from ivr.placed import Conversation, Purpose, advance, present
from ivr.play import NUMBER, OPENS_AT, waits_for
from ivr.wording import render

PLACED_HELP = """keys 0-9 * #      press a key               silence        nothing is pressed
end | miss        the talk with the operator ended, or none came
quit              leave, and print the test"""
UNIT = "市水务局"


class PlacedStage:
    """One conversation."""

    def __init__(self, purpose: Purpose, language: Language, *, operators: bool = False) -> None:
        self.talk = self._first = Conversation(purpose, NUMBER, UNIT, language)
        self.facts = Facts(now=OPENS_AT, operators=operators)
        self._events: list[AnyEvent] = []

    def hear(self) -> list[str]:
        """What is heard now."""
        told: list[str] = []
        for verb in present(self.talk, self.facts):
            told += [f"  > {render(prompt, self.talk.language)}" for prompt in verb.prompts]
            told.append(f"  [{waits_for(verb)}]")
        return told

    def do(self, words: str) -> list[str]:
        """One line from the keyboard. Raises ValueError when it means nothing."""
        told: list[str] = []
        for event in self._read(words.strip()):
            before, self.talk = self.talk, advance(self.talk, event)
            self._events.append(event)
            told += self.hear() if self.talk is not before else ["  (nothing changes)"]
            if self.talk.answer != before.answer:
                told.insert(0, f"  ! {self.talk.answer}")
        return told

    def _read(self, words: str) -> list[AnyEvent]:
        if words and all(key in "0123456789*#" for key in words):
            return [Keyed(facts=self.facts, key=key) for key in words]
        match words:
            case "silence":
                return [TimedOut(facts=self.facts)]
            case "end":
                return [TalkEnded(facts=self.facts, seconds=60)]
            case "miss":
                return [Missed(facts=self.facts, reason="no_answer")]
            case _:
                raise ValueError(words)

    def as_test(self) -> str:
        """This conversation as a test, to paste into tests/unit/ivr."""
        steps = "\n".join(f"        {_write(event)}," for event in self._events)
        used = ", ".join(sorted({type(event).__name__ for event in self._events})) or "Keyed"
        return f"""# ---- paste into tests/unit/ivr/test_played.py ----
from ivr.events import {used}
from ivr.facts import Facts
from ivr.placed import Conversation, advance


def test_a_played_call() -> None:
    facts = Facts(now={OPENS_AT!r}, operators={self.facts.operators!r})
    talk = {self._first!r}
    for event in [
{steps}
    ]:
        talk = advance(talk, event)
    assert (talk.stage, talk.answer) == ({self.talk.stage!r}, {self.talk.answer!r})"""


def _write(event: AnyEvent) -> str:
    rest = [f"{name}={getattr(event, name)!r}" for name in event.__struct_fields__ if name != "facts"]
    return f"{type(event).__name__}({', '.join(['facts=facts', *rest])})"
