"""How much a lane of the queue may hold in Redis, and whether that much is there.

The limits lie well inside Redis's memory: leases, jobs and everything else that empties the queue need room as well. A
Redis without any could not even be drained.
"""

from dataclasses import dataclass

from redis import Redis

from footfall.queue import keys
from footfall.queue.lanes import IMPORT, LIVE, Lane
from footfall.settings import Settings

_MEMORY_SHARE = {LIVE: 0.8, IMPORT: 0.6}  # of maxmemory, used by whatever lies in this Redis
_SETTINGS = {LIVE: "QUEUE_MAX", IMPORT: "QUEUE_IMPORT_MAX"}
_ENOUGH_ROOM = 0.9  # of each limit: where a full queue counts as having room again


@dataclass(frozen=True)
class Load:
    """What lies in Redis.

    Args:
        requests: in the lane's shards.
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
    """Whether a lane has room; one process's view, which it has to renew by measuring.

    Args:
        most_requests: QUEUE_MAX_REQUESTS or QUEUE_IMPORT_MAX_REQUESTS.
        most_bytes: QUEUE_MAX_BYTES or QUEUE_IMPORT_MAX_BYTES.
    """

    def __init__(self, most_requests: int, most_bytes: int, lane: Lane = LIVE) -> None:
        self._lane = lane
        self._most_requests = most_requests
        self._most_bytes = most_bytes
        self.load: Load | None = None
        """What lay in Redis at the last look; None before the first."""
        self.full = ""
        """Why the lane has no room, as the beginning of a sentence; empty while it has."""

    @classmethod
    def of(cls, settings: Settings, lane: Lane) -> "Capacity":
        """With the limits that the settings give the lane."""
        if lane == IMPORT:
            return cls(settings.queue_import_max_requests, settings.queue_import_max_bytes, lane)
        return cls(settings.queue_max_requests, settings.queue_max_bytes, lane)

    def judge(self, load: Load) -> None:
        """Take note of what lies in Redis now."""
        self.load = load
        share, name = _ENOUGH_ROOM if self.full else 1.0, _SETTINGS[self._lane]
        what = "The queue" if self._lane == LIVE else f"The {self._lane.name} lane of the queue"
        if load.requests >= self._most_requests * share:
            self.full = f"{what} holds {load.requests} requests ({name}_REQUESTS)"
        elif load.bytes >= self._most_bytes * share:
            self.full = f"{what} takes {load.bytes} bytes in Redis ({name}_BYTES)"
        elif load.memory >= _MEMORY_SHARE[self._lane] * share:
            self.full = f"{load.memory:.0%} of Redis's memory is in use (maxmemory)"
        else:
            self.full = ""
