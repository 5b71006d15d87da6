"""Pushing tracking request records into the queue, many at a time: into its store, or into the spool.

One flush is under way at any moment; what gathers meanwhile goes with the next one (measured: twice the throughput of
a push per request, and no waiting for a timer when there is little traffic). A flush is taken as a whole or not at all,
so every request waiting for it gets the same answer.

A flush that the store does not take goes to the spool; so does every later one, of every process of this machine, until
the spool is empty again. That keeps the requests in order. Only when the spool cannot take a flush either is it offered
to the store out of turn, and only when both have failed is it refused.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol
from uuid import uuid4

from footfall.clock import Clock
from footfall.errors import QueueUnavailable
from footfall.queue.capacity import Capacity
from footfall.queue.flush import Flush
from footfall.queue.memory import Memory
from footfall.queue.spool import Spool, SpoolUnavailable, SpoolUncertain

_log = logging.getLogger(__name__)
_FLUSH_REQUESTS = 5_000
_FLUSH_BYTES = 4 * 1024 * 1024
_RECORD_OVERHEAD = 100  # bytes that a waiting record takes beside its own, about

Records = Sequence[tuple[int, bytes]]


@dataclass(frozen=True)
class _Waiting:
    """Records that somebody waits for to be taken."""

    records: Records
    size: int
    taken: "asyncio.Future[None]"


class AsyncLanePusher(Protocol):
    """Pushes flushes into the live lane from an event loop; as LanePusher of backend.py."""

    async def push(self, flush: Flush) -> list[str]:
        """Push the flush; the shards that were empty before.

        Raises:
            QueueUnavailable: it was not taken, or was, and nobody could say so.
        """


class Pusher:
    """Pushes for one event loop.

    Args:
        queue: only this object uses it.
        spool: takes what the store cannot.
        capacity: tells whether the queue has room.
        memory: what all that waits may take in this process.
        found_empty: called after a push with the shards whose lists were empty before it; must return at once.
    """

    def __init__(
        self,
        queue: AsyncLanePusher,
        spool: Spool,
        capacity: Capacity,
        memory: Memory,
        clock: Clock,
        found_empty: Callable[[list[str]], None],
    ) -> None:
        self._queue = queue
        self._spool = spool
        self._capacity = capacity
        self._memory = memory
        self._clock = clock
        self._found_empty = found_empty
        self._producer = uuid4().hex
        self._sequence = 0
        self._waiting: deque[_Waiting] = deque()
        self._counts: Counter[str] = Counter()
        self._flushing: asyncio.Task[None] | None = None
        self._disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spool")

    def count(self, field: str) -> None:
        """Count something (footfall/metrics/declared.py); it reaches the queue with the next flush."""
        self._counts[field] += 1
        self._start()

    async def push(self, records: Records) -> None:
        """Push records; returns once the store or the spool has taken all of them.

        Args:
            records: hash of the visitor, and record, of each.

        Raises:
            QueueUnavailable: neither took them. When the connection to the store broke in between, or the disk failed,
                they may have come into the queue all the same.
            Overloaded: too much waits already.
        """
        size = sum(len(record) for _, record in records) + _RECORD_OVERHEAD * len(records)
        self._memory.take(size)
        taken = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(records, size, taken))
        self._start()
        await taken

    async def finish(self) -> None:
        """Wait until all that gathered has been taken or refused."""
        while self._flushing is not None:
            await asyncio.wait([self._flushing])

    def _start(self) -> None:
        if self._flushing is None:
            self._flushing = asyncio.get_running_loop().create_task(self._flush_all())

    async def _flush_all(self) -> None:
        try:
            while self._waiting or self._counts:
                waiting = self._gather()
                if not waiting and self._spool.holds():
                    return  # counts alone: a flush must not overtake those in the spool
                counts, self._counts = self._counts, Counter()
                error: QueueUnavailable | None = None
                try:
                    await self._take(self._new_flush(waiting, counts))
                except QueueUnavailable as unavailable:
                    error = unavailable
                except Exception as unexpected:
                    _log.exception("A push failed in an unexpected way")
                    error = QueueUnavailable(f"The queue cannot take requests: {unexpected}")
                self._answer(waiting, error)
                if error is not None:
                    self._counts.update(counts)
                    if not self._waiting:
                        return  # the counts wait for the next request, not for the store in a busy loop
        finally:
            self._flushing = None

    def _gather(self) -> list[_Waiting]:
        """The next to be flushed together, oldest first."""
        gathered, requests, size = [], 0, 0
        while self._waiting and requests < _FLUSH_REQUESTS and size < _FLUSH_BYTES:
            next_one = self._waiting.popleft()
            gathered.append(next_one)
            requests += len(next_one.records)
            size += next_one.size
        return gathered

    def _answer(self, waiting: list[_Waiting], error: QueueUnavailable | None) -> None:
        for one in waiting:
            self._memory.give(one.size)
            if one.taken.done():
                continue  # the client has gone
            if error is None:
                one.taken.set_result(None)
            else:
                one.taken.set_exception(error)

    def _new_flush(self, waiting: list[_Waiting], counts: Counter[str]) -> Flush:
        hashes, records = [], []
        for one in waiting:
            for visitor, record in one.records:
                hashes.append(visitor)
                records.append(record)
        self._sequence += 1
        return Flush(self._producer, self._sequence, hashes, records, self._clock.now().timestamp(), counts)

    async def _take(self, flush: Flush) -> None:
        """Have the flush taken.

        Raises:
            QueueUnavailable: nobody takes it.
        """
        if flush.records and (self._spool.holds() or self._capacity.full):
            try:
                await self._to_spool(flush)
                return
            except SpoolUncertain:
                raise
            except SpoolUnavailable as unavailable:
                if self._capacity.full:
                    raise QueueUnavailable(f"{self._capacity.full}. {unavailable}") from unavailable
            # Under a new name: pushed under the old one, it would make those of ours in the spool look pushed as well.
            self._producer, self._sequence = uuid4().hex, 1
            flush = Flush(self._producer, 1, flush.hashes, flush.records, flush.flushed_at, flush.counts)
        try:
            if empty := await self._queue.push(flush):
                self._found_empty(empty)
        except QueueUnavailable as error:
            if not flush.records:
                raise
            try:
                await self._to_spool(flush)
            except SpoolUnavailable as unavailable:
                raise QueueUnavailable(f"{error} {unavailable}") from error

    async def _to_spool(self, flush: Flush) -> None:
        await asyncio.get_running_loop().run_in_executor(self._disk, self._spool.append, flush)
