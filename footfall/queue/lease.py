"""The lease on a shard: one worker at a time drains it, and a late one cannot write."""

import time
from collections.abc import Callable
from typing import cast

from redis import Redis
from redis.client import Pipeline

from footfall.queue import keys
from footfall.queue.atomic import atomically

_RENEW_SECONDS = 3.0


class LeaseLost(Exception):
    """The lease is no longer ours: another worker may be draining the shard."""


class Lease:
    """A held lease.

    Args:
        fence: the fencing number; larger than that of every earlier lease of the shard in this life of Redis.
    """

    def __init__(self, redis: Redis, shard: str, holder: str, fence: int, seconds: float) -> None:
        self._redis = redis
        self.shard = shard
        self.fence = fence
        self._value = _value(holder, fence)
        self._milliseconds = int(seconds * 1000)
        self._renew_after = min(seconds / 3, _RENEW_SECONDS)
        self._renewed_at = time.monotonic()

    @classmethod
    def acquire(cls, redis: Redis, shard: str, holder: str, seconds: float) -> "Lease | None":
        """Take the lease; None when another holds it.

        Args:
            holder: a name for the process, so that who looks after it can release what it held when it died.
            seconds: how long it holds without being renewed.
        """

        def take(pipeline: Pipeline) -> int | None:
            if pipeline.exists(keys.lease(shard)):
                return None
            fence = int(pipeline.get(keys.fence(shard)) or 0) + 1
            pipeline.multi()
            pipeline.set(keys.fence(shard), fence)
            pipeline.set(keys.lease(shard), _value(holder, fence), px=int(seconds * 1000))
            return fence

        fence = atomically(redis, take, keys.lease(shard), keys.fence(shard))
        return None if fence is None else cls(redis, shard, holder, fence, seconds)

    def keep(self) -> bool:
        """Renew the lease when some of its time is over; whether it was time to.

        Raises:
            LeaseLost: it expired or was taken away meanwhile.
        """
        if time.monotonic() - self._renewed_at < self._renew_after:
            return False
        if not self._if_held(lambda pipeline: pipeline.pexpire(keys.lease(self.shard), self._milliseconds)):
            raise LeaseLost(f"The lease on shard {self.shard} was lost")
        self._renewed_at = time.monotonic()
        return True

    def release(self) -> None:
        """Give the lease back; nothing happens when it is no longer ours."""
        self._if_held(lambda pipeline: pipeline.delete(keys.lease(self.shard)))

    def _if_held(self, act: Callable[[Pipeline], object]) -> bool:
        def check(pipeline: Pipeline) -> bool:
            held = pipeline.get(keys.lease(self.shard)) == self._value
            pipeline.multi()
            if held:
                act(pipeline)
            return held

        return atomically(self._redis, check, keys.lease(self.shard))


def release_all(redis: Redis, shards: list[str], holder: str) -> list[str]:
    """Release the leases that a dead holder left behind; the shards they were on.

    A holder that is not dead after all is kept from writing by its fencing number.
    """
    left = [(shard, value) for shard, value in _leases(redis, shards).items() if _holder(value) == holder]
    for shard, value in left:
        Lease(redis, shard, holder, _fence(value), 1).release()
    return [shard for shard, _ in left]


def holders(redis: Redis, shards: list[str]) -> dict[str, str]:
    """Who holds the lease of each shard that is leased at this moment."""
    return {shard: _holder(value) for shard, value in _leases(redis, shards).items()}


def _leases(redis: Redis, shards: list[str]) -> dict[str, bytes]:
    if not shards:
        return {}
    values = cast(list[bytes | None], redis.mget([keys.lease(shard) for shard in shards]))
    return {shard: value for shard, value in zip(shards, values, strict=True) if value}


def _value(holder: str, fence: int) -> bytes:
    return f"{fence} {holder}".encode()


def _holder(value: bytes) -> str:
    return value.decode().partition(" ")[2]


def _fence(value: bytes) -> int:
    return int(value.partition(b" ")[0])
