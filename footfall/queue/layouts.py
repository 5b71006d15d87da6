"""Layouts: the shard counts that requests were spread over, in the order in which they came into use.

What lies in the shards of an earlier layout was accepted before anything in those of a later one (pushing.py), so a
visitor's requests stay in order when earlier layouts are drained first.
"""

from typing import cast

from redis import Redis

from footfall.queue import keys
from footfall.queue.lanes import LANES, LIVE, Lane, lane_of
from footfall.queue.shards import layout, layout_of


def known_layouts(redis: Redis, shard_count: int, lane: Lane = LIVE) -> list[int]:
    """The shard counts whose lists may hold requests, the earliest first, the one in use last.

    Args:
        shard_count: QUEUE_SHARDS; in use in the live lane as long as nothing was ever pushed. Another lane has no
            shards before that.
    """
    with redis.pipeline(transaction=True) as pipeline:
        pipeline.smembers(keys.layouts(lane))
        pipeline.lrange(keys.layout_order(lane), 0, -1)
        members, order = cast(tuple[set[bytes], list[bytes]], pipeline.execute())
    ordered = [int(count) for count in order] or ([shard_count] if lane == LIVE else [])
    # What is registered and has no place in the order was pushed by a version that knew none.
    return [*sorted({int(count) for count in members} - set(ordered)), *ordered]


def known_shards(redis: Redis, shard_count: int, lane: Lane = LIVE) -> list[str]:
    """The names of a lane's shards that may hold requests, those of the layout in use first."""
    return [shard for count in reversed(known_layouts(redis, shard_count, lane)) for shard in layout(count, lane)]


def all_shards(redis: Redis, shard_count: int) -> list[str]:
    """The same of all lanes, the one that is drained first in front."""
    return [shard for lane in LANES for shard in known_shards(redis, shard_count, lane)]


def earlier_shards(redis: Redis, shard: str, shard_count: int) -> list[str]:
    """The shards whose requests come before those of `shard`: those of earlier layouts of its lane."""
    lane = lane_of(shard)
    counts = known_layouts(redis, shard_count, lane)
    own = layout_of(shard)
    before = counts[: counts.index(own)] if own in counts else []
    return [name for count in before for name in layout(count, lane)]
