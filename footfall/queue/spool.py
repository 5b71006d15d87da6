"""The spool: a directory on this machine's disk for requests that Redis cannot take at the moment.

All processes of the machine that use the same directory share one spool, so that its order is the order in which they
accepted the requests, and any of them can bring back what another left behind. Below the directory:

    segments/   files of frames (spool_format.py), appended to the newest, read from the oldest and then deleted
    damaged/    what could not be read, kept for a person to look at
    control     locked by who appends; where the newest segment ends, and how many requests were ever appended
    progress    up to where the oldest segment is back in the queue, and how many requests ever came back
    replaying   locked by the process that brings requests back

The files hold requests with addresses and tokens: only their owner may read them.
"""

import fcntl
import logging
import os
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from footfall.errors import ConfigurationError, QueueUnavailable
from footfall.queue import flush as flushes
from footfall.queue import spool_format
from footfall.queue.flush import Flush
from footfall.queue.spool_format import Damaged, Frame, Incomplete

SYNC_MODES = ("always", "everysec", "no")

_log = logging.getLogger(__name__)
_SEGMENT_BYTES = 8 * 1024 * 1024
_LOCK_SECONDS = 2.0
_SYNC_SECONDS = 1.0
_MARK = struct.Struct(">QQQ")
_UNREADABLE = (Incomplete, Damaged, msgspec.DecodeError)


class SpoolUnavailable(QueueUnavailable):
    """The spool cannot take requests: it is full, switched off, or its disk fails."""


class SpoolUncertain(SpoolUnavailable):
    """The spool has taken requests, but nobody knows whether they reached the disk itself: they may come back."""


@dataclass(frozen=True)
class Mark:
    """A place in the spool.

    Args:
        segment: the name of a segment, a number.
        offset: bytes from its beginning.
        requests: how many requests were ever appended, or brought back, up to here.
    """

    segment: int = 0
    offset: int = 0
    requests: int = 0


@dataclass(frozen=True)
class Usage:
    """What lies in the spool.

    Args:
        requests: how many requests.
        bytes: of disk, as far as they count against SPOOL_BYTES.
        oldest_at: when the oldest was accepted, Unix time in seconds; None when there is none.
    """

    requests: int = 0
    bytes: int = 0
    oldest_at: float | None = None


