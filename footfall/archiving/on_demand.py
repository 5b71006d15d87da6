"""Asking for an archive that a report needs now: a job per archive, and a value that says what became of it.

The value `archive-asked:<archive>` exists while the job waits or runs, so that an archive is not asked for twice at
once. Whoever waits looks at it: the job removes it when the archive is made, or leaves the word "failed" there for a
while. It expires soon and the running job renews it, so that a killed worker strands nobody; that it is gone is
therefore no proof that the archive is there. A second job for the same archive is harmless: it finds it made.
"""

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from hashlib import md5

from footfall.archiving.freshness import WantedArchive
from footfall.errors import FootfallError, QueueUnavailable
from footfall.queue.backend import Backend

ARCHIVE_JOB = "queue_workers.archive_job.archive"
_JOB_SECONDS = 1800
_ASKED_SECONDS = 60
_RENEW_SECONDS = 20
_FAILED = b"failed"
_FAILED_SECONDS = 10  # how long an archive that could not be made is not tried again


class ArchiveFailed(FootfallError):
    """The job that should have made an archive failed."""


class ArchiveRequests:
    """The archives asked for."""

    def __init__(self, queue: Backend) -> None:
        self._board = queue.board
        self._drains = queue.drains

    def ask(self, wanted: WantedArchive) -> None:
        """Have the archive made unless somebody has asked for it already."""
        period = wanted.period
        if self._board.put(_name(wanted), b"1", _ASKED_SECONDS, only_new=True):
            arguments = (wanted.idsite, period.kind.label, str(period.first), str(period.last), wanted.segment)
            self._drains.put_job(ARCHIVE_JOB, arguments, _JOB_SECONDS)

    def unfinished(self, wanted: Collection[WantedArchive]) -> set[WantedArchive]:
        """Those of the archives that are still waiting or being made.

        Raises:
            ArchiveFailed: one cannot be made.
        """
        archives = list(wanted)
        states = self._board.get([_name(archive) for archive in archives])
        if _FAILED in states:
            raise ArchiveFailed("The archive that this report needs cannot be made: the worker's log says why.")
        return {archive for archive, state in zip(archives, states, strict=True) if state is not None}

    @contextmanager
    def working(self, wanted: WantedArchive) -> Iterator[None]:
        """While the block makes the archive, those who wait know; after it they know whether it was made."""
        name, done = _name(wanted), threading.Event()

        def renew() -> None:
            while not done.wait(_RENEW_SECONDS):
                with suppress(QueueUnavailable):
                    self._board.put(name, b"1", _ASKED_SECONDS)

        self._board.put(name, b"1", _ASKED_SECONDS)
        renewing = threading.Thread(target=renew, daemon=True)
        renewing.start()
        try:
            yield
        except BaseException:
            done.set()
            renewing.join()
            self._board.put(name, _FAILED, _FAILED_SECONDS)
            raise
        done.set()
        renewing.join()
        self._board.delete(name)


def _name(wanted: WantedArchive) -> str:
    period = wanted.period
    name = f"archive-asked:{wanted.idsite}:{period.kind.label}:{period.first}:{period.last}"
    return f"{name}:{md5(wanted.segment.encode()).hexdigest()}" if wanted.segment else name
