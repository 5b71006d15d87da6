"""How far back log and archives reach, since older ones were purged: what lies before is not archived anew.

An archive of a day whose log is gone would be empty, and one of a month whose days are gone would lack them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from footfall.archiving.periods import Period, PeriodKind
from footfall.archiving.tables import ArchiveTables
from footfall.database import Database
from footfall.options import Options

_LOGS, _REPORTS = "footfall_logs_purged_before", "footfall_reports_purged_before"


class Horizons:
    """Reads and moves the horizons; dates in each site's calendar."""

    def __init__(self, database: Database) -> None:
        self._tables = ArchiveTables(database)
        self._options = Options(database, cache_seconds=5)

    def raise_logs(self, day: date) -> None:
        """Say that the log of the days before is removed."""
        self._raise(_LOGS, day)

    def raise_reports(self, day: date) -> None:
        """Say that archives that ended before are removed."""
        self._raise(_REPORTS, day)

    def kept(self, idsite: int, periods: Iterable[Period]) -> set[Period]:
        """Those of the periods that are not archived (again), because what an archive is made from may be gone.

        The archive of such a period stays as it is. One that was purged together with its log does not come back: it
        would be of what was recorded since, alone. One that there never was can be made.
        """
        logs, reports = self._get(_LOGS), self._get(_REPORTS)
        hidden = [p for p in periods if p.first < (logs if p.kind is PeriodKind.DAY else reports)]
        if not hidden:
            return set()
        archived = self._tables.layers(idsite, min(p.first for p in hidden), max(p.last for p in hidden), [""])
        return {p for p in hidden if ("", p) in archived or (p.last < reports and p.first < logs)}

    def lacks_log(self, period: Period) -> bool:
        """Whether log of the period may be gone."""
        return period.first < self._get(_LOGS)

    def _raise(self, name: str, day: date) -> None:
        if day > self._get(name):
            self._options.set(name, day.isoformat())

    def _get(self, name: str) -> date:
        text = self._options.get(name)
        return date.fromisoformat(text) if text else date.min
