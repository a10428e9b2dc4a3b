"""What networks and forgers do to webhooks, by rule."""

import re
from dataclasses import dataclass, field
from typing import Literal

Forgery = Literal["signature", "missing", "account", "tampered"]


@dataclass(frozen=True, slots=True)
class Repeat:
    """Send the same request so many times more (same token, same signature), right after the first was answered."""

    times: int = 1


@dataclass(frozen=True, slots=True)
class Hold:
    """Callbacks only: send it after `past` further webhooks of the same call were answered, or when the call is over."""

    past: int = 1


@dataclass(frozen=True, slots=True)
class Echo:
    """A copy, long after: the same request once more (same token, same signature) when `past` further webhooks of the call
    were answered. What is said to it is not executed."""

    past: int = 1


@dataclass(frozen=True, slots=True)
class Latency:
    """Real seconds before the request is sent."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Drop:
    """Never sent: to the cloud it looks like a connection that fails. A document is then tried once more."""


@dataclass(frozen=True, slots=True)
class LoseAnswer:
    """Served, but the answer is lost on its way: a document is requested again with the same idempotency token."""


@dataclass(frozen=True, slots=True)
class Forge:
    """Before the real one, send a copy with a wrong signature, without one, signed by and for another account, or with
    the right signature of other parameters."""

    how: Forgery = "signature"


Trick = Repeat | Hold | Echo | Latency | Drop | LoseAnswer | Forge


@dataclass(slots=True)
class Rule:
    """Play a trick on webhooks whose URL matches `pattern`: on the nth of them (from 1), or on all."""

    pattern: str
    trick: Trick
    nth: int | None = None
    #: How many matched so far.
    seen: int = field(default=0, init=False)

    def matches(self, url: str) -> bool:
        """Whether this request is the one; counts it."""
        if not re.search(self.pattern, url):
            return False
        self.seen += 1
        return self.nth is None or self.seen == self.nth


class Mischief:
    """The rules of one cloud."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []

    def add(self, *rules: Rule) -> None:
        """From now on."""
        self._rules.extend(rules)

    def clear(self) -> None:
        """Behave again."""
        self._rules.clear()

    def tricks(self, url: str) -> list[Trick]:
        """What is to be played on this request."""
        return [rule.trick for rule in self._rules if rule.matches(url)]
