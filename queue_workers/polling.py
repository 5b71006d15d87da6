"""A worker that looks for work itself, where there is no RQ: the queue in files or in MySQL tables."""

import logging
import os
import signal
import time
from contextlib import suppress
from types import FrameType

import mysql.connector
from rq.timeouts import JobTimeoutException, UnixSignalDeathPenalty

from footfall.archiving.on_demand import ARCHIVE_JOB
from footfall.errors import FootfallError, QueueUnavailable
from footfall.queue.lanes import LIVE, lane_of
from footfall.queue.sql.backend import SqlBackend
from footfall.queue.stores import open_tables
from footfall.settings import Settings
from queue_workers import archive_job, jobs
from queue_workers.draining import drain
from queue_workers.tools import holder_name

_log = logging.getLogger(__name__)
_JOBS = {ARCHIVE_JOB: archive_job.archive}
_SHORTEST_PAUSE = 0.02
_LONGEST_PAUSE = 0.1  # how long a request waits for an idle worker, at most
_NOTE_SECONDS = 5.0
_LOOK_SECONDS = 0.5
_UNKNOWN = object()
_AWAY_SECONDS = 5.0
_GRACE_SECONDS = 120  # as much as an RQ job has (footfall/queue/redis/drains.py)


class PollingWorker:
    """Drains shards and does other work, in the order of docs/architecture.md, "Lanes"."""

    def __init__(self, queue: SqlBackend) -> None:
        self._queue = queue
        self._name = holder_name(os.getpid())
        self._state = "started"
        self._noted_at = float("-inf")
        self._looked_at = float("-inf")
        self._restart: object = _UNKNOWN

    def run(self) -> None:
        """Work until SIGTERM, or until all workers are to be started anew.

        Raises:
            QueueUnavailable: the store cannot be reached.
        """
        pause = _SHORTEST_PAUSE
        try:
            while not (jobs.stopping.is_set() or self._is_to_end()):
                if self._work():
                    pause = _SHORTEST_PAUSE
                    continue
                self._note("idle")
                jobs.stopping.wait(pause)
                pause = min(_LONGEST_PAUSE, 1.5 * pause)
        finally:
            with suppress(QueueUnavailable):
                self._queue.forget_worker(self._name)

    def _is_to_end(self) -> bool:
        """Whether all workers are to be started anew; looked at now and then."""
        now = time.monotonic()
        if now - self._looked_at < _LOOK_SECONDS:
            return False
        self._looked_at, known = now, self._restart
        self._restart = self._queue.restart()
        return known is not _UNKNOWN and self._restart != known

    def _work(self) -> bool:
        """Do what is to be done next; whether there was anything."""
        shards = self._queue.candidates()
        live = [shard for shard in shards if lane_of(shard) == LIVE]
        return self._drain(live) or self._do_job() or self._drain([shard for shard in shards if shard not in live])

    def _drain(self, shards: list[str]) -> bool:
        """Drain the first of the shards that can be; others may be in a worker's hands by now, or have to wait."""
        for shard in shards:
            self._note("busy")
            try:
                tools = jobs.process_tools()
                with UnixSignalDeathPenalty(tools.settings.queue_drain_seconds + _GRACE_SECONDS, JobTimeoutException):
                    if drain(tools, shard):
                        return True
            except (mysql.connector.Error, FootfallError, JobTimeoutException) as error:
                _log.warning("Shard %s is left alone for a while: %s", shard, error)
                jobs.stopping.wait(_AWAY_SECONDS)
                return False
        return False

    def _do_job(self) -> bool:
        taken = self._queue.drains.take_job()
        if taken is None:
            return False
        self._note("busy")
        try:
            with UnixSignalDeathPenalty(taken.seconds, JobTimeoutException):
                _JOBS[taken.name](*taken.arguments)  # type: ignore[arg-type]  # they are what put_job was given
        except FootfallError as error:
            _log.warning("%s: %s", taken.name, error)
        except Exception:
            _log.exception("%s failed", taken.name)
        return True

    def _note(self, state: str) -> None:
        if state != self._state or time.monotonic() - self._noted_at >= _NOTE_SECONDS:
            self._queue.note_worker(self._name, state)
            self._state, self._noted_at = state, time.monotonic()


def work(settings: Settings) -> None:
    """Work until SIGTERM; the body of a worker process."""

    def stop(number: int, frame: FrameType | None) -> None:
        jobs.stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    PollingWorker(open_tables(settings)).run()
