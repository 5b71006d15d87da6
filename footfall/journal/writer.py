"""Writes entries and timed statements to the database, in a thread of its own, so that nobody waits for it."""

import logging
import threading
import time
from collections.abc import Sequence
from itertools import groupby

import mysql.connector

from footfall.database import Database, is_retryable
from footfall.errors import FootfallError
from footfall.journal.handler import OWN_LOGGER
from footfall.journal.kinds import TABLES, Entry, Kind
from footfall.journal.profile import StatementProfile
from footfall.journal.profile_table import ProfileTable
from footfall.journal.waiting import Waiting
from footfall.settings import Settings

_log = logging.getLogger(OWN_LOGGER)
_LOOK_SECONDS = 1.0
_PROFILE_SECONDS = 5.0
_LONGEST_PAUSE = 30.0
_STOP_SECONDS = 2.0
_ENTRIES_AT_ONCE = 500
_COMPLAIN_SECONDS = 60.0


class Writer:
    """The thread.

    Args:
        waiting: where entries come from.
        profile: where timed statements come from; None without SQL_PROFILING.
    """

    def __init__(self, settings: Settings, waiting: Waiting, profile: StatementProfile | None) -> None:
        self._settings = settings
        self._waiting = waiting
        self._profile = profile
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._profiled_at = time.monotonic()
        self._complain_at = float("-inf")

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits and end; what cannot be written within two seconds is lost."""
        self._stopping.set()
        self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        pause = _LOOK_SECONDS
        while not self._stopping.wait(pause):
            pause = _LOOK_SECONDS if self._write(_PROFILE_SECONDS) else min(pause * 2, _LONGEST_PAUSE)
        self._write(0.0)

    def _write(self, profile_seconds: float) -> bool:
        """Write what there is; whether the database took it.

        Args:
            profile_seconds: the age of the last profile at which the next one is written.
        """
        entries = self._waiting.take(_ENTRIES_AT_ONCE)
        is_profile_due = self._profile is not None and time.monotonic() - self._profiled_at >= profile_seconds
        if not entries and not is_profile_due:
            return True
        # A connection for each time: an idle one would count against max_connections, and must not outlive a fork.
        database = Database(self._settings)
        database.observer = None  # what the journal does itself is not timed
        try:
            while entries:
                with database.transaction():
                    self._insert(database, entries)
                entries = self._waiting.take(_ENTRIES_AT_ONCE)
            if self._profile is not None and is_profile_due:
                ProfileTable(database).add(self._profile)
                self._profiled_at = time.monotonic()
            self._complain_about_lost()
            return True
        except (mysql.connector.Error, FootfallError) as error:
            self._waiting.put_back(entries)
            self._complain(f"The journal cannot be written and waits: {error}")
            return False
        finally:
            database.close()

    def _insert(self, database: Database, entries: Sequence[Entry]) -> None:
        for kind, found in groupby(sorted(entries, key=lambda entry: entry.kind), key=lambda entry: entry.kind):
            rows = list(found)
            try:
                _insert_rows(database, kind, rows)
            except mysql.connector.Error as error:
                if is_retryable(error):
                    raise
                self._insert_singly(database, kind, rows)

    def _insert_singly(self, database: Database, kind: Kind, rows: Sequence[Entry]) -> None:
        """Write those that the table takes; the others are lost."""
        for row in rows:
            try:
                _insert_rows(database, kind, [row])
            except mysql.connector.Error as error:
                if is_retryable(error):
                    raise
                self._waiting.drop()
                self._complain(f"An entry of the journal is lost: {error}")

    def _complain_about_lost(self) -> None:
        if lost := self._waiting.take_dropped():
            self._complain(
                f"{lost} entries of the journal are lost: there were too many, or they could not be written."
            )

    def _complain(self, sentence: str) -> None:
        if time.monotonic() >= self._complain_at:
            self._complain_at = time.monotonic() + _COMPLAIN_SECONDS
            _log.warning(sentence)


def _insert_rows(database: Database, kind: Kind, rows: Sequence[Entry]) -> None:
    table = TABLES[kind]
    columns = ", ".join(f"`{column}`" for column in table.columns)
    marks = ", ".join([f"({', '.join(['%s'] * len(table.columns))})"] * len(rows))
    database.execute(
        f"INSERT INTO {database.table(table.name)} ({columns}) VALUES {marks}",
        [_storable(value) for row in rows for value in row.values],
    )


def _storable(value: object) -> object:
    """A text as the driver takes it: without lone surrogates."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
