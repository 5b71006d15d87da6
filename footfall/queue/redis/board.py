"""The values that all processes share, as Redis keys."""

from collections.abc import Mapping, Sequence
from typing import cast

from redis import Redis

from footfall import changes
from footfall.queue.redis import keys
from footfall.queue.redis.connection import explaining


class RedisBoard:
    """See Board of footfall/queue/backend.py.

    Args:
        url: the REDIS_URL of the client, for messages.
    """

    def __init__(self, redis: Redis, url: str) -> None:
        self._redis = redis
        self.url = url

    @explaining
    def change(self) -> bytes | None:
        """The name of the latest change."""
        return cast(bytes | None, self._redis.get(keys.value(changes.NAME)))

    @explaining
    def set_change(self, name: str) -> None:
        """Announce a change."""
        self._redis.set(keys.value(changes.NAME), name)

    @explaining
    def get(self, names: Sequence[str]) -> list[bytes | None]:
        """The values of these names."""
        return cast(list[bytes | None], self._redis.mget([keys.value(name) for name in names])) if names else []

    @explaining
    def put(self, name: str, value: bytes, seconds: int, *, only_new: bool = False) -> bool:
        """Set a value that vanishes after so many seconds."""
        return bool(self._redis.set(keys.value(name), value, ex=seconds, nx=only_new))

    @explaining
    def delete(self, name: str) -> None:
        """Remove a value."""
        self._redis.delete(keys.value(name))

    @explaining
    def add(self, name: str, amount: int, seconds: int) -> int:
        """Add to a number that vanishes so many seconds after it was begun."""
        with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.set(keys.value(name), 0, nx=True, ex=seconds)
            pipeline.incrby(keys.value(name), amount)
            return int(pipeline.execute()[1])

    @explaining
    def fields(self, name: str) -> dict[str, bytes]:
        """The fields of a table of values."""
        found = cast(dict[bytes, bytes], self._redis.hgetall(keys.value(name)))
        return {field.decode(): value for field, value in found.items()}

    @explaining
    def put_field(self, name: str, field: str, value: bytes | None) -> None:
        """Set a field, or remove it."""
        if value is None:
            self._redis.hdel(keys.value(name), field)
        else:
            self._redis.hset(keys.value(name), field, value)

    @explaining
    def counts(self) -> dict[str, int]:
        """What all processes counted."""
        found = cast(dict[bytes, bytes], self._redis.hgetall(keys.COUNTERS))
        return {name.decode(): int(value) for name, value in found.items()}

    @explaining
    def count(self, increments: Mapping[str, int]) -> None:
        """Add to these counts."""
        with self._redis.pipeline(transaction=True) as pipeline:
            for name, increment in increments.items():
                pipeline.hincrby(keys.COUNTERS, name, increment)
            pipeline.execute()
