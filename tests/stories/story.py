"""The vocabulary of a story, and what a carrier's folder must offer to have its stories played."""

from dataclasses import dataclass, field
from typing import Literal, Protocol

Value = str | int


@dataclass(frozen=True, slots=True)
class Do:
    """After the sentence `hears` of the wording (empty = at once): press keys, speak, or hang up."""

    hears: str
    values: tuple[tuple[str, Value], ...] = ()
    press: str = ""
    speak_s: float = 0.0
    hang_up: bool = False
    after_s: float = 0.0


#: How the leader's line behaves. away = the seat is paused, so that everybody waits. several = two seats: the first is paused, the
#: leader of the second takes the call.
Leader = Literal["takes", "busy", "no_answer", "away", "several", "no_session"]
#: What happens in the world when the caller waits.
Meanwhile = Literal["", "session closes", "operator releases", "announcement"]


@dataclass(frozen=True, slots=True)
class Story:
    """One call. `kinds` are the facts in the ledger, in order, without `closed`."""

    name: str
    leader: Leader
    does: tuple[Do, ...]
    outcome: str
    #: Where the order comes from; empty = there is none.
    source: str
    #: All sentences that are always the same (and the greeting), in the order in which they are heard. See `same`.
    hears: tuple[str, ...]
    kinds: tuple[str, ...]
    meanwhile: Meanwhile = ""
    number: str = "+8613812345678"
    #: Seconds (of the talk) after which the leader hangs up.
    talk_s: float = 20.0


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a story on one carrier."""

    outcome: str
    source: str
    #: Keys of the wording, in the order in which the caller heard them.
    heard: tuple[str, ...]
    kinds: tuple[str, ...]
    trouble: tuple[str, ...] = field(default=())


class Carrier(Protocol):
    """One carrier with a town around it."""

    async def play(self, story: Story) -> Told:
        """Play the story to its end, in a town of its own."""
        ...


#: Said while the seat is being claimed, or the order is made: the ringing, or its number, may come before it is heard.
_PASSING = ("waiting_free", "order_wait")


def same(story: Story, told: Told, unspoken: tuple[str, ...] = ()) -> None:
    """Fails unless the carrier told the story word for word: sentences (but those it does not speak), outcome, order, ledger."""
    spoken = tuple(key for key in story.hears if key not in (*unspoken, *_PASSING))
    assert tuple(key for key in told.heard if key not in _PASSING) == spoken, told
    assert (told.outcome, told.source, told.kinds) == (story.outcome, story.source, story.kinds), told
    assert not told.trouble
