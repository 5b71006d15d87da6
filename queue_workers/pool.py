"""The worker processes and the sweep: what `queue_workers run` is."""

import logging
import os
import signal
import sys
import threading
import time
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess

from footfall import log
from footfall.clock import SystemClock
from footfall.database import Database
from footfall.errors import QueueUnavailable
from footfall.journal.journal import Journal
from footfall.migrations import check
from footfall.queue import failures
from footfall.queue.stores import open_queue
from footfall.settings import Settings
from footfall.tracking.geoip import GeoDatabase
from queue_workers import polling, worker
from queue_workers.sweep import Sweep
from queue_workers.tools import holder_name

_log = logging.getLogger(__name__)
_STOP_SECONDS = 8.0
_RESTART_SECONDS = 1.0
_LOOK_SECONDS = 0.2
_COMPLAIN_SECONDS = 60.0


class Pool:
    """Keeps a number of worker processes running, and sweeps.

    Args:
        count: how many worker processes.
    """

    def __init__(self, settings: Settings, count: int) -> None:
        self._settings = settings
        self._count = count
        self._processes: dict[BaseProcess, float] = {}
        self._unburied: list[str] = []
        self._restart_after = 0.0
        self._queue_is_away = False
        self._complain_at = 0.0
        self._stop = threading.Event()
        self._journal = Journal(settings)
        self._queue = open_queue(settings)
        self._sweep = Sweep(self._queue)

    def run(self) -> None:
        """Work until SIGTERM or SIGINT, then end within 10 seconds.

        Raises:
            FootfallError: the database or the queue cannot be reached or refuses us, the database is not migrated, or
                the file of GEOIP_DATABASE cannot be read.
        """
        self._check_servers()
        if self._settings.geoip_database:
            GeoDatabase(self._settings.geoip_database, SystemClock())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        next_sweep = 0.0
        self._journal.start()
        try:
            while not self._stop.is_set():
                self._look_after_processes()
                if time.monotonic() >= next_sweep:
                    self._run_sweep()
                    next_sweep = time.monotonic() + self._settings.queue_sweep_seconds
                self._stop.wait(_LOOK_SECONDS)
        finally:
            self._end()
            self._journal.stop()

    def _check_servers(self) -> None:
        database = Database(self._settings)
        try:
            check(database)
        finally:
            database.close()
        self._queue.ping()

    def _look_after_processes(self) -> None:
        for process in [process for process in self._processes if not process.is_alive()]:
            started = self._processes.pop(process)
            _log.warning("Worker %s ended with status %s", process.pid, process.exitcode)
            if time.monotonic() - started < _RESTART_SECONDS:
                self._restart_after = time.monotonic() + _RESTART_SECONDS
            self._unburied.append(holder_name(process.pid or 0))
        if (self._unburied or len(self._processes) < self._count) and self._queue_answers():
            self._bury()
            while len(self._processes) < self._count and time.monotonic() >= self._restart_after:
                self._start()

    def _queue_answers(self) -> bool:
        """Whether the queue is there; without it a worker would only fail to start."""
        try:
            self._queue.ping()
        except QueueUnavailable as error:
            if not self._queue_is_away:
                _log.warning("Waiting for the queue: %s", error)
            self._queue_is_away = True
            return False
        if self._queue_is_away:
            _log.warning("The queue is back")
        self._queue_is_away = False
        return True

    def _start(self) -> None:
        process = get_context("fork").Process(target=_run_worker, args=(self._settings,))
        self._queue.disconnect()  # a connection must not be in two processes
        self._journal.stop()  # nor a thread be in the middle of anything
        process.start()
        self._journal.start()
        self._processes[process] = time.monotonic()

    def _bury(self) -> None:
        """Let others take over the shards of workers that have died."""
        try:
            while self._unburied:
                self._sweep.bury(self._unburied[-1])
                self._queue.forget_worker(self._unburied.pop())
        except QueueUnavailable as error:
            _log.warning("What a dead worker left cannot be looked at yet: %s", error)

    def _run_sweep(self) -> None:
        try:
            if failures.stopped(self._queue.board, self._settings.dead_letter_limit):
                if time.monotonic() >= self._complain_at:
                    _log.error(failures.explanation(self._settings.dead_letter_limit))
                    self._complain_at = time.monotonic() + _COMPLAIN_SECONDS
                return
            if stranded := self._sweep.run():
                _log.info("Asked again for shards that nobody drained: %s", ", ".join(stranded))
        except QueueUnavailable as error:
            if not self._queue_is_away:
                _log.warning("The sweep could not look at the queue: %s", error)

    def _end(self) -> None:
        for process in self._processes:
            process.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for process in self._processes:
            process.join(max(0.0, deadline - time.monotonic()))
            if process.is_alive():
                # Its batch is in one transaction: the queue keeps what is not committed.
                _log.warning("Worker %s is busy for too long and is killed; its batch stays in the queue", process.pid)
                process.kill()
                process.join()


def _run_worker(settings: Settings) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)  # the pool's handlers came along with the fork
    log.configure(settings.log_level, settings.log_format)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        with Journal(settings):
            (worker.work if settings.queue_backend == "redis" else polling.work)(settings)
    except QueueUnavailable as error:
        _log.warning("This worker ends, the pool starts another: %s", error)
        sys.exit(1)


def _end_with_parent() -> None:
    """Stop when the pool is gone without having said so."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
