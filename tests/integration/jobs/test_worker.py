"""Workers as real processes: they do their jobs once, also when they are killed in the middle of one."""

import asyncio
import os
import threading
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from rq import Queue
from rq.job import JobStatus
from rq.utils import now as rq_now
from rq.utils import utcformat
from sqlalchemy import text

from calls.assembly import Core
from calls.enqueue import SLOW_TIMEOUT_S, TIMEOUT_S, queue_names
from calls.job_names import FETCH_RECORDING, FINISH_RECORDING, SWEEP_RECORDINGS
from cli.parts import own_parts
from config.redis import connect_for_jobs
from config.settings import Settings
from ivr.call import Call
from ivr.events import Arrived, HungUp, Keyed
from ivr.flow import advance
from jobs.cron import CLOUD_EVERY_S, SWEEP_AFTER_S, SWEEP_EVERY_S, Cron
from jobs.worker import Worker
from telephony.twilio.connection import LARGEST_RECORDING
from tests.clocks import SetClock
from tests.parts import Part, start_part
from tests.waiting import until
from workorders import register
from workorders.intake import NewOrder, make_order

Start = Callable[..., Part]


@pytest.fixture
def clock() -> SetClock:
    """Near the real time: the workers have the machine's own clock."""
    return SetClock(time.time())


@pytest.fixture
def start_worker(settings: Settings) -> Iterator[Start]:
    """Starts `hotline worker`; whatever is still there at the end is killed."""
    started: list[Part] = []
    env = os.environ | {"HOTLINE_REDIS_URL": settings.redis_url, "HOTLINE_STATE_DIR": str(settings.state_dir)}

    def start(*arguments: str, **more: str) -> Part:
        started.append(start_part("worker", *arguments, environment=env | more, folder=settings.state_dir))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def write_message(path: Path) -> None:
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, 8000, 0, "NONE", ""))
        out.writeframes(b"\x10\x00" * 16000)


async def order_with_message(core: Core) -> str:
    new = NewOrder(command_id="c", call_id="a-1", at=core.clock(), source="declined", recording="m1", unit="市水务局")
    return (await make_order(core.database, new)).id


async def is_dispatched(core: Core, order_id: str) -> bool:
    return (await register.get(core.database, order_id)).status == "dispatched"


async def all_done(core: Core) -> bool:
    return not [key async for key in core.redis.scan_iter("rq:job:*")]


async def test_a_worker_finishes_a_recording_and_ends_in_peace(core: Core, start_worker: Start) -> None:
    order_id = await order_with_message(core)
    write_message(core.settings.recordings / "m1.wav")
    await core.queue.enqueue(SWEEP_RECORDINGS, "all")  # waits in the queue of what is slow, and is done as well
    await core.queue.enqueue(FINISH_RECORDING, order_id)
    worker = start_worker()
    await until(lambda: is_dispatched(core, order_id), 30, "the order dispatched")
    await until(lambda: all_done(core), 30, "all jobs done")
    worker.terminate()
    assert await until(lambda: worker.poll() is not None, 15, "the worker gone")
    assert worker.poll() == 0


async def test_a_worker_killed_in_the_middle_of_a_job_does_it_once_after_its_restart(
    core: Core, start_worker: Start, clock: SetClock
) -> None:
    order_id = await order_with_message(core)
    path = core.settings.recordings / "m1.wav"
    os.mkfifo(path)  # whoever reads it hangs: the worker stands in the middle of its job
    await core.queue.enqueue(FINISH_RECORDING, order_id)
    worker = start_worker()
    reading = await until(lambda: _writer_of(path), 30, "the job under way")
    worker.kill()
    worker.wait()
    os.close(reading)
    path.unlink()
    write_message(path)
    assert not await is_dispatched(core, order_id)

    start_worker()
    cron = Cron(core)
    clock.pass_by(SWEEP_AFTER_S + SWEEP_EVERY_S)
    assert await cron.sweep() == 1
    await until(lambda: is_dispatched(core, order_id), 30, "the order dispatched")
    async with core.database.read() as session:
        assert await session.scalar(text("SELECT count(*) FROM inbox")) == 1
    assert (await register.get(core.database, order_id)).recordings[0].duration_s == 2.0


async def test_a_worker_does_what_a_dead_process_left_in_the_outbox(core: Core, start_worker: Start) -> None:
    call = await core.calls.create(Call(id="a-9", carrier="asterisk", started_at=core.clock()))
    before = await core.calls.get(call.id)
    assert before is not None
    facts = await core.facts.read(before)
    after = before
    for event in (Arrived(facts=facts), Keyed(facts=facts, key="1"), HungUp(facts=facts)):
        changed, wanted = advance(after, event)
        if changed is not after:
            assert await core.calls.put_if_unchanged(after.seq, changed, wanted)  # saved, and then this process "dies"
            after = changed
    assert after.node == "ended"
    start_worker()

    async def is_closed() -> bool:
        return await core.ledger.outcome("a-9") is not None

    await until(is_closed, 30, "the call closed in the ledger")


