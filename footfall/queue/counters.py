"""What endpoints and workers count. The counts lie in one Redis hash, so that they are the sum over all processes.

An accepted request is counted in the same Redis transaction that pushes it: the counter is exact. Excluded ones are
counted after their batch is recorded: a worker that is killed in between leaves some out.
"""

from collections.abc import Mapping

from redis import Redis

from footfall.queue import keys

ACCEPTED = "accepted"
IGNORED = "ignored"
_REFUSED = "refused:"
_EXCLUDED = "excluded:"


def refused(reason: str) -> str:
    """The counter of requests refused for `reason`, a word such as `idsite`."""
    return _REFUSED + reason


def count_excluded(redis: Redis, excluded: Mapping[str, int]) -> None:
    """Count requests that were left out on purpose, by reason.

    Raises:
        redis.RedisError: Redis cannot be reached.
    """
    pipeline = redis.pipeline(transaction=False)
    for reason, count in excluded.items():
        pipeline.hincrby(keys.COUNTERS, _EXCLUDED + reason, count)
    pipeline.execute()


class Counts:
    """The counters as they stand.

    Args:
        values: the Redis hash, as redis-py returns it.
    """

    def __init__(self, values: Mapping[bytes, bytes]) -> None:
        self._values = {name.decode(): int(value) for name, value in values.items()}

    @classmethod
    def read(cls, redis: Redis) -> "Counts":
        """The counters in Redis."""
        return cls(redis.hgetall(keys.COUNTERS))  # type: ignore[arg-type]

    def count(self, name: str) -> int:
        """How often `name` was counted."""
        return self._values.get(name, 0)

    def refusals(self) -> dict[str, int]:
        """Refused requests by reason."""
        return self._by_reason(_REFUSED)

    def exclusions(self) -> dict[str, int]:
        """Requests that were left out on purpose, by reason."""
        return self._by_reason(_EXCLUDED)

    def _by_reason(self, prefix: str) -> dict[str, int]:
        return {name.removeprefix(prefix): value for name, value in self._values.items() if name.startswith(prefix)}
