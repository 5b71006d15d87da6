"""The queue of archives to make: rows of archive_invalidations, and the touched days that become such rows.

Order: days before weeks, months, years and ranges; all visits before segments; newest first. What is wanted of one
period is made together, from one reading of the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum
from typing import Any

from footfall.archiving.failures import Failures
from footfall.archiving.horizons import Horizons
from footfall.archiving.periods import Period, PeriodKind
from footfall.archiving.scope import VISITS, Scope
from footfall.archiving.tables import ArchiveTables
from footfall.clock import Clock
from footfall.database import Database

_ROWS_PER_STATEMENT = 500


class InvalidationStatus(IntEnum):
    """Values of `status`; Matomo knows the first two."""

    WAITING = 0
    STARTED = 1
    FAILED = 2


@dataclass(frozen=True)
class Invalidation:
    """An archive to make, and the rows of the queue that ask for it.

    Args:
        name: of the done flag.
        report: the only record that is meant; empty for all.
    """

    idsite: int
    period: Period
    name: str
    report: str
    ids: tuple[int, ...]
    status: InvalidationStatus = InvalidationStatus.WAITING
    since: datetime | None = None

    @property
    def order(self) -> tuple[int, bool, int]:
        """What the queue is sorted by."""
        return (self.period.kind, self.name != VISITS.flag, -self.period.first.toordinal())


class Invalidations:
    """The queue of one installation."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._tables = ArchiveTables(database)
        self._horizons = Horizons(database)
        self._failures = Failures(database, clock)
        self._clock = clock
        self._queue = database.table("archive_invalidations")
        self._touched = database.table("footfall_touched_day")

    # Adding

    def add(self, idsite: int, periods: Iterable[Period], scope: Scope = VISITS) -> int:
        """Mark the archives of these periods as invalidated and queue the periods, equal ones once.

        Those whose archives have to stay as they are (`Horizons.kept`) are left out.

        Returns:
            The number of periods that were not waiting already.
        """
        asked = set(periods)
        wanted = sorted(asked - self._horizons.kept(idsite, asked))
        self._tables.invalidate(idsite, wanted, scope.flag)
        return self._enqueue(idsite, wanted, scope, InvalidationStatus.WAITING)

    def add_failed(self, idsite: int, period: Period, scope: Scope, error: Exception) -> None:
        """Queue an archive that could not be made; it is tried again in the next round."""
        self._enqueue(idsite, [period], scope, InvalidationStatus.FAILED)
        self._failures.note(idsite, period, scope.flag, error)

    def _enqueue(self, idsite: int, wanted: Sequence[Period], scope: Scope, status: InvalidationStatus) -> int:
        if not wanted:
            return 0
        waiting = {
            Period(PeriodKind(kind), first, last)
            for kind, first, last in self._database.query(
                f"SELECT period, date1, date2 FROM {self._queue} WHERE idsite = %s AND date1 >= %s AND date1 <= %s "
                "AND name = %s AND status = %s AND COALESCE(report, '') = %s",
                (idsite, min(p.first for p in wanted), max(p.first for p in wanted), scope.flag, status, scope.record),
            )
        }
        new = [period for period in wanted if period not in waiting]
        now = self._now()
        for start in range(0, len(new), _ROWS_PER_STATEMENT):
            rows = new[start : start + _ROWS_PER_STATEMENT]
            self._database.execute(
                f"INSERT INTO {self._queue} (name, report, idsite, date1, date2, period, ts_invalidated, status) "
                "VALUES " + ", ".join(["(%s, %s, %s, %s, %s, %s, %s, %s)"] * len(rows)),
                [
                    value
                    for p in rows
                    for value in (scope.flag, scope.record or None, idsite, p.first, p.last, int(p.kind), now, status)
                ],
            )
        return len(new)

    def touched_days(self, idsite: int) -> list[date]:
        """The days of the site that received log rows since they were last archived."""
        rows = self._database.query(f"SELECT date1 FROM {self._touched} WHERE idsite = %s ORDER BY date1", (idsite,))
        return [day for (day,) in rows]

    def all_touched_days(self) -> dict[int, list[date]]:
        """The same of all sites that have such days."""
        found: dict[int, list[date]] = {}
        for idsite, day in self._database.query(f"SELECT idsite, date1 FROM {self._touched} ORDER BY idsite, date1"):
            found.setdefault(idsite, []).append(day)
        return found

    def take_touched(self, idsite: int, days: Sequence[date]) -> None:
        """Queue touched days, the periods above them and the ranges over them, and forget that they were touched.

        A day is forgotten only after it is queued and before its log is read: whoever writes to it from then on touches
        it anew. The removal waits for transactions that are about to touch the day, so their rows will be read.
        """
        if not days:
            return
        periods = {above for day in days for above in Period.of(PeriodKind.DAY, day).above()}
        periods |= {Period.of(PeriodKind.DAY, day) for day in days}
        periods |= {
            period
            for period in self._tables.ranges(idsite, min(days), max(days))
            if any(period.contains(day) for day in days)
        }
        self._database.retrying(lambda: self.add(idsite, periods))
        for start in range(0, len(days), _ROWS_PER_STATEMENT):
            chunk = sorted(days)[start : start + _ROWS_PER_STATEMENT]
            self._write(
                f"DELETE FROM {self._touched} WHERE idsite = %s AND date1 IN ({_marks(chunk)})", (idsite, *chunk)
            )

    def touch(self, idsite: int, day: date) -> None:
        """Have the day archived again by the next run."""
        self._write(
            f"INSERT IGNORE INTO {self._touched} (idsite, date1, ts_touched) VALUES (%s, %s, %s)",
            (idsite, day, self._now()),
        )

    # Working

    def sites_with_work(self, idsites: Sequence[int]) -> set[int]:
        """Those of the sites that have queued rows or touched days."""
        rows = self._database.query(
            f"SELECT DISTINCT idsite FROM {self._queue} UNION SELECT DISTINCT idsite FROM {self._touched}"
        )
        return {idsite for (idsite,) in rows}.intersection(idsites)

    def of_site(self, idsite: int) -> list[Invalidation]:
        """What is queued for a site, in order, equal rows together."""
        return self._select("WHERE idsite = %s", (idsite,))

    def all(self) -> list[Invalidation]:
        """What is queued for all sites, in order within each site."""
        return self._select("", ())

    def _select(self, condition: str, values: Sequence[int]) -> list[Invalidation]:
        rows = self._database.query(
            "SELECT idinvalidation, idsite, name, COALESCE(report, ''), period, date1, date2, status, ts_invalidated "
            f"FROM {self._queue} {condition} ORDER BY idinvalidation",
            values,
        )
        groups: dict[tuple[int, Period, str, str], list[tuple[int, int, datetime | None]]] = {}
        for number, idsite, name, report, kind, first, last, status, since in rows:
            key = (idsite, Period(PeriodKind(kind), first, last), name, report)
            groups.setdefault(key, []).append((number, status or 0, since))
        found = [
            Invalidation(
                idsite,
                period,
                name,
                report,
                tuple(number for number, _, _ in members),
                InvalidationStatus(max(status for _, status, _ in members)),
                members[0][2],
            )
            for (idsite, period, name, report), members in groups.items()
        ]
        return sorted(found, key=lambda invalidation: (invalidation.idsite, invalidation.order))

    def start(self, invalidations: Sequence[Invalidation]) -> None:
        """Say that their archives are being made."""
        self._set(invalidations, InvalidationStatus.STARTED, self._now())

    def fail(self, invalidations: Sequence[Invalidation], error: Exception) -> None:
        """Say that their archives could not be made; they are tried again in the next round."""
        self._set(invalidations, InvalidationStatus.FAILED, None)
        for invalidation in invalidations:
            self._failures.note(invalidation.idsite, invalidation.period, invalidation.name, error)

    def finish(self, invalidations: Sequence[Invalidation]) -> None:
        """Remove their rows; those that came meanwhile stay."""
        ids = _ids(invalidations)
        self._write(f"DELETE FROM {self._queue} WHERE idinvalidation IN ({_marks(ids)})", ids)

    def _set(self, invalidations: Sequence[Invalidation], status: InvalidationStatus, started: datetime | None) -> None:
        ids = _ids(invalidations)
        self._write(
            f"UPDATE {self._queue} SET status = %s, ts_started = %s WHERE idinvalidation IN ({_marks(ids)})",
            (status, started, *ids),
        )

    def _write(self, sql: str, values: Sequence[Any]) -> None:
        """Run one statement, again when others were in the way."""
        self._database.retrying(lambda: self._database.execute(sql, values))

    def _now(self) -> datetime:
        return self._clock.now().replace(tzinfo=None, microsecond=0)


def _ids(invalidations: Iterable[Invalidation]) -> list[int]:
    return [number for invalidation in invalidations for number in invalidation.ids]


def _marks(values: Sequence[Any]) -> str:
    return ", ".join(["%s"] * len(values))
