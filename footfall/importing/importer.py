"""Importing: from the lines of logs to requests in the queue, with their positions in the ledger."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from footfall.clock import Clock
from footfall.errors import FootfallError, QueueUnavailable
from footfall.importing.counts import Counts
from footfall.importing.formats.recognition import FormatOptions
from footfall.importing.ledger import Entry, Ledger
from footfall.importing.log import Beginning, Log, beginning_of
from footfall.importing.merging import merged
from footfall.importing.requests import Maker
from footfall.importing.source import Source
from footfall.importing.streams import STDIN, Damaged, LogStream
from footfall.importing.table import Table, is_table
from footfall.queue.flush import Flush
from footfall.queue.request import encode

_FLUSH_REQUESTS = 2_000
_FLUSH_BYTES = 2 * 1024 * 1024
_FLUSH_SECONDS = 1.0
_LOOK_LINES = 256
_IDLE_SECONDS = 0.25
_RETRY_SECONDS = 120.0


class Queue(Protocol):
    """Where requests go; see footfall/queue/producer.py."""

    def push(self, flush: Flush) -> None: ...

    def wait_for_room(self, waiting: Callable[[str], None] = ...) -> None: ...


class Progress(Protocol):
    """Is told how the work goes."""

    def opened(self, bytes_in_all: int) -> None:
        """How many bytes there are to read."""

    def moved(self, consumed: int) -> None:
        """How many of them are read by now; a few times a second."""

    def waits(self, reason: str) -> None:
        """The queue has no room; a few times a second as long as that lasts."""


class Stopped(Exception):
    """Somebody asked for the end while the queue had no room."""


@dataclass
class Opened:
    """A log that is going to be read.

    Args:
        since: a time that its first line is not before.
        beginning: its first bytes; empty for standard input, which is not remembered.
        size: of its file; 0 for standard input.
        entry: what the ledger knows of it.
    """

    log: Source
    since: float
    beginning: bytes = b""
    size: int = 0
    entry: Entry | None = None


@dataclass
class Outcome:
    """What became of the logs, by path.

    Args:
        loaded: those that were in the queue completely before.
        empty: without any line.
        read: the others.
        damaged: why some could not be read to their end, as sentences.
        unfinished: whose last line was left, as it has no end yet.
        resumed: requests of an import that was interrupted, pushed first.
        stopped: whether somebody asked for the end.
        left: requests of lines that were read and are not in the queue: the next run reads these lines again.
    """

    loaded: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    resumed: int = 0
    stopped: bool = False
    left: int = 0


class Importer:
    """Imports logs.

    Args:
        queue: None for a trial: nothing is queued, and nothing remembered.
        should_stop: whether somebody asked for the end.
        again: read logs from their beginning, whatever was read of them.
        follow: go on at their ends.
        password: of databases whose tables are read, where their URLs have none.
        flush_requests: how many are pushed at once.
    """

    def __init__(
        self,
        ledger: Ledger,
        queue: Queue | None,
        maker: Maker,
        formats: FormatOptions,
        counts: Counts,
        clock: Clock,
        progress: Progress,
        should_stop: Callable[[], bool],
        *,
        again: bool = False,
        follow: bool = False,
        password: str = "",
        flush_requests: int = _FLUSH_REQUESTS,
    ) -> None:
        self._ledger = ledger
        self._queue = queue
        self._maker = maker
        self._formats = formats
        self._counts = counts
        self._clock = clock
        self._progress = progress
        self._should_stop = should_stop
        self._again = again
        self._follow = follow
        self._password = password
        self._flush_requests = flush_requests
        self._opened: dict[Source, Opened] = {}
        self._claimed: set[int] = set()
        self._moved: dict[Source, None] = {}
        self._hashes: list[int] = []
        self._records: list[bytes] = []
        self._bytes = 0
        self._flushed_at = 0.0
        self._is_pushed = True  # the latest flush

    def run(self, paths: Sequence[str]) -> Outcome:
        """Import logs, merged by time.

        Raises:
            FootfallError: one cannot be read or recognised; nothing of any is imported then. Or the queue, or the
                database, is away for long: the next run goes on where this one ended.
        """
        outcome = Outcome()
        try:
            self._run(paths, outcome)
        except Stopped:
            outcome.stopped = True
            outcome.left = len(self._records) if self._queue is not None else 0
        for log in self._opened:
            outcome.read.append(log.path)
            outcome.damaged += [log.damage] if log.damage else []
            outcome.unfinished += [log.path] if log.unfinished else []
        if self._queue is not None and self._is_pushed:
            self._ledger.finish()
        return outcome

    def _run(self, paths: Sequence[str], outcome: Outcome) -> None:
        if self._queue is not None:
            outcome.resumed = self._ledger.settle(self._push)
        opened: list[Opened] = []
        awaited: list[Source] = []
        for path in paths:
            if (one := self._open(path, outcome)) is not None:
                opened.append(one)
            elif self._follow:
                awaited.append(self._log(path))
        if not opened and not awaited:
            return
        if self._queue is not None:
            self._ledger.begin()
            for one in opened:
                self._claim(one)
        self._progress.opened(sum(one.size for one in opened))
        self._read_all(opened, awaited)

    def _open(self, path: str, outcome: Outcome) -> Opened | None:
        """The log, where there is something to read of it."""
        if path == STDIN:
            return self._kept(Opened(self._log(path), 0.0))
        if is_table(path):
            return self._open_table(path, outcome)
        beginning = beginning_of(path)
        if not any(line and not line.startswith("#") for line in beginning.lines):
            outcome.empty.append(path)
            return None
        entry = self._ledger.find(beginning.data)
        position = 0 if entry is None or self._again else entry.position
        if position and not self._follow and not _is_longer(path, beginning, position):
            outcome.loaded.append(path)
            return None
        log = self._log(path, position, entry.header if entry and position else "")
        return self._kept(Opened(log, log.recognise(beginning.lines), beginning.data, Path(path).stat().st_size, entry))

    def _open_table(self, url: str, outcome: Outcome) -> Opened | None:
        table = Table(url, self._password, self._formats, self._counts, self._clock)
        entry = self._ledger.find(table.fingerprint)
        table.position = table.ahead = 0 if entry is None or self._again else entry.position
        if not table.has_more():
            (outcome.loaded if table.position else outcome.empty).append(table.path)
            return None
        return self._kept(Opened(table, 0.0, table.fingerprint, 0, entry))

    def _log(self, path: str, position: int = 0, header: str = "") -> Log:
        return Log(
            path, self._formats, self._counts, self._clock, position=position, header=header, follow=self._follow
        )

    def _kept(self, one: Opened) -> Opened:
        self._opened[one.log] = one
        return one

    def _claim(self, one: Opened) -> None:
        if one.log.path == STDIN:
            return
        known = self._ledger.find(one.beginning)
        if known is not None and known.idlog in self._claimed:
            raise FootfallError(f"{one.log.path} begins as {known.path} does: it is the same log, so leave one out.")
        one.entry = self._ledger.claim(one.entry, one.log.path, one.beginning, again=self._again)
        self._claimed.add(one.entry.idlog)

    def _renewed(self, log: Source) -> Source | None:
        """The log that took the place of one that was rotated away, as soon as it has a line."""
        try:
            one = self._open(log.path, Outcome())
        except FootfallError:
            return None
        if one is None:
            return None
        if self._queue is not None:
            self._claim(one)
        return one.log

    def _read_all(self, opened: Sequence[Opened], awaited: Sequence[Source]) -> None:
        counts, make, moved = self._counts, self._maker.make, self._moved
        waits_itself = all(one.log.path == STDIN for one in opened) and not awaited
        self._flushed_at = time.monotonic()
        for reading in merged([(one.since, one.log) for one in opened], self._renewed, awaited):
            if reading is None:
                self._look()
                if not waits_itself:
                    time.sleep(_IDLE_SECONDS)
                continue
            log, line = reading
            counts.lines += 1
            made = make(line)
            if isinstance(made, str):
                counts.ignored[made] += 1
            else:
                record = encode(made.request)
                self._hashes.append(made.visitor)
                self._records.append(record)
                self._bytes += len(record)
                counts.note_imported(made.idsite, line.time, download=made.is_download)
            log.position = log.ahead
            moved[log] = None
            if len(self._records) >= self._flush_requests or self._bytes >= _FLUSH_BYTES:
                self._flush()
            if not counts.lines % _LOOK_LINES:
                self._look()
        for log in self._opened:
            # What comes after a log's last line that was used cannot be understood, or says nothing.
            log.position = log.ahead
            moved[log] = None
        self._flush()

    def _look(self) -> None:
        """What is to be done every now and then."""
        if self._should_stop():
            self._flush()
            raise Stopped
        if time.monotonic() - self._flushed_at >= _FLUSH_SECONDS:
            self._flush()

    def _flush(self) -> None:
        """Push what was gathered, and remember how far the logs were read."""
        self._flushed_at = time.monotonic()
        self._progress.moved(sum(log.consumed for log in self._opened))
        if self._queue is not None and self._moved:
            if self._records:
                self._queue.wait_for_room(self._wait)
            self._is_pushed = False
            flush = self._ledger.intend(
                self._hashes,
                self._records,
                [
                    (entry.idlog, log.position, log.header)
                    for log in self._moved
                    if (entry := self._opened[log].entry) is not None
                ],
            )
            if flush.records:
                self._push(flush)
            self._is_pushed = True
        self._moved.clear()
        self._hashes, self._records, self._bytes = [], [], 0

    def _push(self, flush: Flush) -> None:
        """Push a flush, again while the queue is away for a moment."""
        assert self._queue is not None
        Retrying(
            retry=retry_if_exception_type(QueueUnavailable),
            wait=wait_random_exponential(multiplier=0.1, max=3),
            stop=stop_after_delay(_RETRY_SECONDS),
            before_sleep=self._wait_again,
            reraise=True,
        )(self._queue.push, flush)

    def _wait_again(self, state: RetryCallState) -> None:
        self._wait(str(state.outcome.exception()) if state.outcome else "")

    def _wait(self, reason: str) -> None:
        if self._should_stop():
            raise Stopped
        self._progress.waits(reason)


def _is_longer(path: str, beginning: Beginning, position: int) -> bool:
    """Whether a file goes on behind a position of its content."""
    if not beginning.is_compressed:
        return Path(path).stat().st_size > position
    try:
        stream = LogStream(path, position)
    except Damaged:
        return False
    try:
        return bool(stream.read())
    except Damaged:
        return True
    finally:
        stream.close()
