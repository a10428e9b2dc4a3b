"""The job queue (RQ): jobs by name, an id as their only argument. It does not know what the jobs do."""

import asyncio

from rq import Queue
from rq.exceptions import DuplicateJobError

from config.redis import connect_for_jobs
from config.settings import Settings

#: Jobs are enqueued by name, so that whoever enqueues need not import what they do.
FINISH_RECORDING = "jobs.recordings.finish_recording"
#: A job that runs longer hangs.
TIMEOUT_S = 60
#: Kept to be looked at by a person; what must be done is done by the next sweep anyway.
FAILED_KEPT_S = 7 * 24 * 3600


def queue_name(settings: Settings) -> str:
    """One queue per instance, also when instances share a server."""
    return f"{settings.redis_prefix.strip(':') or 'hotline'}-jobs"


class JobQueue:
    """Blocking, as RQ is; `put` is for asynchronous code. Raises redis.exceptions.RedisError."""

    def __init__(self, settings: Settings) -> None:
        self.connection = connect_for_jobs(settings)
        self.queue = Queue(queue_name(settings), connection=self.connection, default_timeout=TIMEOUT_S)

    async def put(self, name: str, argument: str, attempt: int = 0) -> bool:
        """The same as `enqueue`, without holding up the event loop."""
        return await asyncio.to_thread(self.enqueue, name, argument, attempt)

    def enqueue(self, name: str, argument: str, attempt: int = 0) -> bool:
        """Have the job `name` done for the id `argument`. False when this attempt is enqueued or under way already.

        Another `attempt` is another job: the one before may have died with its worker. Jobs can stand being run twice.
        """
        job_id = f"{name.rpartition('.')[2]}-{argument}-{attempt}"
        try:
            self.queue.enqueue_call(
                name, args=(argument,), job_id=job_id, unique=True, result_ttl=0, failure_ttl=FAILED_KEPT_S
            )
        except DuplicateJobError:
            return False
        return True

    def close(self) -> None:
        self.connection.close()
