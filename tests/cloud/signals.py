"""What can happen to a leg while it does something, and the ways in which what it does ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

EndedBy = Literal[
    "caller", "callee", "hangup", "document", "rest", "error", "reject", "time_limit", "cancelled", "not_connected"
]


@dataclass(frozen=True, slots=True)
class Source:
    """Where the next document comes from: a URL to request, or the text itself."""

    url: str
    method: str = "POST"
    params: Mapping[str, str] = field(default_factory=dict)
    twiml: str = ""
    #: Of a REST update: the fallback from now on.
    fallback: "Source | None" = None


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """A key on this leg's phone."""

    key: str


@dataclass(frozen=True, slots=True)
class Spoke:
    """The person at this phone starts to speak, for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class HungUp:
    """This leg is over."""

    by: EndedBy


@dataclass(frozen=True, slots=True)
class Redirected:
    """A REST update: whatever is under way is overtaken."""

    source: Source


Signal = KeyPressed | Spoke | HungUp | Redirected


class CallOver(Exception):
    """Ends the execution of a leg."""

    def __init__(self, by: EndedBy) -> None:
        super().__init__(by)
        self.by: EndedBy = by


class Overtaken(Exception):
    """Ends the execution of a document in favour of another one."""

    def __init__(self, source: Source) -> None:
        super().__init__(source.url)
        self.source = source
