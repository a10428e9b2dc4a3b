"""Sounds are fetched as Twilio fetches them: with GET, unsigned, and kept as long as Cache-Control allows."""

import asyncio

from tests.cloud.clock import Clock
from tests.cloud.webhooks import Answer, Webhooks


class Sounds:
    """The media cache of one cloud. A sound that many callers want at once is fetched once."""

    def __init__(self, webhooks: Webhooks, clock: Clock) -> None:
        self._webhooks = webhooks
        self._clock = clock
        self._kept: dict[str, tuple[float, Answer]] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def fetch(self, url: str) -> Answer:
        """The sound. Raises Rejected."""
        async with self._locks.setdefault(url, asyncio.Lock()):
            until, kept = self._kept.get(url, (0.0, None))
            if kept is not None and self._clock.now() < until:
                return kept
            answer = await self._webhooks.fetch(url)
            if answer.max_age_s:
                self._kept[url] = (self._clock.now() + answer.max_age_s, answer)
            return answer
