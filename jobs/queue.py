"""The job queue (RQ): jobs by name, ids as their only arguments. It does not know what the jobs do."""

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


class Jobs:
    """Blocking, as RQ is: from asynchronous code use `asyncio.to_thread`. Raises redis.exceptions.RedisError."""

    def __init__(self, settings: Settings) -> None:
        self.connection = connect_for_jobs(settings)
        self.queue = Queue(queue_name(settings), connection=self.connection, default_timeout=TIMEOUT_S)

    def finish_recording(self, order_id: str, attempt: int = 0) -> bool:
        """Have an order's recording finished and the order dispatched. False when this attempt is enqueued already.

        Another `attempt` is another job: the one before may have died with its worker. Running both does no harm.
        """
        return self._once(FINISH_RECORDING, order_id, f"recording-{order_id}-{attempt}")

    def close(self) -> None:
        self.connection.close()

    def _once(self, name: str, argument: str, job_id: str) -> bool:
        try:
            self.queue.enqueue_call(
                name, args=(argument,), job_id=job_id, unique=True, result_ttl=0, failure_ttl=FAILED_KEPT_S
            )
        except DuplicateJobError:
            return False
        return True
