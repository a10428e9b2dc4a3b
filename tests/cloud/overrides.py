"""Time limits and retries of a webhook, and how the URL's fragment changes them (`#rc=2&rp=all&rt=3000`).

https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
"""

from dataclasses import dataclass
from urllib.parse import parse_qsl


@dataclass(slots=True)
class Timeouts:
    """Real seconds. Twilio's own; a test may shorten them."""

    connect: float = 5.0
    total: float = 15.0


@dataclass(frozen=True, slots=True)
class Overrides:
    """What holds for one URL."""

    retries: int
    policy: frozenset[str]
    connect: float
    total: float

    def retries_after(self, failure: str) -> bool:
        """Whether a failure (ct connection, rt reading, 4xx, 5xx) is tried again."""
        return "all" in self.policy or failure in self.policy


def read_overrides(fragment: str, timeouts: Timeouts) -> Overrides:
    """The fragment's wishes over the defaults: one retry, after connection failures only."""
    wishes = dict(parse_qsl(fragment))
    return Overrides(
        retries=min(5, int(wishes.get("rc", 1))),
        policy=frozenset(wishes.get("rp", "ct").split(",")),
        connect=float(wishes["ct"]) / 1000 if "ct" in wishes else timeouts.connect,
        total=float(wishes["rt"]) / 1000 if "rt" in wishes else timeouts.total,
    )
