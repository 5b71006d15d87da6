"""Check-then-act in Redis: what was read is still true when the changes are made."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from redis import Redis
from redis.client import Pipeline

T = TypeVar("T")


def atomically(redis: Redis, work: Callable[[Pipeline], T], *watched: str) -> T:
    """Run `work`, again when one of the watched keys changed before its changes were made.

    Args:
        work: reads with the pipeline, calls its `multi()`, then queues the changes; what it returns is returned.
    """
    return cast(T, redis.transaction(cast(Any, work), *watched, value_from_callable=True))
