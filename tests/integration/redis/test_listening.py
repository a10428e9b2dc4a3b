"""A connection that only listens notices by itself that nobody is there any more."""

from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.connection import parse_url
from redis.exceptions import TimeoutError as TimedOut

from config.settings import Settings
from config.wire import Wire
from tests.waiting import until


def wire_of(settings: Settings, answer_within_s: float) -> Wire:
    options: Any = parse_url
    return Wire(options(settings.effective_redis_url), answer_within_s, connect_within_s=10.0)


async def test_in_a_silence_it_asks_whether_anybody_is_there_and_goes_on_listening(redis: Redis, settings: Settings) -> None:
    async def pings() -> int:
        stats: dict[str, Any] = await redis.info("commandstats")
        return int(stats.get("cmdstat_ping", {"calls": 0})["calls"])

    before, channel = await pings(), f"{settings.redis_prefix}said"
    messages = wire_of(settings, answer_within_s=30.0).messages(channel, idle_s=0.01)
    assert await anext(messages) == ""

    async def asked() -> bool:
        return await pings() > before + 2

    await until(asked, what="asked")
    await redis.publish(channel, "news")
    assert await anext(messages) == "news"
    await messages.aclose()  # type: ignore[attr-defined]  # a generator


async def test_a_server_that_answers_no_more_is_told_of(redis: Redis, settings: Settings) -> None:
    messages = wire_of(settings, answer_within_s=0.3).messages(f"{settings.redis_prefix}said", idle_s=0.01)
    assert await anext(messages) == ""
    await redis.client_pause(1500, all=True)
    with pytest.raises(TimedOut):
        await anext(messages)
