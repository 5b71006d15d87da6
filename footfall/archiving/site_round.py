"""One round of a site: everything that is due when the round begins, in order."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from footfall.archiving.archiver import Archiver
from footfall.archiving.failures import Failures
from footfall.archiving.invalidations import Invalidation, Invalidations
from footfall.archiving.locks import LockLost, SiteLock
from footfall.archiving.periods import Period, PeriodKind, months_before
from footfall.archiving.scope import VISITS, Scope, done_flag
from footfall.archiving.stored_segments import StoredSegments
from footfall.clock import Clock
from footfall.database import Database, is_lost
from footfall.errors import InvalidInput
from footfall.sites import Site

log = logging.getLogger(__name__)


class Progress(Protocol):
    """Is told what happens."""

    def site_started(self, idsite: int, archives: int) -> None:
        """A round of a site begins, with so many archives to make."""

    def archive_made(self, idsite: int, period: Period, seconds: float) -> None:
        """An archive is finished."""

    def archive_failed(self, idsite: int, period: Period, error: Exception) -> None:
        """An archive could not be made; it is tried again in the next round."""

    def archive_waits(self, idsite: int, period: Period) -> None:
        """An archive was not made, because one inside it could not be."""

    def site_finished(self, idsite: int) -> None:
        """The round is over."""


@dataclass(frozen=True)
class RoundOptions:
    """What a round takes into account.

    Args:
        today_seconds: setting `today_archive_seconds`: how old today's archive has to be to be made again.
        new_segment_months: setting `rearchive_months`: how far back a new segment is archived.
        kinds: the kinds of period to make.
        pending: the number of tracking requests that are accepted and not recorded yet.
        should_stop: asked between archives.
    """

    today_seconds: int
    new_segment_months: int = 6
    kinds: Collection[PeriodKind] = tuple(PeriodKind)
    pending: Callable[[], int] = lambda: 0
    should_stop: Callable[[], bool] = lambda: False


class SiteRounds:
    """Works sites, each under its lock.

    Args:
        database: the connection that everything of the process goes over; it holds the locks.
    """

    def __init__(
        self, database: Database, archiver: Archiver, clock: Clock, options: RoundOptions, progress: Progress
    ) -> None:
        self._database = database
        self._archiver = archiver
        self._clock = clock
        self._options = options
        self._progress = progress
        self._queue = Invalidations(database, clock)
        self._failures = Failures(database, clock)
        self._stored = StoredSegments(database)

    def run(self, idsite: int) -> bool:
        """Work a site unless another process does; whether it was ours.

        Raises:
            InvalidInput: there is no such site.
            DatabaseUnavailable, LockLost, mysql.connector.Error: the database went away.
        """
        site, lock = self._archiver.site(idsite), SiteLock(self._database, idsite)
        if not lock.acquire():
            return False
        try:
            self._take_up_segments(site)
            self._take_touched(site)
            self._work(site, lock)
            self._failures.forget_made(idsite)
        finally:
            lock.release()
        return True

    def _take_up_segments(self, site: Site) -> None:
        """Queue what is to be made of new segments, and remove the archives of those that are gone."""
        changes = self._stored.changes({site.idsite: self._stored.of_site(site.idsite)}).get(site.idsite)
        if changes is None:
            return
        for definition in changes.removed:
            self._archiver.forget(site, definition)
        since = months_before(self._archiver.today(site), self._options.new_segment_months)
        periods = self._archiver.archived_since(site, since) if changes.added else ()
        for definition in changes.added:
            self._queue.add(site.idsite, periods, Scope(definition))
        self._stored.take_up(site.idsite, changes)

    def _take_touched(self, site: Site) -> None:
        today = self._archiver.today(site)
        days = [day for day in self._queue.touched_days(site.idsite) if day != today or self._is_outdated(site, today)]
        self._queue.take_touched(site.idsite, days)
        recent = [day for day in days if day >= today - timedelta(days=1)]
        if recent and (pending := self._options.pending()):
            log.info(
                "Site %d: %d tracking requests are still in the queue; %s will be archived again.",
                site.idsite,
                pending,
                " and ".join(map(str, recent)),
            )
            for day in recent:
                self._queue.touch(site.idsite, day)

    def _is_outdated(self, site: Site, today: date) -> bool:
        archive = self._archiver.find(site, Period.of(PeriodKind.DAY, today))
        if archive is None:
            return True
        age = self._clock.now().replace(tzinfo=None) - archive.archived_at
        return age.total_seconds() >= self._options.today_seconds

    def _work(self, site: Site, lock: SiteLock) -> None:
        segments = self._readable(site, self._stored.of_site(site.idsite))
        by_period: dict[Period, list[Invalidation]] = {}
        for invalidation in self._queue.of_site(site.idsite):
            by_period.setdefault(invalidation.period, []).append(invalidation)
        chosen = [period for period in by_period if period.kind in self._options.kinds]
        if not chosen:
            return
        unfinished = set(by_period)
        self._progress.site_started(site.idsite, len(chosen))
        for period in chosen:
            if self._options.should_stop():
                break
            if any(lower.kind < period.kind and period.contains(lower) for lower in unfinished):
                self._progress.archive_waits(site.idsite, period)
            elif self._make(site, lock, period, by_period[period], segments):
                unfinished.remove(period)
        self._progress.site_finished(site.idsite)

    def _readable(self, site: Site, segments: Sequence[str]) -> list[str]:
        """Those of the segments that make sense for the site: a dimension that others have may be missing here."""
        found = []
        for segment in segments:
            try:
                self._archiver.scopes(site, [segment])
            except InvalidInput as error:
                log.warning("Site %d: the segment %r is left out: %s", site.idsite, segment, error)
            else:
                found.append(segment)
        return found

    def _make(
        self, site: Site, lock: SiteLock, period: Period, rows: Sequence[Invalidation], segments: Sequence[str]
    ) -> bool:
        """Make the archives of one period that are wanted; whether all of them were made."""
        started = self._clock.monotonic()
        self._queue.start(rows)
        failed: dict[Scope, Exception] = {}
        try:
            scopes = self._scopes(site, period, rows, segments)
            if self._archiver.is_final(site, period):
                log.info("Site %d: %s stays as it is: what it was made from is purged.", site.idsite, period)
            elif scopes and (period.kind is PeriodKind.DAY or self._archiver.has_anything(site, period)):
                failed = self._archiver.make(site, period, lock, scopes).failed
        except Exception as error:
            if is_lost(error) or isinstance(error, LockLost):
                raise
            log.exception("Site %d: the archive of %s could not be made.", site.idsite, period)
            self._queue.fail(rows, error)
            self._progress.archive_failed(site.idsite, period, error)
            return False
        self._queue.finish(rows)
        for scope, reason in failed.items():
            log.error("Site %d: %s of %r could not be made.", site.idsite, period, scope.segment, exc_info=reason)
            self._queue.add_failed(site.idsite, period, scope, reason)
            self._progress.archive_failed(site.idsite, period, reason)
        if not failed:
            self._progress.archive_made(site.idsite, period, self._clock.monotonic() - started)
        return not failed

    def _scopes(self, site: Site, period: Period, rows: Sequence[Invalidation], segments: Sequence[str]) -> list[Scope]:
        """What the rows of a period ask for.

        All visits bring the stored segments with them, except for ranges: those are made when somebody asks for them.
        """
        definitions = {done_flag(definition): definition for definition in ("", *segments)}
        wanted: dict[str, None] = {}
        overlays = []
        for row in rows:
            flag, _, plugin = row.name.partition(".")
            if flag not in definitions:
                log.info("Site %d: no segment is stored for %s; %s is left out.", site.idsite, flag, period)
            elif plugin:
                overlays.append(Scope(definitions[flag], plugin, row.report, is_overlay=True))
            elif flag == VISITS.flag and period.kind is not PeriodKind.RANGE:
                wanted |= dict.fromkeys(definitions.values())
            else:
                wanted[definitions[flag]] = None
        made = self._archiver.scopes(site, wanted)
        return made + [scope for scope in overlays if scope.segment not in wanted]
