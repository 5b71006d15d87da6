"""The head of a shard's list: reading a batch, and removing it once it is recorded."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import uuid4

from redis import Redis

from footfall import changes
from footfall.queue import keys
from footfall.queue.lanes import lane_of
from footfall.queue.scripts import READ_HEAD, TRIM


@dataclass(frozen=True)
class Head:
    """The first records of a shard, read in one step with what tells where they stand.

    Args:
        generation: the name of the life of the Redis data.
        trimmed: how many records were ever removed from the list: the offset of the first record.
        depth: how many records the list had.
        records: its first records, oldest first.
        change: the latest change to what people set up; see footfall/changes.py.
        begun: the offset at which each generation began in this shard, as far as it had requests before.
    """

    generation: str
    trimmed: int
    depth: int
    records: list[bytes]
    change: bytes | None
    begun: Mapping[str, int]


def read(redis: Redis, shard: str, limit: int, byte_limit: int) -> Head:
    """The first records of the shard; they stay in the list.

    Args:
        limit: the most records.
        byte_limit: the most bytes that they have together; a first record comes whatever its size.
    """
    script, lane = redis.register_script(READ_HEAD), lane_of(shard)
    names = [
        *(keys.requests(shard), keys.trimmed(shard), keys.begun(shard)),
        *(keys.generation(lane), keys.first_generation(lane), changes.KEY),
    ]
    while True:
        generation, first, trimmed, depth, change, begun, records = script(keys=names, args=[limit, byte_limit])
        if generation:
            offsets = {name.decode(): int(offset) for name, offset in zip(begun[::2], begun[1::2], strict=True)}
            if first:
                offsets.setdefault(first.decode(), 0)
            return Head(generation.decode(), int(trimmed or 0), depth, records, change, offsets)
        name = uuid4().hex
        if redis.set(keys.generation(lane), name, nx=True):
            redis.set(keys.first_generation(lane), name)


def trim(
    redis: Redis, shard: str, generation: str, trimmed: int, count: int, counts: Mapping[str, int] | None = None
) -> bool:
    """Remove `count` records from the head, only if nothing was removed since `trimmed` was read.

    Args:
        counts: what became of them, by field (footfall/metrics/declared.py); counted if they are removed.

    Returns:
        Whether it did. Otherwise another drain removed them already, or Redis was emptied.
    """
    arguments: list[str | int] = [generation, trimmed, count]
    for name, increment in (counts or {}).items():
        arguments += (name, increment)
    names = [keys.requests(shard), keys.trimmed(shard), keys.generation(lane_of(shard)), keys.COUNTERS]
    return bool(redis.register_script(TRIM)(keys=names, args=arguments))


def forget_generations(redis: Redis, shard: str, generations: set[str]) -> None:
    """Forget where these generations began: whoever records from the shard has taken them into account."""
    if generations:
        redis.hdel(keys.begun(shard), *generations)
