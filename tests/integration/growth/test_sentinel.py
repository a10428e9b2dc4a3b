"""The Redis master is killed in the middle of a session: Sentinel names another one, and the calls go on."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.exceptions import RedisError

from config.changes import listen
from config.clock import now
from config.redis import connect
from config.settings import Settings
from ivr.call import Call
from ivr.events import Arrived, HungUp, Keyed
from sessions.board import Board, PostedSeat, PostedSession, post
from tests.doubles.bench import process
from tests.doubles.books import Books
from tests.integration.growth.servers import FAILOVER_WITHIN_S, Watched, watched
from tests.waiting import until


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Watched]:
    with watched(tmp_path) as found:
        yield found


async def test_a_session_goes_on_when_the_master_is_killed(servers: Watched, tmp_path: Path) -> None:
    settings = Settings(redis_url=servers.url, state_dir=tmp_path, _env_file=None)
    redis, books = connect(settings), Books()
    ours = process(redis, settings, now, books)
    board = Board(open=PostedSession("x1", now() - 60, now() + 7200, "", (PostedSeat("s1", "市人社局", "王局长"),)))
    await post(redis, settings.redis_prefix, board)
    await ours.seats.open("s1", "x1", "市人社局", "王局长", "sip:l@127.0.0.1:5070", "")
    await ours.seats.pause("s1", "tea")
    for n in range(12):
        await ours.calls.create(Call(f"a-{n}", "asterisk", now()))
        await ours.turns.take_turn(f"a-{n}", lambda facts: Arrived(facts=facts))
        await ours.turns.take_turn(f"a-{n}", lambda facts: Keyed(facts=facts, key="1"))
    await ours.outbox.idle()
    heard: Counter[str] = Counter()

    async def hear() -> None:
        async for change in listen(redis, settings.redis_prefix):
            heard[change.kind] += 1

    hearing = asyncio.create_task(hear())
    await until(lambda: heard["resync"] == 1)
    before = [row.call_id for row in await ours.line.callers("s1")]
    # What the replica has not got yet would be lost: wait as the installation's guide says to (WAIT 1).
    await redis.wait(1, 5000)
    servers.master.kill()

    async def hung_up() -> bool:
        """As a carrier does: it tells again until it is heard."""
        try:
            await ours.turns.take_turn("a-5", lambda facts: HungUp(facts=facts))
        except (RedisError, OSError):
            return False
        return True

    await until(hung_up, FAILOVER_WITHIN_S)
    await ours.outbox.idle()
    assert [row.call_id for row in await ours.line.callers("s1")] == [one for one in before if one != "a-5"]
    await ours.seats.resume("s1")
    claim = await ours.line.claim_next("s1", "me", 30)
    assert claim is not None
    assert claim.call_id == before[0]
    assert await ours.line.take("s1", claim.token, now())
    await until(lambda: heard["resync"] >= 2, FAILOVER_WITHIN_S, what="the listener heard the new master")

    async def nothing_left() -> bool:
        await ours.outbox.drain_once()
        await ours.outbox.idle()
        return (await ours.outbox.lag()).lanes == 0

    await until(nothing_left, FAILOVER_WITHIN_S)
    assert books.outcomes == {"a-5": "abandoned"}
    hearing.cancel()
    await asyncio.gather(hearing, return_exceptions=True)
    await redis.aclose()
