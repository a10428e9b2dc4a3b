"""Hands jobs to the queue (RQ) by name, with an id as their only argument. Does not know what they do."""

import asyncio

from redis.exceptions import RedisError
from rq import Queue
from rq.exceptions import DuplicateJobError

from config.redis import connect_for_jobs
from config.settings import Settings

#: A job that runs longer hangs.
TIMEOUT_S = 60
#: A failed job is kept for a person to look at. Not for long: the sweep enqueues it anew until it succeeds.
FAILED_KEPT_S = 3600


def queue_name(settings: Settings) -> str:
    """One queue per instance, also when instances share a server."""
    return f"{settings.redis_prefix.strip(':') or 'hotline'}-jobs"


class Enqueuer:
    """The queue of this instance, from asynchronous code."""

    def __init__(self, settings: Settings) -> None:
        self._connection = connect_for_jobs(settings)
        self._queue = Queue(queue_name(settings), connection=self._connection, default_timeout=TIMEOUT_S)

    async def enqueue(self, name: str, argument: str, attempt: int = 0) -> None:
        """Once per job, argument and attempt while it waits or runs. Raises redis.exceptions.RedisError.

        Another attempt is another job: the one before may have died with its worker. Jobs can stand being run twice.
        """
        await asyncio.to_thread(self._enqueue, name, argument, attempt)

    def close(self) -> None:
        try:
            self._connection.close()
        except RedisError:
            return  # it was lost before

    def _enqueue(self, name: str, argument: str, attempt: int) -> None:
        job_id = f"{name.rpartition('.')[2]}-{argument}-{attempt}"
        try:
            self._queue.enqueue_call(
                name, args=(argument,), job_id=job_id, unique=True, result_ttl=0, failure_ttl=FAILED_KEPT_S
            )
        except DuplicateJobError:
            return
