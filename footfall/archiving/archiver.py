"""Makes archives: a day from its log, a higher period from the archives of the periods inside it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from cachetools import LRUCache

from footfall.archiving.blob import StoredTable, stored, to_blobs
from footfall.archiving.datatable import DataTable
from footfall.archiving.daylog import site_hours
from footfall.archiving.invalidations import Invalidations
from footfall.archiving.locks import SiteLock
from footfall.archiving.logreader import LogReader
from footfall.archiving.periods import Period, PeriodKind, local_date
from footfall.archiving.reader import table_of
from footfall.archiving.records import (
    BlobRecord,
    Builder,
    Combine,
    RecordBuilder,
    RecordIndex,
    builders_for,
    columns_read,
)
from footfall.archiving.setup import SiteSetup
from footfall.archiving.summing import TableSum, limit
from footfall.archiving.tables import CURRENT, Archive, ArchiveTables, DoneStatus, month_of
from footfall.clock import Clock
from footfall.database import Database
from footfall.errors import FootfallError, InvalidInput
from footfall.sites import Site, Sites

_COUNTED_ANEW = (PeriodKind.WEEK, PeriodKind.MONTH)  # the higher periods whose distinct visitors are counted
_COMBINED: dict[Combine, Callable[[list[float]], float]] = {Combine.SUM: sum, Combine.MAX: max, Combine.MIN: min}


_PLANS_KEPT = 100


@dataclass(frozen=True)
class _Plan:
    """What is archived for sites of one setup, and the columns that are read for it."""

    builders: tuple[RecordBuilder, ...]
    records: RecordIndex
    columns: dict[str, tuple[str, ...]]


class Archiver:
    """Makes the archives of one site at a time, over one database connection.

    Args:
        database: used by nobody else meanwhile.
        builders: what plugins archive.
        clock: says when an archive is made, and what today is.
    """

    def __init__(self, database: Database, builders: Iterable[Builder], clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._builders = tuple(builders)
        self._plans: LRUCache[SiteSetup, _Plan] = LRUCache(_PLANS_KEPT)
        self._log = LogReader(database)
        self._tables = ArchiveTables(database)
        self._sites = Sites(database, cache_seconds=0)

    def site(self, idsite: int) -> Site:
        """The site.

        Raises:
            InvalidInput: there is none with this id.
        """
        site = self._sites.get(idsite)
        if site is None:
            raise InvalidInput(f"There is no site {idsite}: `footfall site list` shows those there are.")
        return site

    def today(self, site: Site) -> date:
        """The present day of the site."""
        return local_date(self._clock.now(), site.days.zone)

    def ensure(self, idsite: int, period: Period, segment: str = "", *, wait_seconds: float = 600) -> bool:
        """Make the archive of the period, and those it is made of, unless it is up to date; for reports.

        Returns:
            Whether anything had to be made.

        Raises:
            FootfallError: there is no such site, or another process works the site for longer than `wait_seconds`.
        """
        if segment:
            raise InvalidInput("Archives of segments cannot be made yet: leave the segment out.")
        site, lock = self.site(idsite), SiteLock(self._database, idsite)
        if not lock.acquire(wait_seconds):
            raise FootfallError(f"Site {idsite} is being archived by another process: try again later.")
        try:
            queue = Invalidations(self._database, self._clock)
            queue.take_touched(idsite, [day for day in queue.touched_days(idsite) if period.contains(day)])
            archive = self._tables.find(idsite, period)
            if archive is not None and archive.status in CURRENT:
                return False
            self.make(site, period, lock)
            return True
        finally:
            lock.release()

    def make(self, site: Site, period: Period, lock: SiteLock) -> Archive:
        """Make the archive of the period anew, and what is missing or invalidated of the periods inside it.

        Args:
            lock: the lock of the site, held.
        """
        archived_at = self._clock.now().replace(tzinfo=None, microsecond=0)
        numbers, blobs = (
            self._of_day(site, period) if period.kind is PeriodKind.DAY else self._of_parts(site, period, lock)
        )
        idarchive = self._database.retrying(lambda: self._tables.next_id(period))
        archive = Archive(idarchive, site.idsite, period, DoneStatus.OK, archived_at)

        def write() -> None:
            with self._database.transaction():
                lock.require()
                self._tables.write(archive, numbers, blobs)

        self._database.retrying(write)
        replaced = self._tables.older_than(archive)
        self._database.retrying(lambda: self._tables.delete(month_of(period.first), replaced))
        return archive

    def has_log(self, site: Site, period: Period) -> bool:
        """Whether the log has anything of the period."""
        return self._log.has_rows(site.idsite, *period.utc_bounds(site.days.zone))

    def find(self, site: Site, period: Period) -> Archive | None:
        """The newest readable archive of the period."""
        return self._tables.find(site.idsite, period)

    def _plan(self, site: Site) -> _Plan:
        setup = SiteSetup.of(site)
        plan = self._plans.get(setup)
        if plan is None:
            builders = builders_for(setup, self._builders)
            plan = self._plans[setup] = _Plan(builders, RecordIndex(builders), columns_read(builders))
        return plan

    # A day

    def _of_day(self, site: Site, period: Period) -> tuple[dict[str, float], dict[str, bytes]]:
        numbers: dict[str, float] = {}
        blobs: dict[str, bytes] = {}
        zone, plan = site.days.zone, self._plan(site)
        day = self._log.read(plan.columns, site.idsite, *period.utc_bounds(zone), site_hours(period.first, zone))
        if day.is_empty:
            return numbers, blobs
        for builder in plan.builders:
            for name, value in builder.compute(day).items():
                if isinstance(value, StoredTable):
                    blobs.update(to_blobs(name, value))
                elif isinstance(value, DataTable):
                    numbers.update(plan.records.counts(name, value))
                    blobs.update(_limited_blobs(plan.records.table(name), name, value))
                else:
                    numbers[name] = value
        return numbers, blobs

    # A higher period

    def _of_parts(self, site: Site, period: Period, lock: SiteLock) -> tuple[dict[str, float], dict[str, bytes]]:
        archives, records = self._parts(site, period, lock), self._plan(site).records
        numbers = self._combined_numbers(records, archives) | self._distinct(records, site, period, archives)
        blobs: dict[str, bytes] = {}
        present = self._tables.blob_names(archives)
        for record in records.tables if archives else ():
            table = self._combined_table(record, archives) if record.name in present else DataTable()
            numbers.update(records.counts(record.name, table))
            blobs.update(_limited_blobs(record, record.name, table))
        return numbers, blobs

    def _parts(self, site: Site, period: Period, lock: SiteLock) -> list[Archive]:
        """The archives of the periods that the period is made of; those without any log data have none."""
        present = self._tables.find_within(site.idsite, period.first, period.last)
        found = []
        for part in period.parts():
            archive = present.get(part)
            if (archive.status not in CURRENT) if archive else self.has_log(site, part):
                archive = self.make(site, part, lock)
            if archive is not None:
                found.append(archive)
        return found

    def _combined_numbers(self, records: RecordIndex, archives: Collection[Archive]) -> dict[str, float]:
        values: dict[str, list[float]] = {}
        for numbers in self._tables.numeric(archives).values():
            for name, value in numbers.items():
                values.setdefault(name, []).append(value)
        found = {}
        for name, members in values.items():
            record = records.number(name)
            if record is None or record.distinct or record.rows_of:
                continue
            if record.combine in _COMBINED:
                found[name] = _COMBINED[record.combine](members)
        return found

    def _distinct(
        self, records: RecordIndex, site: Site, period: Period, archives: Collection[Archive]
    ) -> dict[str, float]:
        if period.kind not in _COUNTED_ANEW or not archives:
            return {}
        counts = self._log.distinct(tuple(records.distinct.values()), site.idsite, *period.utc_bounds(site.days.zone))
        return dict(zip(records.distinct, map(float, counts), strict=True))

    def _combined_table(self, record: BlobRecord, archives: Sequence[Archive]) -> DataTable:
        total = TableSum(record.combine)
        for blobs in self._tables.blobs_of(archives, record.name):
            total.add(table_of(blobs, record.name, expanded=True))
        return total.table()


def _limited_blobs(record: BlobRecord | None, name: str, table: DataTable) -> dict[str, bytes]:
    if record is None:
        raise TypeError(f"no plugin declares the table {name} that one computes")
    return to_blobs(name, stored(limit(table, record)))
