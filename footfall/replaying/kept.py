"""Requests that are kept after they were recorded, as lines of JSON in files of the worker's machine (off by default).

Real traffic, to test a release or a change of settings with. It is written when a batch is committed and trimmed; a
worker that is killed in between leaves the batch out, so this is a sample, not a record. Files cost the least: a list
in Redis would take the memory that the queue needs, and would hold tokens in clear; a table would double what the
database writes. Lines have no tokens (lines.py), and only their owner may read the files.

A worker writes into a file of its own, named by the time at which it was begun. Whoever writes deletes the oldest of
all workers' files beyond the limits first.
"""

import heapq
import logging
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from footfall.queue.request import decode
from footfall.replaying import lines
from footfall.replaying.lines import HashToken, InvalidLine
from footfall.settings import Settings

_log = logging.getLogger(__name__)
_SEGMENT_BYTES = 16 * 1024 * 1024
_FEWEST_SEGMENTS = 8
_ENDING = ".jsonl"


class KeptRequests:
    """What one worker keeps.

    Args:
        settings: KEPT_REQUESTS_…
        hash_token: as in lines.written.
    """

    def __init__(self, settings: Settings, hash_token: HashToken | None) -> None:
        self._directory = Path(settings.kept_requests_directory)
        self._most_bytes = settings.kept_requests_bytes
        self._most_seconds = settings.kept_requests_hours * 3600
        self._segment_bytes = min(_SEGMENT_BYTES, max(1, self._most_bytes // _FEWEST_SEGMENTS))
        self._hash_token = hash_token
        self._descriptor: int | None = None
        self._written = 0
        self._failed = False

    @classmethod
    def of(cls, settings: Settings, hash_token: HashToken | None) -> "KeptRequests | None":
        """What the settings ask for; None where nothing is to be kept."""
        return cls(settings, hash_token) if settings.kept_requests_directory else None

    def keep(self, records: Sequence[bytes]) -> None:
        """Write the requests of these records down; a disk that fails is logged, once, and holds nothing up."""
        written = []
        for record in records:
            with suppress(msgspec.DecodeError):
                written.append(lines.written(decode(record), self._hash_token))
        if not written:
            return
        data = b"\n".join(written) + b"\n"
        try:
            self._write(data)
            self._failed = False
        except OSError as error:
            self.close()
            if not self._failed:
                _log.error(
                    "Recorded requests cannot be kept in %s (%s): check KEPT_REQUESTS_DIRECTORY, its owner and the "
                    "space on its disk. Recording goes on.",
                    self._directory,
                    error.strerror or error,
                )
            self._failed = True

    def close(self) -> None:
        """Close the file in hand."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _write(self, data: bytes) -> None:
        self._delete_old(len(data))
        if self._written + len(data) > self._segment_bytes or self._is_gone():
            self.close()
        if self._descriptor is None:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._directory / f"{time.time_ns():020d}-{os.getpid()}{_ENDING}"
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            self._written = 0
        self._written += len(data)
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def _is_gone(self) -> bool:
        """Whether another worker deleted the file in hand, for it was the oldest."""
        return self._descriptor is not None and os.fstat(self._descriptor).st_nlink == 0

    def _delete_old(self, coming: int) -> None:
        """Delete the oldest files, of whatever worker, until all stay within the limits with what is coming."""
        now, total = time.time(), coming
        for path in reversed(files(self._directory)):
            with suppress(FileNotFoundError):
                status = path.stat()
                total += status.st_size
                if total > self._most_bytes or (self._most_seconds and now - status.st_mtime > self._most_seconds):
                    path.unlink()


def files(directory: Path) -> list[Path]:
    """The files of all workers, the one that was begun first in front."""
    return sorted(directory.glob(f"[0-9]*{_ENDING}"))


def kept_lines(directory: Path) -> Iterator[bytes]:
    """All lines, as far as each file goes in its order, and by time among files."""
    return (line for _, line in heapq.merge(*map(_timed, files(directory)), key=lambda timed: timed[0]))


def _timed(path: Path) -> Iterator[tuple[float, bytes]]:
    try:
        with path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):  # else it is being written
                    with suppress(InvalidLine):
                        yield lines.read(line).received_at, line.rstrip(b"\n")
    except FileNotFoundError:
        return  # it made way in the meantime
