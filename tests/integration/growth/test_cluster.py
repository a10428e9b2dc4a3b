"""Three Redis nodes: a line in one slot, several lines over several slots, changes heard from every node."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.crc import key_slot
from redis.exceptions import RedisError

from calls.enqueue import Enqueuer
from config.changes import listen
from config.clock import now
from config.redis import connect
from config.settings import Settings
from ivr.call import Call
from ivr.events import Arrived, HungUp, Keyed, Offered
from queueing.keys import line_keys
from sessions.board import Board, PostedSeat, PostedSession, post
from telephony.switchboard import Switchboard
from tests.doubles.bench import Process, process
from tests.doubles.books import Books
from tests.integration.growth.servers import NODES, SLOTS, cluster
from tests.servers import RedisServer, free_port
from tests.waiting import until

SEATS = tuple(f"seat{n}" for n in range(9))


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[RedisServer]]:
    with cluster(tmp_path_factory.mktemp("cluster")) as servers:
        yield servers


@pytest.fixture
def spread(nodes: list[RedisServer], tmp_path: Path) -> Settings:
    hosts = ",".join(f"127.0.0.1:{node.port}" for node in nodes)
    return Settings(redis_url=f"redis+cluster://{hosts}", state_dir=tmp_path, _env_file=None)


@pytest.fixture
async def grown(spread: Settings) -> AsyncIterator[Redis]:
    connection = connect(spread)
    await connection.flushall()
    yield connection
    await connection.aclose()


def node_of(key: str) -> int:
    return key_slot(key.encode()) * NODES // SLOTS


async def hold(redis: Redis, settings: Settings, ours: Process) -> None:
    seats = tuple(PostedSeat(seat_id, f"单位{n}", f"领导{n}") for n, seat_id in enumerate(SEATS))
    await post(redis, settings.redis_prefix, Board(open=PostedSession("x1", now() - 60, now() + 7200, "", seats)))
    for seat_id in SEATS:
        await ours.seats.open(seat_id, "x1", "单位", "领导", "sip:l@127.0.0.1:5070", "")
        await ours.seats.pause(seat_id, "tea")


async def wait_in_line(ours: Process, call_id: str, key: str) -> None:
    number = f"+86138{int(call_id[2:]):08d}"
    await ours.calls.create(Call(call_id, "asterisk", now(), number=number))
    await ours.turns.take_turn(call_id, lambda facts: Arrived(facts=facts))
    await ours.turns.take_turn(call_id, lambda facts: Keyed(facts=facts, key=key))


def test_all_keys_of_a_line_share_a_slot_and_nine_lines_use_every_node(spread: Settings) -> None:
    for seat_id in SEATS:
        keys = line_keys(spread.redis_prefix, seat_id)
        assert len({key_slot(getattr(keys, name).encode()) for name in keys.__struct_fields__}) == 1
    assert {node_of(line_keys(spread.redis_prefix, seat_id).waiting) for seat_id in SEATS} == set(range(NODES))


async def test_nine_leaders_are_served_from_nine_lines_in_the_order_of_joining(spread: Settings, grown: Redis) -> None:
    books = Books()
    ours = process(grown, spread, now, books)
    await hold(grown, spread, ours)
    for n in range(54):
        await wait_in_line(ours, f"a-{n}", str(n % len(SEATS) + 1))
    board = Switchboard(spread, grown, ours.line, ours.seats, ours.turns, "me")
    for place, seat_id in enumerate(SEATS):
        waiting = [row.call_id for row in await ours.line.callers(seat_id)]
        assert waiting == [f"a-{n}" for n in range(place, 54, len(SEATS))]
        await ours.seats.resume(seat_id)
        claim = await board.serve(seat_id)
        assert claim is not None
        assert claim.call_id == waiting[0]
        assert await ours.line.take(seat_id, claim.token, now())
        await ours.turns.take_turn(waiting[1], lambda facts: HungUp(facts=facts))
        assert [row.call_id for row in await ours.line.callers(seat_id)] == waiting[2:]
    await ours.outbox.idle()
    assert await ours.outbox.drain_once() == 0
    assert (await ours.outbox.lag()).lanes == 0
    assert len(await ours.calls.live()) == 54 - len(SEATS)
    assert len(books.outcomes) == len(SEATS)


async def test_changes_are_heard_whichever_node_they_come_from(spread: Settings, grown: Redis) -> None:
    ours = process(grown, spread, now, Books())
    other = connect(spread)
    heard: set[str] = set()
    ready = asyncio.Event()

    async def hear() -> None:
        async for change in listen(other, spread.redis_prefix):
            ready.set()
            if change.kind == "line":
                heard.add(change.id)

    hearing = asyncio.create_task(hear())
    await asyncio.wait_for(ready.wait(), 10)
    for seat_id in SEATS:
        await ours.seats.open(seat_id, "x1", "u", "l", "sip:l@127.0.0.1", "")
    await until(lambda: heard == set(SEATS), what=f"all nine heard, {heard}")
    hearing.cancel()
    await asyncio.gather(hearing, return_exceptions=True)
    await other.aclose()


async def test_the_job_queue_is_on_a_server_of_its_own(spread: Settings, settings: Settings, redis: Redis) -> None:
    with pytest.raises(ValueError, match="JOBS_REDIS_URL"):
        Enqueuer(spread)
    queue = Enqueuer(spread.model_copy(update={"jobs_redis_url": settings.redis_url}))
    await queue.enqueue("jobs.recordings.finish_recording", "o1")
    queue.close()
    names: Any = await redis.keys("rq:job:*")
    assert len(names) == 1


async def test_a_token_of_one_line_means_nothing_in_another(spread: Settings, grown: Redis) -> None:
    ours = process(grown, spread, now, Books())
    await hold(grown, spread, ours)
    await wait_in_line(ours, "a-1", "1")
    await ours.seats.resume(SEATS[0])
    claim = await ours.line.claim_next(SEATS[0], "me", 30)
    assert claim is not None
    assert not await ours.line.take(SEATS[1], claim.token, now())
    turn = await ours.turns.take_turn(
        "a-1", lambda facts: Offered(facts=facts, seat_id=SEATS[0], token=claim.token, line=claim.line)
    )
    assert turn.call.node == "ringing"


async def test_a_cluster_that_is_away_is_told_like_any_server(tmp_path: Path) -> None:
    away = Settings(redis_url=f"redis+cluster://127.0.0.1:{free_port()}", state_dir=tmp_path, _env_file=None)
    connection = connect(away)
    with pytest.raises(RedisError):
        await connection.get("x")
    await connection.aclose()