class Spool:
    """The spool of this machine, as one process uses it; from any thread.

    Args:
        directory: SPOOL_DIRECTORY; made when it is first needed. Empty: there is no spool.
        most_bytes: SPOOL_BYTES.
        sync: SPOOL_FSYNC, one of SYNC_MODES.

    Raises:
        ConfigurationError: `sync` is none of them.
    """

    def __init__(self, directory: str, most_bytes: int, sync: str) -> None:
        if sync not in SYNC_MODES:
            raise ConfigurationError(f"SPOOL_FSYNC must be one of {', '.join(SYNC_MODES)}, not {sync!r}.")
        self.directory = Path(directory).absolute() if directory else None
        self._segments = str(self.directory / "segments") if self.directory else ""
        self._most_bytes = most_bytes
        self._sync = sync
        self._unsynced: set[str] = set()
        self._unsynced_lock = threading.Lock()
        self._synced_at = 0.0

    def holds(self) -> bool:
        """Whether there is anything in the spool; cheap enough to ask before each push."""
        if not self._segments:
            return False
        try:
            return bool(os.listdir(self._segments))  # noqa: PTH208 - before each push: a third of the time
        except FileNotFoundError:
            return False

    def append(self, flush: Flush) -> None:
        """Keep a flush behind all others; when this returns, it outlives the process (see SPOOL_FSYNC).

        Raises:
            SpoolUncertain: it may be kept.
            SpoolUnavailable: it is not kept.
        """
        if self.directory is None:
            raise SpoolUnavailable("There is no spool (SPOOL_DIRECTORY is empty).")
        data = spool_format.frame(flushes.encode(flush), len(flush.records))
        try:
            self._make()
            with self._locked() as control:
                descriptor, path, is_new = self._write(control, data, len(flush.records))
        except OSError as error:
            raise SpoolUnavailable(self._explain(error)) from error
        try:
            self._sync_as_set(descriptor, path, is_new)
        except OSError as error:
            raise SpoolUncertain(self._explain(error)) from error
        finally:
            os.close(descriptor)

    def _explain(self, error: OSError) -> str:
        return (
            f"The spool in {self.directory} cannot be written ({error.strerror or error}): "
            "check SPOOL_DIRECTORY, its owner and the space on its disk."
        )

    def sync(self) -> None:
        """Bring to the disk what `everysec` has left out so far; to be called about every second."""
        with self._unsynced_lock:
            paths, self._unsynced = self._unsynced, set()
        for path in paths:
            with suppress(OSError):  # the segment may be back in the queue already
                _sync(path)

    def usage(self) -> Usage:
        """What lies in the spool at this moment."""
        if not self.holds():
            return Usage()
        appended, done = self._read_mark("control"), self._read_mark("progress")
        return Usage(max(0, appended.requests - done.requests), self._bytes(done), self._oldest_at(done))

    def obstacle(self) -> str:
        """Why the spool would take nothing at this moment, as a sentence; empty when it would."""
        if self.directory is None:
            return "There is no spool (SPOOL_DIRECTORY is empty)."
        try:
            self._make()
            if self.holds() and self._bytes(self.progress()) >= self._most_bytes:
                return f"The spool in {self.directory} is full (SPOOL_BYTES)."
            if not os.access(self._segments, os.W_OK):
                return f"The spool in {self.directory} cannot be written: check its owner."
            disk = os.statvfs(self._segments)
            if disk.f_bavail * disk.f_frsize < _SEGMENT_BYTES:
                return f"The disk of the spool in {self.directory} is full."
        except OSError as error:
            return f"The spool in {self.directory} cannot be used: {error.strerror or error}."
        return ""

    def clear(self) -> int:
        """Delete everything that waits; how many requests that were. What is damaged stays.

        Raises:
            SpoolUnavailable: another process is in the middle of bringing requests back, for too long.
        """
        count, deadline = self.usage().requests, time.monotonic() + _LOCK_SECONDS
        while self.holds():
            with self.replaying() as reader:
                if reader is not None:
                    with self.locked():
                        for number in self.segments():
                            self.path(number).unlink()
                    return count
            if time.monotonic() > deadline:
                raise SpoolUnavailable(f"Requests are being brought back from {self.directory}: try again.")
            time.sleep(0.01)
        return count

    @contextmanager
    def replaying(self) -> Iterator["SpoolReader | None"]:
        """The reader, which one process at a time has; None when another has it, or when there is nothing to read."""
        if not self.holds() or self.directory is None:
            yield None
            return
        descriptor = os.open(self.directory / "replaying", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield None
                return
            reader = SpoolReader(self)
            try:
                yield reader
            finally:
                reader.close()
        finally:
            os.close(descriptor)

    # What append and SpoolReader share

    def path(self, name: str | int) -> Path:
        """A file of the spool; that of a segment for a number."""
        assert self.directory is not None
        return Path(self._segments) / f"{name:020d}" if isinstance(name, int) else self.directory / name

    def segments(self) -> list[int]:
        """The segments, oldest first."""
        try:
            return sorted(int(path.name) for path in Path(self._segments).iterdir() if path.name.isdigit())
        except FileNotFoundError:
            return []

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody appends during the block."""
        with self._locked():
            yield

    def recount(self) -> None:
        """Set the number of appended requests by what there is; while nobody appends."""
        done = self._read_mark("progress")
        total = done.requests
        for number in self.segments():
            with self.path(number).open("rb") as file:
                file.seek(done.offset if number == done.segment else 0)
                total += spool_format.count(file)
        control = self._read_mark("control")
        self._write_mark("control", Mark(control.segment, control.offset, total))

    def progress(self) -> Mark:
        """Up to where requests are back in the queue."""
        return self._read_mark("progress")

    def set_progress(self, mark: Mark) -> None:
        """Remember up to where requests are back in the queue."""
        self._write_mark("progress", mark)

    # Inside append

    def _make(self) -> None:
        if self.directory is not None and not Path(self._segments).is_dir():
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            Path(self._segments).mkdir(mode=0o700, exist_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        assert self.directory is not None
        descriptor = os.open(self.directory / "control", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            deadline = time.monotonic() + _LOCK_SECONDS
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    # A process that was stopped while it had the lock must not stop the others as well.
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.001)
            yield descriptor
        finally:
            os.close(descriptor)

    def _write(self, control: int, data: bytes, requests: int) -> tuple[int, str, bool]:
        """Write a frame under the lock; the open file, its path and whether it is new."""
        mark = _read_mark(control)
        numbers = self.segments()
        if self._bytes(self._read_mark("progress")) + len(data) > self._most_bytes:
            raise SpoolUnavailable(f"The spool in {self.directory} is full (SPOOL_BYTES).")
        last = numbers[-1] if numbers else 0
        size = self.path(last).stat().st_size if numbers else 0
        interrupted = bool(numbers) and (last, size) != (mark.segment, mark.offset)
        is_new = not numbers or interrupted or size >= _SEGMENT_BYTES
        if interrupted:
            # Whoever wrote last was killed before its frame was whole. It stays as it is; the reader passes over it.
            self.recount()
            mark = _read_mark(control)
        if not numbers:
            mark = Mark()
            self.path("progress").unlink(missing_ok=True)
        if is_new:
            last, size = max(time.time_ns(), last + 1), 0
        path = str(self.path(last))
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            _write_all(descriptor, data)
            _write_mark(control, Mark(last, size + len(data), mark.requests + requests))
        except OSError:
            with suppress(OSError):
                if is_new:
                    Path(path).unlink()
                else:
                    os.ftruncate(descriptor, size)
            os.close(descriptor)
            raise
        return descriptor, path, is_new

    def _sync_as_set(self, descriptor: int, path: str, is_new: bool) -> None:
        if self._sync == "no":
            return
        if self._sync == "everysec" and time.monotonic() - self._synced_at < _SYNC_SECONDS:
            with self._unsynced_lock:
                self._unsynced.add(path)
            return
        os.fsync(descriptor)
        self._synced_at = time.monotonic()
        if is_new:
            _sync(self._segments)

    # Marks and sizes

    def _bytes(self, done: Mark) -> int:
        total = 0
        for number in self.segments():
            with suppress(FileNotFoundError):
                size = self.path(number).stat().st_size
                total += size - done.offset if number == done.segment else size
        return total

    def _oldest_at(self, done: Mark) -> float | None:
        for number in self.segments()[:1]:
            with suppress(FileNotFoundError, *_UNREADABLE), self.path(number).open("rb") as file:
                file.seek(done.offset if number == done.segment else 0)
                if found := spool_format.read(file):
                    return flushes.decode(found.payload).flushed_at
        return None

    def _read_mark(self, name: str) -> Mark:
        try:
            descriptor = os.open(self.path(name), os.O_RDONLY)
        except FileNotFoundError:
            return Mark()
        try:
            return _read_mark(descriptor)
        finally:
            os.close(descriptor)

    def _write_mark(self, name: str, mark: Mark) -> None:
        descriptor = os.open(self.path(name), os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            _write_mark(descriptor, mark)
        finally:
            os.close(descriptor)


class SpoolReader:
    """Reads flushes from the oldest on; what is done with is deleted with its segment."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._mark = spool.progress()
        self._file: BinaryIO | None = None
        self._frames: list[Frame] = []

    def next(self) -> Flush | None:
        """The oldest flush, the same until it is `done`; None when the spool is empty, and has no segment any more.

        Raises:
            OSError: the disk fails, or another process holds the lock for too long.
        """
        while (file := self._open()) is not None:
            with suppress(*_UNREADABLE):
                if (flush := self._read(file)) is not None:
                    return flush
            with self._spool.locked():
                self._pass_over(file)
        return None

    def following(self, requests: int) -> list[Flush]:
        """The flushes directly behind the one that `next` gave, together with it about so many requests at most."""
        assert self._file is not None
        found: list[Flush] = []
        try:
            self._file.seek(self._mark.offset + self._frames[0].size)
            with suppress(*_UNREADABLE):
                while sum(frame.requests for frame in self._frames) < requests:
                    frame = spool_format.read(self._file)
                    if frame is None:
                        break
                    found.append(flushes.decode(frame.payload))
                    self._frames.append(frame)
        finally:
            self._file.seek(self._mark.offset)
        return found

    def done(self) -> None:
        """The flush, and those following it that were given, are back in the queue."""
        frames, self._frames = self._frames, []
        self._move(sum(frame.size for frame in frames), sum(frame.requests for frame in frames))

    def close(self) -> None:
        """Close the open segment."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> BinaryIO | None:
        if self._file is None:
            numbers = self._spool.segments()
            if not numbers:
                return None
            if numbers[0] != self._mark.segment:
                self._mark = Mark(numbers[0], 0, self._spool.progress().requests)
            self._file = self._spool.path(numbers[0]).open("rb")
            self._file.seek(self._mark.offset)
        return self._file

    def _read(self, file: BinaryIO) -> Flush | None:
        """The flush at the mark, where the file stays."""
        try:
            frame = spool_format.read(file)
            flush = None if frame is None else flushes.decode(frame.payload)
            self._frames = [] if frame is None else [frame]
            return flush
        finally:
            file.seek(self._mark.offset)

    def _pass_over(self, file: BinaryIO) -> None:
        """There is no flush at the mark: go on behind what cannot be read, or end the segment. Nobody appends now."""
        with suppress(*_UNREADABLE):
            if self._read(file) is not None:
                return  # it was being written a moment ago
        gap = spool_format.gap(file)
        file.seek(self._mark.offset)
        lost = file.read() if gap is None else file.read(gap)
        if lost:
            self._set_aside(lost)
        if gap is None:
            self._spool.path(self._mark.segment).unlink()
            self.close()
        else:
            self._move(gap, 0)
        if lost:
            self._spool.recount()

    def _move(self, size: int, requests: int) -> None:
        mark = self._mark
        self._mark = Mark(mark.segment, mark.offset + size, mark.requests + requests)
        if self._file is not None:
            self._file.seek(self._mark.offset)
        # A full disk must not keep the spool from becoming empty. What is read twice is pushed once.
        with suppress(OSError):
            self._spool.set_progress(self._mark)

    def _set_aside(self, lost: bytes) -> None:
        kept = self._spool.path("damaged") / f"{self._mark.segment:020d}-{self._mark.offset}"
        _log.error(
            "%d bytes of the spool are no whole frame: a process was killed while it wrote them, and acknowledged "
            "nothing of them, or the disk is damaged. They are kept in %s.",
            len(lost),
            kept,
        )
        with suppress(OSError):
            kept.parent.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(lost)


def _read_mark(descriptor: int) -> Mark:
    data = os.pread(descriptor, _MARK.size, 0)
    return Mark(*_MARK.unpack(data)) if len(data) == _MARK.size else Mark()


def _write_mark(descriptor: int, mark: Mark) -> None:
    os.pwrite(descriptor, _MARK.pack(mark.segment, mark.offset, mark.requests), 0)


def _sync(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
