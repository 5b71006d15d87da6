"""Layouts: the shard counts that requests were spread over, in the order in which they came into use.

What lies in the shards of an earlier layout was accepted before anything in those of a later one (pushing.py), so a
visitor's requests stay in order when earlier layouts are drained first.
"""

from typing import cast

from redis import Redis

from footfall.queue import keys
from footfall.queue.shards import layout, layout_of


def known_layouts(redis: Redis, shard_count: int) -> list[int]:
    """The shard counts whose lists may hold requests, the earliest first, the one in use last.

    Args:
        shard_count: QUEUE_SHARDS; in use as long as nothing was ever pushed.
    """
    with redis.pipeline(transaction=True) as pipeline:
        pipeline.smembers(keys.LAYOUTS)
        pipeline.lrange(keys.LAYOUT_ORDER, 0, -1)
        members, order = cast(tuple[set[bytes], list[bytes]], pipeline.execute())
    ordered = [int(count) for count in order] or [shard_count]
    # What is registered and has no place in the order was pushed by a version that knew none.
    return [*sorted({int(count) for count in members} - set(ordered)), *ordered]


def known_shards(redis: Redis, shard_count: int) -> list[str]:
    """The names of all shards that may hold requests, those of the layout in use first."""
    return [shard for count in reversed(known_layouts(redis, shard_count)) for shard in layout(count)]


def earlier_shards(redis: Redis, shard: str, shard_count: int) -> list[str]:
    """The shards whose requests come before those of `shard`."""
    counts = known_layouts(redis, shard_count)
    own = layout_of(shard)
    before = counts[: counts.index(own)] if own in counts else []
    return [name for count in before for name in layout(count)]
