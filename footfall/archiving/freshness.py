"""Decides whether a report has to wait for an archive: where a setting allows archiving on demand, and there is none or
it is outdated.

An archive is outdated when its days received data or were invalidated since it was made, and it has reached an age: so
that a site with traffic is not archived again for every report of today.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from footfall.archiving.horizons import Horizons
from footfall.archiving.logreader import LogReader
from footfall.archiving.periods import Period, PeriodKind, local_date
from footfall.archiving.tables import ArchiveTables, Layers
from footfall.clock import Clock
from footfall.database import Database
from footfall.errors import ConfigurationError

_NONE, _RANGE, _SMALL, _ALL = "none", "range", "small", "all"
MODES: Final = (_NONE, _RANGE, _SMALL, _ALL)


@dataclass(frozen=True)
class WantedArchive:
    """An archive that a report cannot do without."""

    idsite: int
    period: Period
    segment: str


class ArchivesWanted(Exception):
    """A report has to wait until these archives are made; no error, so nothing but the door catches it."""

    def __init__(self, archives: Collection[WantedArchive]) -> None:
        super().__init__("Archives of this report are being prepared: ask again in a moment.")
        self.archives = frozenset(archives)


@dataclass(frozen=True)
class OnDemandRules:
    """What is archived when a report asks for it.

    Args:
        mode: setting `archive_on_demand`.
        most_visits: setting `archive_on_demand_visits`: of a period, for the mode `small`.
        outdated_seconds: setting `today_archive_seconds`: age at which an archive that data came for is made again.

    Raises:
        ConfigurationError: there is no such mode.
    """

    mode: str
    most_visits: int
    outdated_seconds: int

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ConfigurationError(f"ARCHIVE_ON_DEMAND must be one of {', '.join(MODES)}, not {self.mode!r}.")


class Freshness:
    """Looks at the archives that one report request needs; for one thread.

    Args:
        rules: what is archived on demand.
    """

    def __init__(self, database: Database, clock: Clock, rules: OnDemandRules) -> None:
        self._database = database
        self._clock = clock
        self._rules = rules
        self._tables = ArchiveTables(database)
        self._log = LogReader(database)
        self._horizons = Horizons(database)
        self._settled: set[tuple[WantedArchive, str]] = set()
        self._waited_for: Collection[WantedArchive] = ()

    def begin(self, waited_for: Collection[WantedArchive] = ()) -> None:
        """Begin with a request.

        Args:
            waited_for: archives that it has waited for already: what there is of them is used.
        """
        self._settled.clear()
        self._waited_for = waited_for

    def wanted(self, idsite: int, zone: tzinfo, period: Period, segment: str, plugin: str = "") -> WantedArchive | None:
        """The archive, if it has to be made before the report can be answered.

        Args:
            plugin: the only one whose records are needed; empty for all.
        """
        archive = WantedArchive(idsite, period, segment)
        if archive in self._waited_for or (archive, plugin) in self._settled:
            return None
        if self._may_be_made(idsite, zone, period) and self._is_due(archive, zone, plugin):
            return archive
        self._settled.add((archive, plugin))
        return None

    def _may_be_made(self, idsite: int, zone: tzinfo, period: Period) -> bool:
        mode = self._rules.mode
        if mode == _NONE or period.first > local_date(self._clock.now(), zone):
            return False
        if self._horizons.kept(idsite, [period]):
            return False
        if mode == _ALL or period.kind is PeriodKind.RANGE:
            return True
        most = self._rules.most_visits
        return mode == _SMALL and self._log.visit_count(idsite, *period.utc_bounds(zone), most=most + 1) <= most

    def _is_due(self, wanted: WantedArchive, zone: tzinfo, plugin: str) -> bool:
        period = wanted.period
        found = self._tables.layers(wanted.idsite, period.first, period.last, [wanted.segment])
        archive = found.get((wanted.segment, period), Layers()).of(plugin)
        if archive is None:
            # Of nothing there is nothing to make.
            return bool(found) or self._log.has_rows(wanted.idsite, *period.utc_bounds(zone))
        age = self._clock.now().replace(tzinfo=None) - archive.archived_at
        if age.total_seconds() < self._rules.outdated_seconds:
            return False
        return not archive.is_current or self._was_touched(wanted.idsite, period)

    def _was_touched(self, idsite: int, period: Period) -> bool:
        return bool(
            self._database.query(
                f"SELECT 1 FROM {self._database.table('footfall_touched_day')} "
                "WHERE idsite = %s AND date1 >= %s AND date1 <= %s LIMIT 1",
                (idsite, period.first, period.last),
            )
        )
