"""What the endpoints count. The counts lie in one Redis hash, so that they are the sum over all API processes.

An accepted request is counted in the same Redis transaction that pushes it: the counter is exact.
"""

from collections.abc import Mapping

from redis import Redis

from footfall.queue import keys

ACCEPTED = "accepted"
IGNORED = "ignored"
_REFUSED = "refused:"


def refused(reason: str) -> str:
    """The counter of requests refused for `reason`, a word such as `idsite`."""
    return _REFUSED + reason


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
        return {name.removeprefix(_REFUSED): value for name, value in self._values.items() if name.startswith(_REFUSED)}
