"""Asking for drains: which shards have, or need, an RQ job.

A drain is asked for through the key `asked:<shard>` and not through RQ's unique job ids, which stay taken for minutes
when a worker is killed. The key says that a job is waiting or running; it expires soon, and whoever sees the job alive
(the running drain, the sweep for a waiting one) renews it. A second job for the same shard is harmless: the lease
turns it away.
"""

from collections.abc import Sequence
from uuid import uuid4

from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from footfall.queue.lanes import LANES, lane_of
from footfall.queue.redis import keys
from footfall.queue.redis.connection import explaining

DRAIN_JOB = "queue_workers.jobs.drain"
_FAILURE_SECONDS = 3600


class RedisDrains:
    """The drains asked for; see Drains of footfall/queue/backend.py.

    Args:
        redis: used for the keys and for RQ.
        url: its REDIS_URL, for messages.
        drain_seconds: QUEUE_DRAIN_SECONDS, how long a job goes on.
        sweep_seconds: QUEUE_SWEEP_SECONDS, how often `renew_waiting` is called.
    """

    def __init__(self, redis: Redis, url: str, drain_seconds: int, sweep_seconds: int) -> None:
        self._redis = redis
        self.url = url
        self._queues = {name: Queue(name, connection=redis, serializer=JSONSerializer) for name in keys.JOB_QUEUES}
        self._job_seconds = drain_seconds + 120
        self._asked_seconds = max(10, 3 * sweep_seconds)

    @explaining
    def ask(self, shard: str) -> bool:
        """Ask for a drain of the shard unless one is asked for already; whether this call did."""
        if not self._redis.set(keys.asked(shard), b"1", nx=True, ex=self._asked_seconds):
            return False
        self._enqueue(shard)
        return True

    @explaining
    def ask_again(self, shard: str) -> None:
        """Queue another job behind the others, by a drain that asked stays true for and that gives up its turn."""
        self.renew(shard)
        self._enqueue(shard)

    @explaining
    def renew(self, shard: str) -> None:
        """Keep the shard asked for: its job is alive."""
        self._redis.set(keys.asked(shard), b"1", ex=self._asked_seconds)

    @explaining
    def clear(self, shard: str) -> None:
        """Nothing is asked for any more: the next push that finds the shard empty asks."""
        self._redis.delete(keys.asked(shard))

    def equals_wait(self, shard: str) -> bool:
        """Whether jobs wait that workers take before the next drain of this shard, or in turn with it."""
        return self._wait(keys.JOB_QUEUES[: keys.JOB_QUEUES.index(_queue_of(shard)) + 1])

    def betters_wait(self, shard: str) -> bool:
        """Whether jobs wait that workers take before any drain in the lane of this shard."""
        return self._wait(keys.JOB_QUEUES[: keys.JOB_QUEUES.index(_queue_of(shard))])

    def any_wait(self) -> bool:
        """Whether jobs of any kind wait for a worker."""
        return self._wait(keys.JOB_QUEUES)

    @explaining
    def _wait(self, names: Sequence[str]) -> bool:
        return any(self._queues[name].count for name in names)

    @explaining
    def waiting(self) -> set[str]:
        """The shards whose job waits for a worker."""
        queues = [self._queues[keys.drain_queue(lane)] for lane in LANES]
        return {job_id.rpartition("_")[0] for queue in queues for job_id in queue.get_job_ids()}

    def renew_waiting(self) -> set[str]:
        """Renew the asked key of every shard whose job waits; those shards."""
        waiting = self.waiting()
        for shard in waiting:
            self.renew(shard)
        return waiting

    @explaining
    def put_job(self, job: str, arguments: Sequence[str | int], seconds: int) -> None:
        """Have a worker do something else, before imports and after live requests."""
        self._queues[keys.ARCHIVE_QUEUE].enqueue_call(
            job, args=tuple(arguments), timeout=seconds, result_ttl=0, failure_ttl=_FAILURE_SECONDS
        )

    def _enqueue(self, shard: str) -> None:
        self._queues[_queue_of(shard)].enqueue_call(
            DRAIN_JOB,
            args=(shard,),
            job_id=f"{shard}_{uuid4().hex}",
            timeout=self._job_seconds,
            result_ttl=0,
            failure_ttl=_FAILURE_SECONDS,
        )


def _queue_of(shard: str) -> str:
    return keys.drain_queue(lane_of(shard))
