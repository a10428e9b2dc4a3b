"""The same acts on a Cluster, where a script that reaches over two slots is refused."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from config.clock import now
from config.redis import connect, connect_url
from config.settings import Settings
from ivr.call import Call
from ivr.events import Arrived, HungUp, Keyed
from sessions.board import Board, PostedSeat, PostedSession, post
from tests.doubles.bench import process
from tests.doubles.books import Books
from tests.servers import free_port, redis_server
from tests.waiting import until


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Settings]:
    """One node that holds all slots."""
    with redis_server(tmp_path / "node", "--cluster-enabled", "yes", "--cluster-port", str(free_port())) as server:
        node: Any = connect_url(server.url)
        await node.execute_command("CLUSTER ADDSLOTSRANGE 0 16383")

        async def ready() -> bool:
            return bool(dict(await node.execute_command("CLUSTER INFO"))["cluster_state"] == "ok")

        await until(ready)
        await node.aclose()
        yield Settings(redis_url=f"redis+cluster://127.0.0.1:{server.port}", _env_file=None)


async def hold_session(redis: Redis, settings: Settings) -> None:
    held = PostedSession("x1", now() - 60, now() + 7200, "社保", (PostedSeat("s1", "市人社局", "王局长"),))
    await post(redis, settings.redis_prefix, Board(open=held))


async def test_a_call_waits_is_claimed_and_leaves_on_a_cluster(cluster: Settings) -> None:
    redis, books = connect(cluster), Books()
    ours = process(redis, cluster, now, books)
    await hold_session(redis, cluster)
    await ours.seats.open("s1", "x1", "市人社局", "王局长")
    await ours.seats.pause("s1", "tea")
    for number in range(20):
        call = await ours.calls.create(Call(f"a-{number}", "asterisk", now()))
        await ours.turns.take_turn(call.id, lambda facts: Arrived(facts=facts))
        await ours.turns.take_turn(call.id, lambda facts: Keyed(facts=facts, key="1"))
    assert [row.position for row in await ours.line.callers("s1")] == list(range(1, 21))
    await ours.seats.resume("s1")
    claim = await ours.line.claim_next("s1", "me", 30)
    assert claim is not None
    assert await ours.line.return_to_head("s1", claim.token, "busy", pause=False)
    assert await ours.line.leave("s1", "a-5", "abandoned", 99)
    await ours.turns.take_turn("a-7", lambda facts: HungUp(facts=facts))
    await ours.outbox.idle()
    assert await ours.wakeups.wake_due() == 0
    assert await ours.outbox.drain_once() == 0
    assert (await ours.outbox.lag()).lanes == 0
    assert len(await ours.calls.live()) == 19
    assert await ours.line.depth("s1") == 18
    await redis.aclose()
