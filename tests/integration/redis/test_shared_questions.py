"""What several tasks ask in the same moment is sent once, and each has an answer of its own."""

import asyncio
from typing import Any, cast

from redis.asyncio import Redis

from calls.outlook import Outlook
from config.clock import now
from config.settings import Settings
from config.shared import SharedRedis, begin
from queueing.line import Line


async def _asked(redis: Redis, command: str) -> int:
    stats: dict[str, Any] = await redis.info("commandstats")
    return int(stats.get(f"cmdstat_{command}", {"calls": 0})["calls"])


async def test_one_question_for_all_who_ask_it_at_once(redis: Redis, settings: Settings) -> None:
    key = f"{settings.redis_prefix}asked"
    await redis.set(key, "before")
    before = await _asked(redis, "get")
    together = [begin(redis, "GET", key, same=True) for _ in range(5)]
    assert [await answer for answer in together] == ["before"] * 5
    assert await _asked(redis, "get") == before + 1
    await redis.set(key, "after")
    assert await begin(redis, "GET", key, same=True) == "after"


async def test_a_line_is_looked_at_once_for_all_who_ask_where_they_are(redis: Redis, settings: Settings) -> None:
    line, outlook = Line(redis, settings, now), Outlook(redis, settings, now)
    for n in range(3):
        await line.join("s1", f"a-{n}", 1.0 + n, 1)
    await outlook.look(("s1",))  # the server knows the script from now on
    before = await _asked(redis, "zcard")
    looking = [outlook.begin(("s1", "s2"), f"a-{n}") for n in range(3)]
    seen = [await look for look in looking]
    assert [positions for _, positions in seen] == [{"s1": n, "s2": 0} for n in (1, 2, 3)]
    assert [[one.depth for one in lines] for lines, _ in seen] == [[3, 0]] * 3
    assert await _asked(redis, "zcard") == before + 2  # of each line


async def test_who_gives_up_takes_the_answer_from_nobody(redis: Redis, settings: Settings) -> None:
    async def ask() -> Any:
        return await begin(redis, "GET", f"{settings.redis_prefix}nothing", same=True)

    await redis.ping()
    asking = [asyncio.create_task(ask()) for _ in range(3)]
    await asyncio.sleep(0)
    asking[0].cancel()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert answers[1:] == [None, None]


async def test_when_the_connection_is_lost_each_asks_again(redis: Redis, settings: Settings) -> None:
    key = f"{settings.redis_prefix}asked"
    await redis.set(key, "there")
    together = [begin(redis, "GET", key, same=True) for _ in range(3)]
    await cast(SharedRedis, redis).wire.close()
    assert [await answer for answer in together] == ["there"] * 3
