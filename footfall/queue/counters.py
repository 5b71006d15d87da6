"""What all processes count, in one Redis hash: the fields of footfall/metrics/declared.py.

Endpoints add what they counted with the script that pushes a flush, workers with the one that trims a batch: a request
is counted in the step that brings it into the queue, or takes it out. Archivers add theirs every few seconds.
"""

import logging
from collections.abc import Mapping

from redis import Redis, RedisError

from footfall.clock import Clock
from footfall.metrics.metric import Counts, Tally
from footfall.queue import keys

_WRITE_SECONDS = 2.0
_AWAY_SECONDS = 30.0
_log = logging.getLogger(__name__)


def read(redis: Redis) -> Counts:
    """The counts as they stand.

    Raises:
        redis.RedisError: Redis cannot be reached.
    """
    fields: Mapping[bytes, bytes] = redis.hgetall(keys.COUNTERS)  # type: ignore[assignment]
    return Counts({name.decode(): int(value) for name, value in fields.items()})


class CountWriter:
    """Adds the `tally` of a process to the common counts, now and then.

    Args:
        redis: what cannot be added, because it is away, is added later.
    """

    def __init__(self, redis: Redis, clock: Clock) -> None:
        self.tally = Tally()
        self._redis = redis
        self._clock = clock
        self._due_at = clock.monotonic() + _WRITE_SECONDS

    def write_due(self) -> None:
        """Add what was counted, unless that was done or tried a moment ago."""
        if self._clock.monotonic() >= self._due_at:
            self.write()

    def write(self) -> None:
        """Add what was counted."""
        counts = self.tally.take()
        self._due_at = self._clock.monotonic() + _WRITE_SECONDS
        if not counts:
            return
        try:
            with self._redis.pipeline(transaction=True) as pipeline:
                for name, increment in counts.items():
                    pipeline.hincrby(keys.COUNTERS, name, increment)
                pipeline.execute()
        except RedisError as error:
            _log.debug("What was counted for /metrics is kept until Redis can be reached: %s", error)
            self.tally.put_back(counts)
            self._due_at = self._clock.monotonic() + _AWAY_SECONDS
