"""Replaying into the queue.

The requests of a file are pushed under a name made of its content, and numbered by their lines. Redis remembers the
number of a name's last push for 30 days, in the step that pushes. So a replay that was interrupted at any moment goes
on behind what is in the queue, each line once, whatever the pace; and a file that is in the queue is not loaded again.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol
from uuid import uuid4

import msgspec

from footfall.clock import Clock
from footfall.errors import FootfallError
from footfall.queue.flush import Flush
from footfall.queue.request import TrackingRequest, encode
from footfall.queue.visitor import parse, visitor_hash
from footfall.replaying.pace import Pace
from footfall.replaying.reading import Numbered

_FLUSH_REQUESTS = 1_000
_FLUSH_BYTES = 2 * 1024 * 1024
_FLUSH_SECONDS = 0.25


class Queue(Protocol):
    """Where requests go; see footfall/queue/producer.py."""

    def latest(self, producer: str) -> int: ...

    def push(self, flush: Flush) -> None: ...

    def wait_for_room(self, waiting: Callable[[str], None] = ...) -> None: ...


class Source(Protocol):
    """What is replayed; see reading.py."""

    @property
    def path(self) -> str: ...

    @property
    def identity(self) -> str: ...

    def requests(self, after: int = 0) -> Iterator[Numbered]: ...


class Stopped(Exception):
    """Somebody asked for the end."""


class QueueReplay:
    """Pushes requests, as they came or as if they came now.

    Args:
        as_now: give each the time at which it is pushed.
        should_stop: whether somebody asked for the end.
        waiting: told why the queue has no room, again and again.
    """

    def __init__(
        self,
        queue: Queue,
        clock: Clock,
        pace: Pace,
        should_stop: Callable[[], bool],
        waiting: Callable[[str], None],
        *,
        as_now: bool = False,
    ) -> None:
        self._queue = queue
        self._clock = clock
        self._pace = pace
        self._should_stop = should_stop
        self._waiting = waiting
        self._as_now = as_now
        self.pushed = 0
        self.before = 0
        """Lines that were in the queue before."""

    def run(self, file: Source, *, again: bool = False) -> None:
        """Push the requests of a file.

        Args:
            again: whatever was pushed of it before.

        Raises:
            Stopped: everything is in the queue that was counted as pushed.
            FootfallError: the whole file is in the queue already.
            QueueUnavailable: the same command goes on from there.
        """
        name = file.identity if not again else ""
        producer = f"replay-{name}" if name else uuid4().hex
        self.before = self._queue.latest(producer) if name else 0
        for group in self._groups(file.requests(self.before)):
            self._queue.wait_for_room(self._wait)
            self._queue.push(self._flush(producer, group))
            self.pushed += len(group)
        if self._should_stop():
            raise Stopped
        if self.before and not self.pushed:
            raise FootfallError(
                f"{file.path} is in the queue completely, or was recorded from there. --again replays it once more, "
                "and counts it twice."
            )

    def _groups(self, requests: Iterable[Numbered]) -> Iterator[list[Numbered]]:
        """The requests that are pushed together; when they are paced, those of a moment."""
        group: list[Numbered] = []
        size, begun = 0, self._clock.monotonic()
        for one in requests:
            self._pace.wait(one.request.received_at)
            if self._should_stop():
                break
            group.append(one)
            size += len(one.request.query) + len(one.request.body)
            late = not self._pace.is_free and self._clock.monotonic() - begun >= _FLUSH_SECONDS
            if late or len(group) >= _FLUSH_REQUESTS or size >= _FLUSH_BYTES:
                yield group
                group, size, begun = [], 0, self._clock.monotonic()
        if group:
            yield group

    def _flush(self, producer: str, group: list[Numbered]) -> Flush:
        now = self._clock.now().timestamp()
        requests = [one.request for one in group]
        if self._as_now:
            requests = [msgspec.structs.replace(request, received_at=now) for request in requests]
        return Flush(producer, group[-1].number, list(map(_hash, requests)), list(map(encode, requests)), now, {})

    def _wait(self, reason: str) -> None:
        self._waiting(reason)
        if self._should_stop():
            raise Stopped


def _hash(request: TrackingRequest) -> int:
    return visitor_hash({**parse(request.body), **parse(request.query)}, request)
