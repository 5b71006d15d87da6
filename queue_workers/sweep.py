"""The sweep: finds shards that hold requests and that nobody is going to drain."""

from footfall.queue.backend import Backend
from footfall.queue.layouts import all_shards
from footfall.queue.lease import holders, release_all


class Sweep:
    """Looks after all shards."""

    def __init__(self, queue: Backend) -> None:
        self._queue = queue
        self._drains = queue.drains

    def run(self) -> list[str]:
        """Ask for a drain of every stranded shard; those asked for.

        Stranded is a shard with requests, without a lease, without a waiting job, and whose asked key has expired: a
        job that was lost between being taken and taking its lease leaves that key behind for some seconds.
        """
        return [shard for shard, depth in self._unattended().items() if depth and self._drains.ask(shard)]

    def bury(self, holder: str) -> list[str]:
        """Take over from a worker process that has died: release its leases, ask for what it leaves; those shards."""
        release_all(self._queue, all_shards(self._queue), holder)
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
        shards = all_shards(self._queue)
        leased = holders(self._queue, shards)
        return {
            shard: depth
            for shard, depth in self._queue.depths(shards).items()
            if shard not in leased and shard not in waiting
        }
