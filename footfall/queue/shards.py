"""Shards: the Redis lists that requests are spread over, one visitor always in the same one.

A shard's name carries the number of shards (`16-03` is number 3 of 16), so that after a change of QUEUE_SHARDS the
lists of both layouts are distinct, and the older ones are drained first.
"""

from functools import cache


@cache
def layout(count: int) -> tuple[str, ...]:
    """The names of all shards when there are `count` of them."""
    return tuple(f"{count}-{number:02d}" for number in range(count))


def layout_of(shard: str) -> int:
    """How many shards there were when the shard was named.

    Raises:
        ValueError: it is not the name of a shard.
    """
    count, _, number = shard.partition("-")
    if not 0 <= int(number) < int(count):
        raise ValueError(f"{shard!r} is not the name of a shard")
    return int(count)
