"""Works out which archives change with some dates, and queues them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from footfall.archiving.archiver import Archiver
from footfall.archiving.horizons import Horizons
from footfall.archiving.invalidations import Invalidations
from footfall.archiving.periods import Period, PeriodKind
from footfall.archiving.scope import Scope, done_flag
from footfall.archiving.stored_segments import StoredSegments
from footfall.archiving.tables import ArchiveTables
from footfall.clock import Clock
from footfall.database import Database
from footfall.errors import InvalidInput
from footfall.plugins import archived

Days = tuple[date, date]


@dataclass(frozen=True)
class Queued:
    """What came of it.

    Args:
        waiting: the number of archives that were not waiting already.
        on_demand: the number of sites where nobody archives the segment: its archives are made again when a report
            asks for them.
        kept: the number of archives that stay as they are, because what they were made from is purged.
    """

    waiting: int = 0
    on_demand: int = 0
    kept: int = 0


class Invalidating:
    """Queues archives of sites."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._queue = Invalidations(database, clock)
        self._tables = ArchiveTables(database)
        self._stored = StoredSegments(database)
        self._horizons = Horizons(database)
        self._archiver = Archiver(database, archived(), clock)

    def around(
        self,
        sites: Sequence[int],
        dates: Sequence[Days],
        kinds: Collection[PeriodKind],
        segment: str,
        *,
        cascade: bool,
    ) -> Queued:
        """The periods around these days.

        Raises:
            InvalidInput: the segment makes no sense for any of the sites.
        """
        periods = periods_of(dates, kinds, cascade=cascade)
        wanted = {
            idsite: periods | {found for first, last in dates for found in self._tables.ranges(idsite, first, last)}
            for idsite in sites
        }
        return self._add(wanted, Scope(segment))

    def again(self, sites: Sequence[int], since: date, scope: Scope) -> Queued:
        """All periods that are archived and end on that day or later.

        Raises:
            InvalidInput: the segment, the plugin or its record makes no sense for any of the sites.
        """
        found = {idsite: self._tables.archived_since(idsite, since) for idsite in sites}
        return self._add(found, scope)

    def _add(self, wanted: dict[int, set[Period]] | dict[int, list[Period]], scope: Scope) -> Queued:
        fitting, problem = [], None
        for idsite in wanted:
            try:
                self._archiver.check(self._archiver.site(idsite), scope)
            except InvalidInput as error:
                problem = error
            else:
                fitting.append(idsite)
        if problem is not None and not fitting:
            raise problem
        waiting = on_demand = kept = 0
        for idsite, definitions in self._stored.of_sites(fitting).items():
            staying = self._horizons.kept(idsite, wanted[idsite])
            kept += len(staying)
            if scope.segment and done_flag(scope.segment) not in map(done_flag, definitions):
                on_demand += 1
                self._tables.invalidate(idsite, set(wanted[idsite]) - staying, scope.flag)
            else:
                waiting += self._queue.add(idsite, wanted[idsite], scope)
        return Queued(waiting, on_demand, kept)


def periods_of(dates: Sequence[Days], kinds: Collection[PeriodKind], *, cascade: bool) -> set[Period]:
    """The periods of these kinds that contain one of the days, those above them, and with `cascade` those inside."""
    days = {day for first, last in dates for day in Period.range(first, last).days()}
    lowest = min(kinds)
    found = {period for day in days for period in (day, *day.above()) if period.kind >= lowest}
    if PeriodKind.RANGE in kinds:
        found |= {Period.range(first, last) for first, last in dates}
    if cascade:
        inside = {day for period in found if period.kind in kinds for day in period.days()}
        found |= {period for day in inside for period in (day, *day.above())}
    return found
