"""Why archives could not be made the last time, for as long as they wait to be tried again.

The queue (`archive_invalidations`, Matomo's) has no room for it: one row for each archive that waits as failed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from footfall.archiving.periods import Period, PeriodKind
from footfall.clock import Clock
from footfall.database import Database

_LONGEST_REASON = 500  # of the column
_FAILED = 2  # InvalidationStatus.FAILED


@dataclass(frozen=True)
class Failure:
    """What went wrong with an archive.

    Args:
        at: when it failed last, in UTC.
        attempts: how often it has failed since it was last made.
        reason: the error, cut to 500 characters.
    """

    at: datetime
    attempts: int
    reason: str


Failed = tuple[int, Period, str]  # site, period, name of the done flag


class Failures:
    """The failures of one installation."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._table = database.table("footfall_archive_failure")

    def note(self, idsite: int, period: Period, flag: str, error: Exception) -> None:
        """Remember why an archive could not be made."""
        reason = f"{type(error).__name__}: {error}"[:_LONGEST_REASON]
        now = self._clock.now().replace(tzinfo=None, microsecond=0)
        self._database.retrying(
            lambda: self._database.execute(
                f"INSERT INTO {self._table} (idsite, period, date1, date2, name, ts_failed, attempts, reason) "
                "VALUES (%s, %s, %s, %s, %s, %s, 1, %s) ON DUPLICATE KEY UPDATE "
                "ts_failed = VALUES(ts_failed), attempts = attempts + 1, reason = VALUES(reason)",
                (idsite, int(period.kind), period.first, period.last, flag, now, reason),
            )
        )

    def forget_made(self, idsite: int) -> None:
        """Forget those of a site's archives that do not wait as failed any more."""
        self._database.retrying(
            lambda: self._database.execute(
                f"DELETE failure FROM {self._table} failure "
                f"LEFT JOIN {self._database.table('archive_invalidations')} waiting ON waiting.idsite = failure.idsite "
                "AND waiting.date1 = failure.date1 AND waiting.date2 = failure.date2 "
                "AND waiting.period = failure.period AND waiting.name = failure.name AND waiting.status = %s "
                "WHERE failure.idsite = %s AND waiting.idinvalidation IS NULL",
                (_FAILED, idsite),
            )
        )

    def all(self) -> dict[Failed, Failure]:
        """What is known, by archive."""
        rows = self._database.query(
            f"SELECT idsite, period, date1, date2, name, ts_failed, attempts, reason FROM {self._table}"
        )
        return {
            (idsite, Period(PeriodKind(kind), first, last), name): Failure(at, attempts, reason)
            for idsite, kind, first, last, name, at, attempts, reason in rows
        }
