"""Putting flushes into a lane from a command, which can wait: no spool, but back-pressure."""

import time
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType

from footfall.queue.backend import Load
from footfall.queue.capacity import Capacity
from footfall.queue.flush import Flush
from footfall.queue.lanes import Lane
from footfall.queue.stores import open_queue
from footfall.settings import Settings

_MEASURE_SECONDS = 1.0
_LOOK_SECONDS = 0.1


class Producer:
    """Pushes into one lane and asks for the drains that record it; for one thread.

    The lane is measured once a second. What this producer pushes in between is counted, so that alone it goes beyond
    the limits by one flush at most; of several at once, each does. At the end of a `with` block it is closed.

    Args:
        settings: QUEUE_SHARDS comes into use in this lane with the first push.
    """

    def __init__(self, settings: Settings, lane: Lane) -> None:
        self._lane = lane
        self._queue = open_queue(settings)
        self._pusher = self._queue.pusher(lane)
        self._capacity = Capacity.of(settings, lane)
        self._load = Load(0, 0)
        self._measured_at = float("-inf")

    def __enter__(self) -> "Producer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._queue.disconnect()

    def push(self, flush: Flush) -> None:
        """Push the flush, unless one with this or a later number of its producer was pushed; the lane may be full.

        Raises:
            QueueUnavailable: it was not taken, or was, and nobody could say so. Pushing it again does no harm.
        """
        for shard in self._pusher.push(flush):
            self._queue.drains.ask(shard)
        size = sum(map(len, flush.records))
        self._load = replace(
            self._load, requests=self._load.requests + len(flush.records), bytes=self._load.bytes + size
        )
        self._capacity.judge(self._load)

    def latest(self, producer: str) -> int:
        """The number of the last flush that was pushed under this name within 30 days; 0 when there was none.

        Raises:
            QueueUnavailable: nobody can tell.
        """
        return self._queue.latest(producer)

    def full(self) -> str:
        """Why the lane has no room, as the beginning of a sentence; empty when it has.

        Raises:
            QueueUnavailable: nobody can tell.
        """
        if self._capacity.full or time.monotonic() - self._measured_at >= _MEASURE_SECONDS:
            self._load = self._queue.load(self._lane)
            self._measured_at = time.monotonic()
            self._capacity.judge(self._load)
        return self._capacity.full

    def wait_for_room(self, waiting: Callable[[str], None] = lambda reason: None) -> None:
        """Return once the lane has room: at once, or when workers have made it.

        Args:
            waiting: told, some ten times a second, why there is none; may raise to give up.

        Raises:
            QueueUnavailable: nobody can tell.
        """
        while reason := self.full():
            waiting(reason)
            time.sleep(_LOOK_SECONDS)
