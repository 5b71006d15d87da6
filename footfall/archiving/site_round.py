"""One round of a site: everything that is due when the round begins, in order."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from footfall.archiving.archiver import Archiver
from footfall.archiving.invalidations import Invalidation, Invalidations
from footfall.archiving.locks import LockLost, SiteLock
from footfall.archiving.periods import Period, PeriodKind
from footfall.clock import Clock
from footfall.database import Database, is_lost
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
        kinds: the kinds of period to make.
        pending: the number of tracking requests that are accepted and not recorded yet.
        should_stop: asked between archives.
    """

    today_seconds: int
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
            self._take_touched(site)
            self._work(site, lock)
        finally:
            lock.release()
        return True

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
        # Segments are not archived yet: their rows wait.
        due = [inv for inv in self._queue.of_site(site.idsite) if inv.name == "done"]
        chosen = [invalidation for invalidation in due if invalidation.period.kind in self._options.kinds]
        if not chosen:
            return
        unfinished = {invalidation.period for invalidation in due}
        self._progress.site_started(site.idsite, len(chosen))
        for invalidation in chosen:
            if self._options.should_stop():
                break
            period = invalidation.period
            if any(lower.kind < period.kind and period.contains(lower) for lower in unfinished):
                self._progress.archive_waits(site.idsite, period)
            elif self._make(site, lock, invalidation):
                unfinished.remove(period)
        self._progress.site_finished(site.idsite)

    def _make(self, site: Site, lock: SiteLock, invalidation: Invalidation) -> bool:
        """Make one archive; whether that succeeded."""
        period, started = invalidation.period, self._clock.monotonic()
        self._queue.start(invalidation)
        try:
            if self._archiver.has_log(site, period) or self._archiver.find(site, period) is not None:
                self._archiver.make(site, period, lock)
        except Exception as error:
            if is_lost(error) or isinstance(error, LockLost):
                raise
            log.exception("Site %d: the archive of %s could not be made.", site.idsite, period)
            self._queue.fail(invalidation)
            self._progress.archive_failed(site.idsite, period, error)
            return False
        self._queue.finish(invalidation)
        self._progress.archive_made(site.idsite, period, self._clock.monotonic() - started)
        return True
