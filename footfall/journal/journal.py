"""The journal: what Footfall writes down about itself in the database, as far as settings ask for it.

Log lines, exceptions and API calls go into the `logger_*` tables (LOG_TO_DATABASE), the times of statements into
`log_profiling` (SQL_PROFILING). Nobody waits for it and nothing fails because of it: entries wait in memory, within
limits, for a thread with a connection of its own; what does not fit is dropped and counted.
"""

import logging
from collections.abc import Callable
from types import TracebackType

from footfall.database import Database
from footfall.journal.handler import JournalHandler
from footfall.journal.kinds import Entry, Kind, wanted_kinds
from footfall.journal.profile import StatementProfile, share
from footfall.journal.waiting import Waiting
from footfall.journal.writer import Writer
from footfall.settings import Settings

_LOGGED = frozenset({Kind.ERRORS, Kind.MESSAGES, Kind.EXCEPTIONS})


class Journal:
    """The journal of this process, while it is open: between `start` and `stop`, or in a `with` block.

    A process that forks starts another one in the child.

    Raises:
        ConfigurationError: LOG_TO_DATABASE or SQL_PROFILING cannot be understood.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._kinds = wanted_kinds(settings.log_to_database)
        self._share = share(settings.sql_profiling)
        self._waiting = Waiting()
        self._handler: JournalHandler | None = None
        self._writer: Writer | None = None

    def wants(self, kind: Kind) -> bool:
        """Whether entries of this kind are written down."""
        return kind in self._kinds

    def add(self, kind: Kind, values: Callable[[], tuple[object, ...]]) -> None:
        """Write an entry down soon, where its kind is wanted. Returns at once and never fails.

        Args:
            values: makes the values of the columns of its table; called here, unless there is no room.
        """
        if kind not in self._kinds:
            return
        if self._waiting.is_full():
            self._waiting.drop()
        else:
            self._waiting.add(Entry(kind, values()))

    def start(self) -> None:
        """Open the journal; log lines of this process come into it from now on, its statements are timed."""
        if not self._kinds and not self._share:
            return
        profile = StatementProfile(self._share) if self._share else None
        if self._kinds & _LOGGED:
            self._handler = JournalHandler(self._kinds, self._waiting)
            logging.getLogger().addHandler(self._handler)
        Database.observer = profile
        self._writer = Writer(self._settings, self._waiting, profile)
        self._writer.start()

    def stop(self) -> None:
        """Close the journal; writes what waits, for two seconds at most."""
        if self._handler is not None:
            logging.getLogger().removeHandler(self._handler)
            self._handler = None
        if self._writer is not None:
            Database.observer = None
            self._writer.stop()
            self._writer = None

    def __enter__(self) -> "Journal":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
