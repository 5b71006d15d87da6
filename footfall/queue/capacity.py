"""How much the queue may hold in Redis, and whether that much is there.

The limits lie well inside Redis's memory: leases, jobs and everything else that empties the queue need room as well. A
Redis without any could not even be drained.
"""

from dataclasses import dataclass

from redis import Redis

from footfall.queue import keys

_MEMORY_SHARE = 0.8  # of maxmemory, used by whatever lies in this Redis
_ENOUGH_ROOM = 0.9  # of each limit: where a full queue counts as having room again


@dataclass(frozen=True)
class Load:
    """What lies in Redis.

    Args:
        requests: in all shards.
        bytes: that they take, estimated by Redis from a sample.
        memory: the share of its maxmemory that Redis uses, for anything; 0 when it has no such limit.
    """

    requests: int
    bytes: int
    memory: float


def measure(redis: Redis, shards: list[str]) -> Load:
    """What lies in these shards, and how full Redis is."""
    with redis.pipeline(transaction=False) as pipeline:
        for shard in shards:
            pipeline.llen(keys.requests(shard))
            pipeline.memory_usage(keys.requests(shard))
        pipeline.info("memory")
        *answers, memory = pipeline.execute()
    most = int(memory.get("maxmemory") or 0)
    used = int(memory.get("used_memory") or 0)
    return Load(sum(answers[::2]), sum(size or 0 for size in answers[1::2]), used / most if most else 0.0)


class Capacity:
    """Whether the queue has room; one process's view, renewed every second by its spool keeper.

    Args:
        most_requests: QUEUE_MAX_REQUESTS.
        most_bytes: QUEUE_MAX_BYTES.
    """

    def __init__(self, most_requests: int, most_bytes: int) -> None:
        self._most_requests = most_requests
        self._most_bytes = most_bytes
        self.load: Load | None = None
        """What lay in Redis at the last look; None before the first."""
        self.full = ""
        """Why the queue has no room, as the beginning of a sentence; empty while it has."""

    def judge(self, load: Load) -> None:
        """Take note of what lies in Redis now."""
        self.load = load
        share = _ENOUGH_ROOM if self.full else 1.0
        if load.requests >= self._most_requests * share:
            self.full = f"The queue holds {load.requests} requests (QUEUE_MAX_REQUESTS)"
        elif load.bytes >= self._most_bytes * share:
            self.full = f"The queue takes {load.bytes} bytes in Redis (QUEUE_MAX_BYTES)"
        elif load.memory >= _MEMORY_SHARE * share:
            self.full = f"{load.memory:.0%} of Redis's memory is in use (maxmemory)"
        else:
            self.full = ""
