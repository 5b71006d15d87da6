"""Gathering what /metrics shows, cheaply, whoever of the servers is away.

The queue is asked each time, for a few round trips. The database is asked in a thread of its own, at most every ten
seconds, and waited for a second: a server that is slow or frozen holds nothing else up.
"""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import mysql.connector

from footfall.archiving.backlog import Backlog, read_backlog
from footfall.archiving.invalidations import InvalidationStatus
from footfall.clock import Clock
from footfall.database import Database
from footfall.errors import FootfallError, QueueUnavailable
from footfall.metrics import declared
from footfall.queue import counters, failures
from footfall.queue.capacity import Capacity
from footfall.queue.dead_letters import DeadLetters
from footfall.queue.spool import Spool
from footfall.queue.stores import open_queue
from footfall.settings import Settings
from tracker_api.metrics import Snapshot, render
from tracker_api.queue_report import read_queue

_log = logging.getLogger(__name__)
_KEPT_SECONDS = 10.0
_WAIT_SECONDS = 1.0


@dataclass(frozen=True)
class DatabaseFigures:
    """What only the database knows."""

    backlog: Backlog
    dead_letters: int


class DatabaseReader:
    """Reads the figures for one event loop, and keeps them for a while."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._clock = clock
        self._database = Database(settings)
        self._dead_letters = DeadLetters(self._database, clock)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="figures")
        self._reading: asyncio.Future[None] | None = None
        self._kept: tuple[float, DatabaseFigures] | None = None

    async def latest(self) -> DatabaseFigures | None:
        """The figures, some seconds old at most; None when the database cannot tell at present."""
        if (figures := self._fresh()) is not None:
            return figures
        if self._reading is None or self._reading.done():
            self._reading = asyncio.get_running_loop().run_in_executor(self._thread, self._read)
        await asyncio.wait([self._reading], timeout=_WAIT_SECONDS)
        return self._fresh()

    def _fresh(self) -> DatabaseFigures | None:
        if self._kept is None or self._clock.monotonic() - self._kept[0] >= _KEPT_SECONDS:
            return None
        return self._kept[1]

    def _read(self) -> None:
        try:
            figures = DatabaseFigures(read_backlog(self._database, self._clock), self._dead_letters.count())
        except (mysql.connector.Error, FootfallError) as error:
            _log.warning("The database's share of the metrics is missing: %s", error)
            return
        self._kept = self._clock.monotonic(), figures


class Scraper:
    """Gathers the metrics.

    Args:
        spool: that of this machine.
        capacity: whether the queue has room, as this process sees it.
    """

    def __init__(self, settings: Settings, clock: Clock, spool: Spool, capacity: Capacity) -> None:
        self._settings = settings
        self._clock = clock
        self._spool = spool
        self._capacity = capacity
        self._queue = open_queue(settings, answer_seconds=settings.queue_push_seconds)
        self._figures = DatabaseReader(settings, clock)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="scrape")

    async def text(self) -> bytes:
        """All metrics that are known at present."""
        figures = await self._figures.latest()
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._render, figures)

    def _render(self, figures: DatabaseFigures | None) -> bytes:
        snapshot = Snapshot()
        try:
            self._add_queue(snapshot)
        except QueueUnavailable as error:
            _log.warning("The queue's share of the metrics is missing: %s", error)
        snapshot.set(declared.REDIS_UP, snapshot.counts is not None)
        snapshot.set(declared.DATABASE_UP, figures is not None)
        self._add_spool(snapshot)
        if figures is not None:
            _add_figures(snapshot, figures)
        return render(snapshot)

    def _add_queue(self, snapshot: Snapshot) -> None:
        state = read_queue(self._queue, self._clock, self._settings, self._spool)
        for shard in state.shards:
            snapshot.set(declared.QUEUE_DEPTH, shard.depth, shard.shard)
            snapshot.set(declared.QUEUE_OLDEST, shard.oldest_seconds, shard.shard)
        snapshot.set(declared.DRAINED, state.recorded)
        snapshot.set(declared.QUEUE_IN_FLIGHT, state.in_flight)
        snapshot.set(declared.SPOOLED, state.spooled)
        snapshot.set(declared.QUEUE_FULL, bool(self._capacity.full))
        if (load := self._capacity.load) is not None:
            snapshot.set(declared.QUEUE_BYTES, load.bytes)
            snapshot.set(declared.REDIS_MEMORY, load.memory)
        workers = self._queue.workers()
        busy = sum(worker.state == "busy" for worker in workers)
        snapshot.set(declared.WORKERS, busy, "busy")
        snapshot.set(declared.WORKERS, len(workers) - busy, "idle")
        stopped = failures.stopped(self._queue.board, self._settings.dead_letter_limit)
        snapshot.set(declared.DRAINING_STOPPED, stopped)
        snapshot.counts = counters.read(self._queue.board)

    def _add_spool(self, snapshot: Snapshot) -> None:
        usage, now = self._spool.usage(), self._clock.now().timestamp()
        snapshot.set(declared.SPOOL_REQUESTS, usage.requests)
        snapshot.set(declared.SPOOL_BYTES, usage.bytes)
        snapshot.set(declared.SPOOL_OLDEST, 0.0 if usage.oldest_at is None else max(0.0, now - usage.oldest_at))
        snapshot.set(declared.SPOOL_READY, not self._spool.obstacle())


def _add_figures(snapshot: Snapshot, figures: DatabaseFigures) -> None:
    backlog = figures.backlog
    snapshot.set(declared.DEAD_LETTERS, figures.dead_letters)
    snapshot.set(declared.ARCHIVING_DUE, backlog.touched_days)
    snapshot.set(declared.ARCHIVING_DUE_OLDEST, backlog.touched_oldest)
    if backlog.last_run is not None:
        snapshot.set(declared.ARCHIVER_LAST_RUN, backlog.last_run.timestamp())
    for kind, seconds in backlog.oldest.items():
        snapshot.set(declared.INVALIDATION_OLDEST, seconds, kind.label)
        for status in InvalidationStatus:
            count = backlog.waiting.get((kind, status), 0)
            snapshot.set(declared.INVALIDATIONS, count, kind.label, status.name.lower())
