"""Shards: the Redis lists that requests are spread over, one visitor always in the same one.

A shard's name carries the number of shards (`16-03` is number 3 of 16), so that after a change of QUEUE_SHARDS the
lists of both layouts are distinct, and the older ones are drained first; and its lane (`import-16-03`).
"""

from functools import cache

from footfall.queue.lanes import LIVE, Lane, lane_of


@cache
def layout(count: int, lane: Lane = LIVE) -> tuple[str, ...]:
    """The names of all shards of a lane when there are `count` of them."""
    return tuple(f"{lane.prefix}{count}-{number:02d}" for number in range(count))


def layout_of(shard: str) -> int:
    """How many shards there were when the shard was named.

    Raises:
        ValueError: it is not the name of a shard.
    """
    count, _, number = shard.removeprefix(lane_of(shard).prefix).partition("-")
    if not 0 <= int(number) < int(count):
        raise ValueError(f"{shard!r} is not the name of a shard")
    return int(count)
