"""Time limits and retries of a webhook, and how the URL's fragment changes them (`#rc=2&rp=all&rt=3000`).

https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
"""

from dataclasses import dataclass
from urllib.parse import parse_qsl

from tests.cloud.errors import Rejected


@dataclass(slots=True)
class Timeouts:
    """Real seconds. Twilio's own; a test may shorten them. `total` is for all attempts together."""

    connect: float = 5.0
    read: float = 15.0
    total: float = 15.0


@dataclass(frozen=True, slots=True)
class Overrides:
    """What holds for one URL."""

    retries: int
    policy: frozenset[str]
    connect: float
    read: float
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
        connect=_seconds(wishes, "ct", 10_000, timeouts.connect),
        read=_seconds(wishes, "rt", 15_000, timeouts.read),
        total=min(_seconds(wishes, "tt", 15_000, timeouts.total), timeouts.total),
    )


def _seconds(wishes: dict[str, str], name: str, most_ms: int, without: float) -> float:
    if name not in wishes:
        return without
    milliseconds = int(wishes[name])
    if not 100 <= milliseconds <= most_ms:
        raise Rejected(11100, f"{name}={milliseconds} is outside of 100 to {most_ms}")
    return milliseconds / 1000
