"""The sweep: finds shards that hold requests and that nobody is going to drain."""

from redis import Redis

from footfall.queue.asking import DrainRequests
from footfall.queue.layouts import all_shards
from footfall.queue.lease import holders, release_all
from footfall.queue.state import depths


class Sweep:
    """Looks after all shards.

    Args:
        shard_count: QUEUE_SHARDS.
    """

    def __init__(self, redis: Redis, drains: DrainRequests, shard_count: int) -> None:
        self._redis = redis
        self._drains = drains
        self._shard_count = shard_count

    def run(self) -> list[str]:
        """Ask for a drain of every stranded shard; those asked for.

        Stranded is a shard with requests, without a lease, without a waiting job, and whose asked key has expired: a
        job that was lost between being taken and taking its lease leaves that key behind for some seconds.
        """
        return [shard for shard, depth in self._unattended().items() if depth and self._drains.ask(shard)]

    def bury(self, holder: str) -> list[str]:
        """Take over from a worker process that has died: release its leases, ask for what it leaves; those shards."""
        release_all(self._redis, all_shards(self._redis, self._shard_count), holder)
        left = []
        for shard, depth in self._unattended().items():
            # Its asked key may be that of the dead process' job. A job too many is turned away by the lease.
            self._drains.clear(shard)
            if depth and self._drains.ask(shard):
                left.append(shard)
        return left

    def _unattended(self) -> dict[str, int]:
        """The depth of every shard that has no lease and no waiting job."""
        waiting = self._drains.renew_waiting()
        shards = all_shards(self._redis, self._shard_count)
        leased = holders(self._redis, shards)
        return {
            shard: depth
            for shard, depth in depths(self._redis, shards).items()
            if shard not in leased and shard not in waiting
        }
