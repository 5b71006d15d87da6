"""Failures: requests that became dead letters because recording them failed, not because they ask for the impossible.

A few are the requests' fault. Many mean that something is wrong with the program, its database or the format of the
records; then draining stops, and the requests stay in the queue until somebody has looked. Requests that are rejected
by the rules (an unknown site, a missing token) do not count: anybody can send these.
"""

from typing import cast

from redis import Redis

from footfall.errors import FootfallError
from footfall.queue import keys

_SECONDS = 3600


class DrainingStopped(FootfallError):
    """Too many requests could not be recorded lately: nothing is drained until somebody has looked."""


def note(redis: Redis, count: int, limit: int) -> None:
    """Count failures, before they become dead letters.

    Args:
        limit: DEAD_LETTER_LIMIT; 0 for none.

    Raises:
        DrainingStopped: with these there are more than the limit within an hour. They must stay in the queue.
        redis.RedisError: Redis cannot be reached.
    """
    if not count or not limit:
        return
    with redis.pipeline(transaction=True) as pipeline:
        pipeline.set(keys.FAILURES, 0, nx=True, ex=_SECONDS)
        pipeline.incrby(keys.FAILURES, count)
        _, total = pipeline.execute()
    if total > limit:
        raise DrainingStopped(explanation(limit))


def stopped(redis: Redis, limit: int) -> bool:
    """Whether draining has stopped."""
    return bool(limit) and int(cast(bytes | None, redis.get(keys.FAILURES)) or 0) > limit


def resume(redis: Redis) -> None:
    """Begin to count anew: draining goes on."""
    redis.delete(keys.FAILURES)


def explanation(limit: int) -> str:
    """What has happened and what to do, for logs and people."""
    return (
        f"Draining has stopped: more than {limit} requests within an hour failed to be recorded (DEAD_LETTER_LIMIT). "
        "All others wait in the queue. `queue_workers dead list --failed` shows why; once the cause is removed, "
        "`queue_workers dead resume` goes on, and `queue_workers dead replay --failed` records them."
    )
