"""The queue as tests look at it, beside the processes that use it."""

import redis

from footfall.queue.redis.backend import RedisBackend
from footfall.settings import Settings


def queue_on(client: redis.Redis, shard_count: int = 16) -> RedisBackend:
    """The queue in the Redis of a client."""
    return RedisBackend(Settings(queue_shards=shard_count), client)
