"""How somebody who is called behaves."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from tests.cloud.script import When

Outcome = Literal["answer", "busy", "no-answer", "failed"]
#: What machine detection takes an answer for. A machine listens and presses nothing; `unknown` says nothing at first.
Heard = Literal["human", "machine", "fax", "unknown"]


class Line(Protocol):
    """A real telephone line on which the cloud rings one address, for one call."""

    async def ring(self, address: str, username: str, password: str) -> Outcome:
        """Until somebody answers, or refuses. May be cancelled."""

    async def over(self) -> None:
        """Until who answered hangs up."""

    async def hang_up(self) -> None:
        """Ends it, whatever it does. Called at the end of every call."""


@dataclass(frozen=True, slots=True)
class Callee:
    """One person or machine at a number, SIP URI or client identity."""

    outcome: Outcome = "answer"
    #: Virtual seconds of ringing before the answer, the busy tone or the failure.
    answer_after_s: float = 2.0
    #: Who answers, as far as machine detection can tell.
    answered_by: Heard = "human"
    #: What they do while they listen to TwiML (a whisper, an outbound call).
    script: Sequence[When] = ()
    #: Virtual seconds after which they hang up a talk; None = never by themselves.
    talk_s: float | None = None
    #: They hang up when the whisper is over, before they hear the caller.
    too_soon: bool = False
    #: Somebody real is there: the line says who answers and who hangs up, and nothing above does.
    line: Callable[[], Line] | None = None


Callees = dict[str, Callee | tuple[Callee, ...]]


#: Key of whoever answers at every address that is not named.
ANYWHERE = "*"


class Directory:
    """Who answers where. Several callees at one address answer one call each, the last one all that follow."""

    def __init__(self, callees: Mapping[str, Callee | tuple[Callee, ...]]) -> None:
        self._callees = callees
        self._taken: dict[str, int] = {}

    def take(self, address: str) -> Callee | None:
        """The callee of the next call to `address`; None when nobody is there."""
        entry = self._callees.get(address, self._callees.get(ANYWHERE))
        if entry is None or isinstance(entry, Callee):
            return entry
        turn = self._taken.get(address, 0)
        self._taken[address] = turn + 1
        return entry[min(turn, len(entry) - 1)]
