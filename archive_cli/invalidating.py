"""Works out which archives change with some dates, and queues them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from footfall.archiving.invalidations import Invalidations
from footfall.archiving.periods import Period, PeriodKind
from footfall.archiving.tables import ArchiveTables
from footfall.clock import Clock
from footfall.database import Database

Days = tuple[date, date]


def invalidate_sites(
    database: Database,
    clock: Clock,
    sites: Sequence[int],
    dates: Sequence[Days],
    kinds: Collection[PeriodKind],
    segment: str,
    *,
    cascade: bool,
) -> int:
    """Invalidate the periods around these days for each site; how many were not waiting already."""
    queue, tables = Invalidations(database, clock), ArchiveTables(database)
    periods = periods_of(dates, kinds, cascade=cascade)
    count = 0
    for idsite in sites:
        ranges = {found for first, last in dates for found in tables.ranges(idsite, first, last)}
        count += queue.add(idsite, periods | ranges, segment)
    return count


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
