"""Layouts: the shard counts that requests were spread over, in the order in which they came into use.

What lies in the shards of an earlier layout was accepted before anything in those of a later one, so a visitor's
requests stay in order when earlier layouts are drained first.

Requests are spread by the layout that the store says is in use, not by each process's own QUEUE_SHARDS. Otherwise,
while a changed setting reaches one process after the other, a visitor's requests would go to shards of both layouts in
turn, and nobody could tell which came first.
"""

import time

from footfall.queue.backend import Backend
from footfall.queue.flush import Flush
from footfall.queue.lanes import LANES, LIVE, Lane, lane_of
from footfall.queue.shards import layout, layout_of

_ACTIVATE_AGAIN_SECONDS = 1.0


def known_shards(queue: Backend, lane: Lane = LIVE) -> list[str]:
    """The names of a lane's shards that may hold requests, those of the layout in use first."""
    return [shard for count in reversed(queue.layouts(lane)) for shard in layout(count, lane)]


def all_shards(queue: Backend) -> list[str]:
    """The same of all lanes, the one that is drained first in front."""
    return [shard for lane in LANES for shard in known_shards(queue, lane)]


def earlier_shards(queue: Backend, shard: str) -> list[str]:
    """The shards whose requests come before those of `shard`: those of earlier layouts of its lane."""
    lane = lane_of(shard)
    counts = queue.layouts(lane)
    own = layout_of(shard)
    before = counts[: counts.index(own)] if own in counts else []
    return [name for count in before for name in layout(count, lane)]


class LayoutChoice:
    """Which layout a pusher tries next: it learns from each answer which one is in use.

    Args:
        wanted: QUEUE_SHARDS.
        follow: never bring that into use.
    """

    def __init__(self, wanted: int, *, follow: bool) -> None:
        self._wanted = wanted
        self._in_use = wanted
        # A process brings its setting into use once; afterwards it follows, also one that was started later.
        self._settled = follow
        self._activate_at = 0.0

    def next(self) -> tuple[int, bool]:
        """The number of shards to spread requests over, and whether it may be brought into use."""
        activate = not self._settled and time.monotonic() >= self._activate_at
        return (self._wanted if activate else self._in_use), activate

    def refused(self, count: int, in_use: int) -> None:
        """The requests were not taken: another layout is in use."""
        self._in_use = in_use
        if count == self._wanted:
            self._activate_at = time.monotonic() + _ACTIVATE_AGAIN_SECONDS

    def pushed(self, count: int) -> None:
        """The requests were taken in this layout."""
        self._in_use = count
        if count == self._wanted:
            self._settled = True


def spread(flush: Flush, count: int, lane: Lane) -> dict[str, list[bytes]]:
    """The records of a flush by shard, when there are `count` shards."""
    names = layout(count, lane)
    gathered: dict[str, list[bytes]] = {}
    for visitor, record in zip(flush.hashes, flush.records, strict=True):
        shard = names[visitor % count]
        if shard in gathered:
            gathered[shard].append(record)
        else:
            gathered[shard] = [record]
    return gathered