async def test_what_comes_from_the_cloud_is_asked_for_once_has_time_and_everything_else_goes_before(
    core: Core, clock: SetClock
) -> None:
    connection = connect_for_jobs(core.settings)
    quick, slow = (Queue(name, connection=connection) for name in queue_names(core.settings))
    cron = Cron(replace(core, settings=core.settings.model_copy(update={"twilio_account_sid": "AC" + "1" * 32})))
    for _ in range(3):
        await cron.sweep_cloud()
        await core.queue.enqueue(FETCH_RECORDING, "RE1-t-CA1-m0")
        clock.pass_by(CLOUD_EVERY_S)
    await core.queue.enqueue(FINISH_RECORDING, "1")
    sweep, fetch = slow.jobs
    assert (sweep.func_name, fetch.func_name) == (SWEEP_RECORDINGS, FETCH_RECORDING)
    assert (fetch.timeout or 0) > LARGEST_RECORDING * 8 / 5e6, "the largest, at 5 Mbit/s"
    worker = Worker([quick, slow], connection, threading.Event())
    taken = [worker.dequeue_job_and_maintain_ttl(timeout=None) for _ in range(2)]
    assert [job.func_name for job, _ in filter(None, taken)] == [FINISH_RECORDING, SWEEP_RECORDINGS]
    # The worker dies with the sweep: once it cannot be under way any more, there is another.
    await cron.sweep_cloud()
    assert slow.job_ids == [fetch.id]
    connection.hset(sweep.key, "enqueued_at", utcformat(sweep.created_at - timedelta(seconds=SLOW_TIMEOUT_S)))
    await cron.sweep_cloud()
    assert slow.job_ids == [fetch.id, sweep.id]
    # The fetch fails, because the database is away: nobody else may know of that recording. It is done again, not at once.
    slow.remove(fetch)
    fetch.set_status(JobStatus.FAILED)
    slow.failed_job_registry.add(fetch, ttl=3600)
    connection.hset(fetch.key, "ended_at", utcformat(rq_now()))
    assert await core.queue.renew() == 0
    connection.hset(fetch.key, "ended_at", utcformat(rq_now() - timedelta(seconds=TIMEOUT_S)))
    assert await core.queue.renew() == 1
    assert slow.job_ids == [sweep.id, fetch.id]
    assert await core.queue.renew() == 0
    # Done between two looks at it, and what its worker wrote afterwards stays behind.
    connection.hdel(sweep.key, "status")
    slow.remove(sweep)
    await cron.sweep_cloud()
    connection.hset(sweep.key, "enqueued_at", utcformat(sweep.created_at - timedelta(seconds=SLOW_TIMEOUT_S)))
    await cron.sweep_cloud()
    assert slow.job_ids == [fetch.id, sweep.id]
    connection.close()


async def test_while_a_recording_is_fetched_for_long_orders_are_dispatched_all_the_same(
    core: Core, start_worker: Start
) -> None:
    """As `hotline up` and the containers have it where there is a cloud phone. The cloud sends, and sends."""
    fetching, gone = asyncio.Event(), asyncio.Event()

    async def send_for_ever(_: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        to.write(b"HTTP/1.1 200 OK\r\nContent-Type: audio/x-wav\r\nContent-Length: 500000000\r\n\r\n")
        with suppress(ConnectionError):
            while not to.is_closing():
                to.write(b"RIFF")
                await to.drain()
                fetching.set()
                await asyncio.sleep(0.2)
        to.close()
        gone.set()

    async with await asyncio.start_server(send_for_ever, "127.0.0.1", 0) as cloud:
        host, port = cloud.sockets[0].getsockname()
        there = {"HOTLINE_TWILIO_ACCOUNT_SID": "AC" + "1" * 32, "HOTLINE_TWILIO_AUTH_TOKEN": "x"}
        parts = own_parts(core.settings.model_copy(update={"twilio_account_sid": there["HOTLINE_TWILIO_ACCOUNT_SID"]}))
        mine = [part.argv[part.argv.index("worker") + 1 :] for part in parts if "worker" in part.argv]
        assert len(mine) == 2
        await core.queue.enqueue(FETCH_RECORDING, f"RE{'1' * 32}-t-CA{'1' * 32}-m0")
        workers = [start_worker(*only, HOTLINE_TWILIO_API_URL=f"http://{host}:{port}", **there) for only in mine]
        await until(fetching.is_set, 30, "the recording being fetched")
        order_id = await order_with_message(core)
        write_message(core.settings.recordings / "m1.wav")
        await core.queue.enqueue(FINISH_RECORDING, order_id)
        await until(lambda: is_dispatched(core, order_id), 30, "the order dispatched")
        for worker in workers:
            worker.kill()
            worker.wait()
        await until(gone.is_set, 30, "nobody fetching any more")


async def test_two_workers_at_once_dispatch_an_order_once(core: Core, start_worker: Start) -> None:
    order_id = await order_with_message(core)
    write_message(core.settings.recordings / "m1.wav")
    for attempt in range(6):
        await core.queue.enqueue(FINISH_RECORDING, order_id, attempt)
    start_worker()
    start_worker()
    await until(lambda: is_dispatched(core, order_id), 30, "the order dispatched")
    async with core.database.read() as session:
        assert await session.scalar(text("SELECT count(*) FROM inbox")) == 1


def _writer_of(fifo: Path) -> int:
    """A handle, as soon as somebody reads the pipe; 0 before."""
    try:
        return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return 0
