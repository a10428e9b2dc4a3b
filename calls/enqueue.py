"""Hands jobs to the queue (RQ) by name, with an id as their only argument. Does not know what they do."""

import asyncio
from datetime import UTC, datetime

from redis.exceptions import RedisError
from rq import Queue
from rq.exceptions import DuplicateJobError, InvalidJobOperation, NoSuchJobError
from rq.job import Job, JobStatus

from calls.job_names import SLOW
from config.redis import connect_for_jobs
from config.settings import Settings

#: A job that runs longer hangs.
TIMEOUT_S = 60
#: The same for what comes from the cloud: the largest sound there is (500 MB) at 5 Mbit/s. Everything else goes before.
SLOW_TIMEOUT_S = 900
#: A failed job is kept for a person to look at. Not for long: the sweep enqueues it anew until it succeeds.
FAILED_KEPT_S = 3600
#: A slow one for longer: nobody else may know of it, and `renew` has it done again.
SLOW_FAILED_KEPT_S = 604_800


def queue_name(settings: Settings) -> str:
    """Each instance has its own, also when instances share a server."""
    return f"{settings.redis_prefix.strip(':') or 'hotline'}-jobs"


def queue_names(settings: Settings) -> tuple[str, str]:
    """All queues of this instance: a worker takes from the second when the first is empty."""
    return queue_name(settings), f"{queue_name(settings)}-slow"


class Enqueuer:
    """The queue of this instance, from asynchronous code."""

    def __init__(self, settings: Settings) -> None:
        self._connection = connect_for_jobs(settings)
        self._quick, self._slow = (Queue(name, connection=self._connection) for name in queue_names(settings))

    async def enqueue(self, name: str, argument: str, attempt: int = 0) -> None:
        """Once per job, argument and attempt while it waits or runs. Raises redis.exceptions.RedisError.

        Another attempt is another job. One that failed, or died with its worker, is in nobody's way once its limit is over.
        Jobs can stand being run twice.
        """
        await asyncio.to_thread(self._enqueue, name, argument, attempt)

    async def renew(self) -> int:
        """Slow jobs that failed a while ago (the database was away) wait again; how many. Raises redis.exceptions.RedisError."""
        return await asyncio.to_thread(self._renew)

    def close(self) -> None:
        try:
            self._connection.close()
        except RedisError:
            return  # it was lost before

    def _enqueue(self, name: str, argument: str, attempt: int) -> None:
        job_id = f"{name.rpartition('.')[2]}-{argument}-{attempt}"
        slow = name in SLOW
        queue, limit_s = (self._slow, SLOW_TIMEOUT_S) if slow else (self._quick, TIMEOUT_S)
        for _ in range(2):
            try:
                queue.enqueue_call(
                    name, args=(argument,), job_id=job_id, unique=True, timeout=limit_s, result_ttl=0,
                    failure_ttl=SLOW_FAILED_KEPT_S if slow else FAILED_KEPT_S,
                )  # fmt: skip
                return
            except DuplicateJobError:
                if not self._clear_away(queue, job_id, limit_s):
                    return

    def _renew(self) -> int:
        renewed = 0
        for job_id in self._slow.failed_job_registry.get_job_ids():
            job = self._job(job_id)
            if job and job.func_name and self._clear_away(self._slow, job_id, SLOW_TIMEOUT_S):
                self._enqueue(job.func_name, job.args[0], int(job_id.rpartition("-")[2]))
                renewed += 1
        return renewed

    def _clear_away(self, queue: Queue, job_id: str, limit_s: float) -> bool:
        """Remove a job that nobody will do any more: it neither waits, nor began within its limit, nor failed just now. True
        when it is gone."""
        job = self._job(job_id)
        if job is None:
            return True
        failed = job.get_status(refresh=False) == JobStatus.FAILED  # refreshed, it raises for one that was done just now
        since, quiet_s = (job.ended_at, TIMEOUT_S) if failed else (job.started_at or job.enqueued_at, limit_s)
        lately = since is not None and (datetime.now(UTC) - since).total_seconds() < quiet_s
        if lately or queue.get_job_position(job_id) is not None:
            return False
        try:
            job.delete()
        except InvalidJobOperation:  # it is gone, but for what its worker wrote afterwards
            self._connection.delete(job.key)
        return True

    def _job(self, job_id: str) -> Job | None:
        try:
            return Job.fetch(job_id, connection=self._connection)
        except NoSuchJobError:
            return None
