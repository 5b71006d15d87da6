"""Removes old rows of the log: of site-days whose archives are there, in chunks that hold no worker up.

Each chunk is a short transaction on rows that no present visit touches, and takes as much time as it leaves to others.
A day that is not archived, or waits to be archived again, stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime

from footfall.archiving.action_purge import ActionPurge
from footfall.archiving.horizons import Horizons
from footfall.archiving.invalidations import Invalidations
from footfall.archiving.periods import Period, PeriodKind, local_date
from footfall.archiving.tables import ArchiveTables
from footfall.clock import Clock
from footfall.database import Database
from footfall.sites import Site, Sites
from footfall.timezones import site_zone

_VISITS_AT_ONCE = 500
_VISITS = "log_visit"
_BELOW = ("log_conversion_item", "log_conversion", "log_link_visit_action")
UNARCHIVED = "days left because they are not archived"


class LogPurge:
    """Removes old log rows of all sites.

    Args:
        database: used by nobody else meanwhile.
        sleep: waits for some seconds.
    """

    def __init__(self, database: Database, clock: Clock, sleep: Callable[[float], None]) -> None:
        self._database = database
        self._clock = clock
        self._sleep = sleep
        self._began = clock.monotonic()
        self._tables = ArchiveTables(database)
        self._queue = Invalidations(database, clock)
        self._sites = Sites(database, cache_seconds=0)
        self._actions = ActionPurge(database, self._pause)
        self._columns = self._actions.columns()

    def run(self, before: date) -> Counter[str]:
        """Remove the log of the days before this one, in each site's calendar, and the actions that only it had.

        Returns:
            What was removed (`visits`, `actions`), and the days that were left (UNARCHIVED).

        Raises:
            Conflict: no moment was found to remove actions; the next purge does.
        """
        counts = Counter[str]()
        Horizons(self._database).raise_logs(before)
        for (idsite,) in self._database.query(f"SELECT DISTINCT idsite FROM {self._database.table(_VISITS)}"):
            site = self._sites.get(idsite)
            if site is not None:
                counts += self._of_site(site, before)
        counts["actions"] += self._actions.run()
        return counts

    def _of_site(self, site: Site, before: date) -> Counter[str]:
        counts = Counter[str]()
        waiting = set(self._queue.touched_days(site.idsite))
        waiting |= {row.period.first for row in self._queue.of_site(site.idsite) if row.period.kind is PeriodKind.DAY}
        for day in self._days(site, before):
            if day.first in waiting or self._tables.find(site.idsite, day) is None:
                counts[UNARCHIVED] += 1
                continue
            begin, end = day.utc_bounds(site.days.zone)
            while visits := self._visits(site.idsite, begin, end):
                self._database.retrying(lambda visits=visits: self._remove(visits))  # type: ignore[misc]
                counts["visits"] += len(visits)
                self._pause()
        self._remove_orphans(site, before)
        return counts

    def _remove_orphans(self, site: Site, before: date) -> None:
        """Remove what is left of visits that are gone."""
        moment = Period.of(PeriodKind.DAY, before).utc_bounds(site.days.zone)[0]
        for table in _BELOW:
            while rows := self._database.query(
                f"SELECT DISTINCT orphan.idvisit FROM {self._database.table(table)} orphan "
                f"LEFT JOIN {self._database.table(_VISITS)} visit ON visit.idvisit = orphan.idvisit "
                "WHERE orphan.idsite = %s AND orphan.server_time < %s AND visit.idvisit IS NULL LIMIT %s",
                (site.idsite, moment, _VISITS_AT_ONCE),
            ):
                visits = [idvisit for (idvisit,) in rows]
                self._database.retrying(lambda visits=visits: self._remove(visits))  # type: ignore[misc]
                self._pause()

    def _days(self, site: Site, before: date) -> Iterator[Period]:
        """The days with visits, the oldest first."""
        zone, moment = site_zone(site.timezone), datetime(1970, 1, 1)
        while True:
            (oldest,) = self._database.query(
                f"SELECT MIN(visit_last_action_time) FROM {self._database.table(_VISITS)} "
                "WHERE idsite = %s AND visit_last_action_time >= %s",
                (site.idsite, moment),
            )[0]
            if oldest is None:
                return
            day = Period.of(PeriodKind.DAY, local_date(oldest.replace(tzinfo=UTC), zone))
            if day.first >= before:
                return
            yield day
            moment = day.utc_bounds(zone)[1]

    def _visits(self, idsite: int, begin: datetime, end: datetime) -> list[int]:
        rows = self._database.query(
            f"SELECT idvisit FROM {self._database.table(_VISITS)} WHERE idsite = %s AND visit_last_action_time >= %s "
            "AND visit_last_action_time < %s ORDER BY visit_last_action_time LIMIT %s",
            (idsite, begin, end, _VISITS_AT_ONCE),
        )
        return [idvisit for (idvisit,) in rows]

    def _remove(self, visits: Sequence[int]) -> None:
        condition = f"WHERE idvisit IN ({', '.join(['%s'] * len(visits))})"
        with self._database.transaction():
            lost: set[int] = set()
            for table in (*_BELOW, _VISITS):
                name, columns = self._database.table(table), self._columns.get(table, [])
                if columns:
                    rows = self._database.query(f"SELECT DISTINCT {', '.join(columns)} FROM {name} {condition}", visits)
                    lost.update(idaction for row in rows for idaction in row if idaction)
            self._actions.suspect(lost)
            for table in (*_BELOW, _VISITS):
                self._database.execute(f"DELETE FROM {self._database.table(table)} {condition}", visits)

    def _pause(self) -> None:
        """Leave as much time to others as the last step took."""
        self._sleep(min(self._clock.monotonic() - self._began, 1.0))
        self._began = self._clock.monotonic()
