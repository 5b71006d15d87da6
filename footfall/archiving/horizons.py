"""How far back log and archives reach, since older ones were purged: what lies before is not archived anew.

An archive of a day whose log is gone would be empty, and one of a month whose days are gone would lack them.
"""

from __future__ import annotations

from datetime import date

from footfall.archiving.periods import Period, PeriodKind
from footfall.database import Database
from footfall.options import Options

_LOGS, _REPORTS = "footfall_logs_purged_before", "footfall_reports_purged_before"


class Horizons:
    """Reads and moves the horizons; dates in each site's calendar."""

    def __init__(self, database: Database) -> None:
        self._options = Options(database, cache_seconds=60)

    def raise_logs(self, day: date) -> None:
        """Say that the log of the days before is removed."""
        self._raise(_LOGS, day)

    def raise_reports(self, day: date) -> None:
        """Say that archives that ended before are removed."""
        self._raise(_REPORTS, day)

    def hides(self, period: Period) -> bool:
        """Whether what an archive of the period is made from may be gone."""
        return period.first < self._get(_LOGS if period.kind is PeriodKind.DAY else _REPORTS)

    def _raise(self, name: str, day: date) -> None:
        if day > self._get(name):
            self._options.set(name, day.isoformat())

    def _get(self, name: str) -> date:
        text = self._options.get(name)
        return date.fromisoformat(text) if text else date.min
