"""Makes archives: a day from its log, a higher period from the archives of the periods inside it.

Everything that is wanted of a day, of however many segments, is computed from one reading of its log.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial

from footfall.archiving.contents import kept, limited_blobs
from footfall.archiving.datatable import DataTable
from footfall.archiving.day_contents import DayContents, Outcomes, decides_all
from footfall.archiving.daylog import site_hours
from footfall.archiving.distinct import DistinctCounts
from footfall.archiving.horizons import Horizons
from footfall.archiving.invalidations import Invalidations
from footfall.archiving.locks import SiteLock
from footfall.archiving.logreader import LogReader
from footfall.archiving.periods import Period, PeriodKind, local_date
from footfall.archiving.plan import Archived, Plan, Plans
from footfall.archiving.records import BlobRecord, Combine, RecordIndex
from footfall.archiving.scope import Scope
from footfall.archiving.setup import SiteSetup
from footfall.archiving.table_sum import TableSum
from footfall.archiving.tables import Archive, ArchiveTables, Blobs, Content, DoneStatus, Layers
from footfall.archiving.telemetry import Making, Telemetry
from footfall.clock import Clock
from footfall.database import Database
from footfall.errors import FootfallError, InvalidInput
from footfall.packets import groups
from footfall.sites import Site, Sites

_COUNTED_ANEW = (PeriodKind.WEEK, PeriodKind.MONTH)  # the higher periods whose distinct visitors are counted
_BYTES_AT_ONCE = 2_000_000  # of stored records, which take some thirty times as much memory as rows
_COMBINED: dict[Combine, Callable[[list[float]], float]] = {Combine.SUM: sum, Combine.MAX: max, Combine.MIN: min}


@dataclass(frozen=True)
class Made:
    """What became of the archives of a period.

    Args:
        failed: why the archive of a scope could not be made.
    """

    archives: dict[Scope, Archive] = field(default_factory=dict)
    failed: dict[Scope, Exception] = field(default_factory=dict)


class Archiver:
    """Makes the archives of one site at a time, over one database connection.

    Args:
        database: used by nobody else meanwhile.
        archived: what plugins archive.
        clock: says when an archive is made, and what today is.
        telemetry: is told of every archive; default, it logs them.
    """

    def __init__(
        self, database: Database, archived: Archived, clock: Clock, telemetry: Telemetry | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._telemetry = telemetry or Telemetry(clock)
        self._plans = Plans(archived)
        self._log = LogReader(database)
        self._distinct = DistinctCounts(self._log)
        self._tables = ArchiveTables(database)
        self._sites = Sites(database, cache_seconds=0)
        self._horizons = Horizons(database)

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
            InvalidInput: there is no such site, or the segment cannot be read.
            FootfallError: another process works the site for longer than `wait_seconds`, or an archive cannot be made.
        """
        site, lock = self.site(idsite), SiteLock(self._database, idsite)
        scopes = self.scopes(site, [segment])
        if not lock.acquire(wait_seconds):
            raise FootfallError(f"Site {idsite} is being archived by another process: try again later.")
        try:
            queue = Invalidations(self._database, self._clock)
            queue.take_touched(idsite, [day for day in queue.touched_days(idsite) if period.contains(day)])
            missing = self._missing(site, period, scopes)
            if not missing or self.is_final(site, period):
                return False
            for error in self.make(site, period, lock, missing).failed.values():
                raise error
            return True
        finally:
            lock.release()

    def scopes(self, site: Site, segments: Iterable[str]) -> list[Scope]:
        """What is archived of these segments of a site, the empty one being all visits.

        Raises:
            InvalidInput: one cannot be read.
        """
        plan, found = self._plan(site), []
        for segment in segments:
            scopes = self._plans.archived.beside(segment)
            plan.reading(scopes)
            found += scopes
        return found

    def check(self, site: Site, scope: Scope) -> None:
        """Make sure that a scope makes sense for a site.

        Raises:
            InvalidInput: its segment cannot be read, or there is no such plugin or record.
        """
        self._plan(site).reading([scope])

    def make(self, site: Site, period: Period, lock: SiteLock, scopes: Sequence[Scope] = ()) -> Made:
        """Make archives of the period anew, and what is missing or invalidated of the periods inside it.

        A day without log that was never archived gets no archive.

        Args:
            lock: the lock of the site, held.
            scopes: what they are about; by default all visits, with what is archived beside them.

        Raises:
            Exception: the archive of all visits cannot be made; then there is none. Or some cannot be stored; those
                that were are whole.
        """
        with self._telemetry.making(site.idsite, period) as making:
            archived_at = self._clock.now().replace(tzinfo=None, microsecond=0)
            store = partial(self._store, site, period, lock, archived_at, making)
            scopes = scopes or self.scopes(site, [""])
            if period.kind is PeriodKind.DAY:
                self._make_day(site, period, scopes, store)
            else:
                store(self._of_parts(site, period, lock, scopes, making.failed))
            return Made(making.archives, making.failed)

    def _store(
        self,
        site: Site,
        period: Period,
        lock: SiteLock,
        archived_at: datetime,
        making: Making,
        contents: Mapping[Scope, Content | Exception],
    ) -> None:
        """Store archives together, of those scopes that could be archived."""
        making.failed |= {scope: error for scope, error in contents.items() if isinstance(error, Exception)}
        found = {scope: content for scope, content in contents.items() if isinstance(content, Content)}
        if not found:
            return
        ids = self._database.retrying(lambda: self._tables.next_ids(period, len(found)))
        archives = {
            scope: Archive(
                idarchive,
                site.idsite,
                period,
                DoneStatus.PARTIAL if scope.is_partial else DoneStatus.OK,
                archived_at,
                scope.flag,
            )
            for idarchive, scope in zip(ids, found, strict=True)
        }

        def write() -> None:
            with self._database.transaction():
                lock.require()
                self._tables.write({archives[scope]: content for scope, content in found.items()})

        self._database.retrying(write)
        for scope, archive in archives.items():
            making.add(scope, archive, found[scope])

    def has_anything(self, site: Site, period: Period) -> bool:
        """Whether there is anything to archive: log of the period, or an archive that would be outdated otherwise."""
        return self._has_log(site, period) or self.find(site, period) is not None

    def _has_log(self, site: Site, period: Period) -> bool:
        return self._log.has_rows(site.idsite, *period.utc_bounds(site.days.zone))

    def find(self, site: Site, period: Period) -> Archive | None:
        """The newest readable archive of the period."""
        return self._tables.find(site.idsite, period)

    def is_final(self, site: Site, period: Period) -> bool:
        """Whether the archive has to stay as it is, because what it was made from is removed."""
        return bool(self._horizons.kept(site.idsite, [period]))

    def archived_since(self, site: Site, since: date) -> list[Period]:
        """The periods that have archives of all visits and end on that day or later, ranges aside."""
        return self._tables.archived_since(site.idsite, since)

    def forget(self, site: Site, segment: str) -> None:
        """Remove all archives of a segment, and those of its parts."""
        flags = {scope.flag for scope in self._plans.archived.beside(segment)}
        self._database.retrying(lambda: self._tables.delete_flags(site.idsite, flags))

    def _plan(self, site: Site) -> Plan:
        return self._plans.of(SiteSetup.of(site))

    def _missing(self, site: Site, period: Period, scopes: Iterable[Scope]) -> list[Scope]:
        """Those of which there is no archive, or one that is outdated."""
        scopes = tuple(scopes)
        layers = self._tables.layers(site.idsite, period.first, period.last, {scope.segment for scope in scopes})
        return [s for s in scopes if not layers.get((s.segment, period), Layers()).is_current(s.plugin)]

    # A day

    def _make_day(self, site: Site, period: Period, scopes: Sequence[Scope], store: Callable[[Outcomes], None]) -> None:
        """Store what there is of a day; while a segment is computed, what was computed before it is written."""
        zone, plan = site.days.zone, self._plan(site)
        reading = plan.reading(scopes)
        log = self._log.read(reading, site.idsite, *period.utc_bounds(zone), site_hours(period.first, zone))
        if log.is_empty and self.find(site, period) is None:
            return
        day = DayContents(plan, log, scopes)
        if len(day.families) == 1:  # most sites have no segments, and a thread costs more than a small day gains
            store(day.contents(day.computed(day.families[0])))
            return
        storing: Future[None] | None = None
        # Nothing else uses the connection meanwhile.
        with ThreadPoolExecutor(max_workers=1) as writer:
            try:
                for family in day.families:
                    results = day.computed(family)
                    if storing is not None:
                        storing.result()
                    storing = writer.submit(lambda results: store(day.contents(results)), results)
            finally:
                if storing is not None:
                    storing.result()

    # A higher period

    def _of_parts(
        self, site: Site, period: Period, lock: SiteLock, scopes: Sequence[Scope], failed: dict[Scope, Exception]
    ) -> dict[Scope, Content]:
        plan, parts = self._plan(site), self._parts(site, period, lock, scopes, failed)
        scopes = [scope for scope in scopes if scope not in failed]
        counted = {
            scope: plan.index(scope).distinct
            for scope in scopes
            if period.kind in _COUNTED_ANEW and parts[scope] and plan.index(scope).distinct
        }
        distinct = self._distinct.of(plan, site, period, counted)
        lacks_log = self._horizons.lacks_log(period)
        if lacks_log:
            self._keep_distinct(site, period, distinct)
        contents: dict[Scope, Content] = {}
        for scope in scopes:
            if lacks_log and not parts[scope]:
                continue  # of visits whose log is gone there is nothing to know, which is not the same as no visits
            try:
                numbers, blobs = self._combined(plan.index(scope), parts[scope])
            except Exception as error:
                if decides_all([scope], error):
                    raise
                failed[scope] = error
            else:
                contents[scope] = kept(scope, plan.index(scope), numbers | distinct.get(scope, {}), blobs)
        return contents

    def _keep_distinct(self, site: Site, period: Period, distinct: Mapping[Scope, dict[str, float]]) -> None:
        """Leave counts as they were archived where less of the log is there than there was then."""
        segments = {scope.segment for scope in distinct}
        present = self._tables.layers(site.idsite, period.first, period.last, segments)
        for scope, counts in distinct.items():
            archives = present.get((scope.segment, period), Layers()).archives
            for archived in self._tables.numeric(archives, list(counts)).values() if counts else ():
                counts.update({name: max(count, archived.get(name, 0)) for name, count in counts.items()})

    def _parts(
        self, site: Site, period: Period, lock: SiteLock, scopes: Sequence[Scope], failed: dict[Scope, Exception]
    ) -> dict[Scope, list[Layers]]:
        """What there is of the periods that the period is made of; those without any log data have nothing."""
        segments = {scope.segment for scope in scopes}
        present = self._tables.layers(site.idsite, period.first, period.last, segments)
        for part in period.parts():
            layers = {scope: present.get((scope.segment, part), Layers()) for scope in scopes}
            due = [scope for scope, found in layers.items() if not found.is_current(scope.plugin)]
            if due and self.is_final(site, part):
                continue
            if due and (any(layers[scope].of(scope.plugin) for scope in due) or self._has_log(site, part)):
                failed |= self.make(site, part, lock, due).failed
                present |= self._tables.layers(site.idsite, part.first, part.last, segments)
        return {
            scope: [present[key] for part in period.parts() if (key := (scope.segment, part)) in present]
            for scope in scopes
        }

    def _combined(self, records: RecordIndex, parts: Sequence[Layers]) -> tuple[dict[str, float], dict[str, bytes]]:
        archives = [archive for layers in parts for archive in layers.archives]
        numbers = self._combined_numbers(records, parts, archives)
        blobs: dict[str, bytes] = {}
        sizes = self._tables.blob_sizes(archives)
        newest = {
            record: [next((a for a in reversed(layers.archives) if a in holding), None) for layers in parts]
            for record, holding in sizes.items()
        }
        tables = records.tables if archives else ()
        total = [sum(sizes.get(record.name, {}).values()) for record in tables]
        for begin, end in groups(total, _BYTES_AT_ONCE):
            group = tables[begin:end]
            stored_blobs = self._tables.blobs_of(archives, [record.name for record in group])
            for record in group:
                held = [archive for archive in newest.get(record.name, ()) if archive is not None]
                table = _combined_table(record, [stored_blobs[archive, record.name] for archive in held])
                numbers.update(records.counts(record.name, table))
                blobs.update(limited_blobs(record, record.name, table))
        return numbers, blobs

    def _combined_numbers(
        self, records: RecordIndex, parts: Sequence[Layers], archives: Collection[Archive]
    ) -> dict[str, float]:
        stored_numbers = self._tables.numeric(archives)
        values: dict[str, list[float]] = {}
        for layers in parts:
            newest: dict[str, float] = {}
            for archive in layers.archives:
                newest |= stored_numbers[archive]
            for name, value in newest.items():
                values.setdefault(name, []).append(value)
        found = {}
        for name, members in values.items():
            record = records.number(name)
            if record is None or record.distinct or record.rows_of:
                continue
            if record.combine in _COMBINED:
                found[name] = _COMBINED[record.combine](members)
        return found


def _combined_table(record: BlobRecord, parts: Iterable[Blobs]) -> DataTable:
    total = TableSum(record.combine)
    for blobs in parts:
        total.add(blobs, record.name)
    return total.table()
