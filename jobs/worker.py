"""`hotline worker`: does RQ's jobs one after the other, what is slow last, and beside them what other processes left in the outbox.

A recording of the cloud may take a quarter of an hour: where there is a cloud phone, `--only slow` is a process of its own.
"""

import asyncio
import os
import signal
import threading
from collections.abc import Sequence
from typing import Literal

import structlog
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.worker import SimpleWorker

from calls.assembly import build
from calls.enqueue import queue_names
from config.redis import connect_for_jobs
from config.settings import Settings

log = structlog.get_logger()

#: Seconds between attempts to reach Redis; it may be restarted at any time.
LONGEST_WAIT_S = 3.0
RETRY_S = 1.0
#: What the drainer may take to finish what it has begun.
STOP_WITHIN_S = 10.0


#: Which jobs a process does; empty = all.
Only = Literal["", "quick", "slow"]


class Worker(SimpleWorker):
    """Jobs run in this process: they are short, may run twice, and a fork beside a thread is asking for trouble."""

    max_connection_wait_time = LONGEST_WAIT_S

    def __init__(self, queues: list[Queue], connection: Redis, told: threading.Event) -> None:
        super().__init__(queues, connection=connection)
        self._told = told

    def subscribe(self) -> None:
        """Nobody sends our workers commands. RQ's thread for them would look for a master that died for ever, after Sentinel has
        named another one."""

    def handle_warm_shutdown_request(self) -> None:
        """SIGTERM or Ctrl-C: `work` also returns when Redis went away at a bad moment, and this tells the two apart."""
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]
        self._told.set()


class Drainer(threading.Thread):
    """An event loop of its own that performs what dead processes left in the outbox, and wakes calls that are due."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(name="drainer", daemon=True)
        self.broke = False
        self._settings = settings
        self._ready = threading.Event()
        self._told: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self) -> None:
        try:
            asyncio.run(self._drain())
        except Exception as error:
            log.exception("the drainer broke, this worker ends", error=type(error).__name__)
            self.broke = True
            os.kill(os.getpid(), signal.SIGTERM)  # a worker without its drainer would only look alive

    def finish(self) -> None:
        """Stop, when what is under way is done. Callable from any thread."""
        if self._ready.wait(STOP_WITHIN_S) and self._loop and self._told and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._told.set)
        self.join(STOP_WITHIN_S)

    async def _drain(self) -> None:
        self._told, self._loop = asyncio.Event(), asyncio.get_running_loop()
        self._ready.set()
        core = build(self._settings)
        try:
            await asyncio.gather(core.outbox.drain(self._told), core.wakeups.run(self._told))
        finally:
            await core.close()


def run(settings: Settings, only: Only = "") -> int:
    """The process: until SIGTERM or Ctrl-C; the job under way is finished first. `only`: jobs of one kind; who does the slow ones
    alone leaves the outbox to the others."""
    drainer = Drainer(settings) if only != "slow" else None
    if drainer is not None:
        drainer.start()
    connection = connect_for_jobs(settings)
    try:
        _work(_queues(settings, only), connection)
    finally:
        if drainer is not None:
            drainer.finish()
        connection.close()
    return 1 if drainer is not None and drainer.broke else 0


def _queues(settings: Settings, only: Only) -> Sequence[str]:
    quick, slow = queue_names(settings)
    return {"": (quick, slow), "quick": (quick,), "slow": (slow,)}[only]


def _work(names: Sequence[str], connection: Redis) -> None:
    """Returns when it is told to stop. RQ's own worker ends, with an error or without, when Redis goes away at a bad moment:
    then a new one begins."""
    told = threading.Event()
    while not told.is_set():
        _on_stop(told)
        try:
            # It puts handlers of its own in place of ours, and finishes the job under way.
            queues = [Queue(name, connection=connection) for name in names]
            Worker(queues, connection, told).work(logging_level=None)
        except RedisError as error:
            log.warning("the job queue cannot be reached, trying again", error=type(error).__name__)
        if not told.is_set():
            _on_stop(told)
            told.wait(RETRY_S)


def _on_stop(told: threading.Event) -> None:
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: told.set())
