"""The worker processes, as RQ knows them."""

from dataclasses import dataclass
from typing import cast

from redis import Redis
from rq import SimpleWorker
from rq.worker import WorkerStatus


@dataclass(frozen=True)
class WorkerCount:
    """How many worker processes are alive, on all machines."""

    busy: int
    idle: int


def count_workers(redis: Redis) -> WorkerCount:
    """Those that have been heard of lately; two round trips.

    Raises:
        redis.RedisError: Redis cannot be reached.
    """
    with redis.pipeline(transaction=False) as pipeline:
        for name in SimpleWorker.all_keys(connection=redis):
            pipeline.hmget(name, "birth", "state")
        answers = cast(list[list[bytes | None]], pipeline.execute())
    # What is known of one that was killed expires; its name stays for a while.
    states = [state for birth, state in answers if birth is not None]
    busy = states.count(WorkerStatus.BUSY.value.encode())
    return WorkerCount(busy, len(states) - busy)
