"""The RQ worker that drains shards."""

import logging
import os
from contextlib import suppress
from types import FrameType

import redis
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from footfall.queue.redis import keys
from footfall.queue.redis.connection import connect, explain
from footfall.settings import Settings
from queue_workers import jobs
from queue_workers.tools import holder_name

_TTL_SECONDS = 60


class DrainWorker(SimpleWorker):
    """Runs jobs in its own process, whose caches they share, and ends the job in hand early when told to stop."""

    max_connection_wait_time = 2.0

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """SIGTERM: stop after the batch in hand."""
        jobs.stopping.set()
        super().request_stop(signum, frame)

    def set_shutdown_requested_date(self) -> None:
        """Runs in the signal handler, in the middle of a job: an error of Redis must not surface there."""
        with suppress(redis.RedisError):
            super().set_shutdown_requested_date()


def work(settings: Settings) -> None:
    """Run jobs until SIGTERM; the body of a worker process.

    Raises:
        QueueUnavailable: Redis cannot be reached or refuses us.
    """
    for name in ("rq.worker", "rq.job"):
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        worker = DrainWorker(
            list(keys.JOB_QUEUES),
            name=holder_name(os.getpid()),
            connection=connect(settings.redis_url),
            serializer=JSONSerializer,
            worker_ttl=_TTL_SECONDS,
            log_job_description=False,
        )
        worker.work(logging_level="WARNING")
    except redis.RedisError as error:
        raise explain(error, settings.redis_url) from error
