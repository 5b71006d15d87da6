"""The state of the queue, for people and for monitoring."""

from dataclasses import dataclass, field

import msgspec

from footfall.clock import Clock
from footfall.queue import spools
from footfall.queue.backend import Backend
from footfall.queue.lanes import IMPORT, LIVE, Lane, lane_of
from footfall.queue.layouts import all_shards
from footfall.queue.lease import holders
from footfall.queue.request import decode
from footfall.queue.spools import SpoolState


@dataclass(frozen=True)
class ShardState:
    """One shard.

    Args:
        shard: its name.
        depth: requests in it; a request leaves it after it was committed to the database.
        oldest_seconds: age of the request at the head; 0 for an empty list, and in the import lane, where requests have
            the times of their log.
        recorded: requests that ever left the list.
        holder: the worker that drains it at this moment, or None.
    """

    shard: str
    depth: int
    oldest_seconds: float
    recorded: int
    holder: str | None


@dataclass(frozen=True)
class QueueState:
    """All shards of all layouts in use.

    Args:
        shards: those of the live lane first.
        batch_size: QUEUE_BATCH_SIZE, the most that a worker has in hand of one shard.
        spools: those that hold anything, as their machines said within the last second or so.
    """

    shards: list[ShardState]
    batch_size: int
    spools: list[SpoolState] = field(default_factory=list)

    @property
    def pending(self) -> int:
        """Requests accepted and not yet in the database, those in spools and in the import lane included."""
        return self.queued + self.spooled

    @property
    def queued(self) -> int:
        """Requests in the store, of all lanes."""
        return sum(shard.depth for shard in self.shards)

    def pending_in(self, lane: Lane) -> int:
        """What of `pending` is in one lane; what lies in spools is on its way into the live one."""
        depth = sum(shard.depth for shard in self.shards if lane_of(shard.shard) == lane)
        return depth + self.spooled if lane == LIVE else depth

    @property
    def spooled(self) -> int:
        """Requests that wait on the disks of endpoints for room in the queue."""
        return sum(spool.requests for spool in self.spools)

    @property
    def in_flight(self) -> int:
        """Of these, the most that workers may have in hand at this moment."""
        return sum(min(shard.depth, self.batch_size) for shard in self.shards if shard.holder)

    @property
    def oldest_seconds(self) -> float:
        """Age of the oldest request in the live lane; 0 when there is none."""
        return max((shard.oldest_seconds for shard in self.shards), default=0.0)

    @property
    def recorded(self) -> int:
        """Requests that ever left the queue."""
        return sum(shard.recorded for shard in self.shards)


def read_state(queue: Backend, clock: Clock, batch_size: int) -> QueueState:
    """The queue as it is now.

    Args:
        batch_size: QUEUE_BATCH_SIZE.
    """
    shards = all_shards(queue)
    stands, held = queue.stands(shards), holders(queue, shards)
    now = clock.now().timestamp()
    return QueueState(
        [
            ShardState(one.shard, one.depth, _age(one.shard, one.first, now), one.trimmed, held.get(one.shard))
            for one in stands
        ],
        batch_size,
        spools.read(queue.board),
    )


def _age(shard: str, record: bytes | None, now: float) -> float:
    if record is None or lane_of(shard) == IMPORT:
        return 0.0
    try:
        return max(0.0, now - decode(record).received_at)
    except msgspec.DecodeError:
        return 0.0
