"""The spool keeper: watches the store for one endpoint process, and brings spooled requests back into the queue."""

import logging
import threading
import time
from collections.abc import Callable

from footfall.errors import QueueUnavailable
from footfall.queue import spools
from footfall.queue.backend import Backend
from footfall.queue.capacity import Capacity
from footfall.queue.spool import Spool, SpoolReader

_log = logging.getLogger(__name__)
_LOOK_SECONDS = 0.25
_MEASURE_SECONDS = 1.0
_REQUESTS_AT_ONCE = 2_000


class SpoolKeeper:
    """Looks after spool and capacity, in a thread of its own.

    Every process has one; the spool's own lock lets one of a machine's processes bring requests back at a time.

    Args:
        queue: a connection of its own.
        judged: told whether the queue has room.
        found_empty: called with the shards that were empty before a push.
    """

    def __init__(
        self,
        queue: Backend,
        spool: Spool,
        judged: Capacity,
        found_empty: Callable[[list[str]], None],
    ) -> None:
        self._queue = queue
        self._spool = spool
        self._capacity = judged
        self._found_empty = found_empty
        self._pusher = queue.pusher(follow=True)
        self._elsewhere = "Requests go to the spool" if spool.directory else "Requests are refused"
        self._machine = spools.machine_of(spool)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._measured_at = float("-inf")
        self._published = False
        self.queue_error = ""
        """Why the store could not be reached at the last look, as a sentence; empty when it could."""

    def start(self) -> None:
        """Look again and again until stopped."""
        if self._thread is None:
            self._stop.clear()
            self._thread = threading.Thread(target=self._run, name="spool-keeper", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop after the flush in hand, and bring to the disk what is spooled."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._spool.sync()

    def look(self) -> None:
        """Look once: measure the queue, and bring back what is spooled as long as there is room."""
        try:
            self._measure()
            if self._spool.holds():
                self._replay()
            if self._published and not self._spool.holds():
                self._publish()
            self._found_queue("")
        except QueueUnavailable as error:
            self._found_queue(str(error))
        except OSError as error:
            _log.error("The spool in %s cannot be read: %s", self._spool.directory, error)
        self._spool.sync()

    def _run(self) -> None:
        # What another process of this machine said last may be about a spool that is empty by now.
        self._published = self._spool.directory is not None
        while not self._stop.is_set():
            try:
                self.look()
            except Exception:
                _log.exception("The spool keeper failed; it goes on")
            self._stop.wait(_LOOK_SECONDS)

    def _found_queue(self, error: str) -> None:
        if bool(error) != bool(self.queue_error):
            if error:
                _log.warning("%s: %s", self._elsewhere, error)
            else:
                _log.warning("The queue takes requests again")
        self.queue_error = error

    def _measure(self) -> None:
        if time.monotonic() - self._measured_at < _MEASURE_SECONDS:
            return
        was_full = self._capacity.full
        self._capacity.judge(self._queue.load())
        self._measured_at = time.monotonic()
        if self._capacity.full and not was_full:
            _log.warning("%s. %s until workers have made room", self._capacity.full, self._elsewhere)
        elif was_full and not self._capacity.full:
            _log.warning("The queue has room again")
        if self._spool.holds():
            self._publish()

    def _publish(self) -> None:
        usage = self._spool.usage()
        spools.publish(self._queue.board, self._machine, usage)
        self._published = bool(usage.bytes)

    def _replay(self) -> None:
        with self._spool.replaying() as reader:
            if reader is None:
                return
            brought_back = self._push_all(reader)
        if brought_back and not self._spool.holds():
            _log.warning("The spool is empty: all its requests are in the queue")

    def _push_all(self, reader: SpoolReader) -> int:
        count = 0
        while not self._stop.is_set() and not self._capacity.full:
            flush = reader.next()
            if flush is None:
                break
            flushes = [flush, *reader.following(_REQUESTS_AT_ONCE)]
            if empty := self._pusher.push_all(flushes):
                self._found_empty(empty)
            reader.done()
            count += sum(len(one.records) for one in flushes)
            self._measure()
        return count
