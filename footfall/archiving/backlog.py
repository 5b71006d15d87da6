"""What archivers have before them, for monitoring."""

from dataclasses import dataclass
from datetime import datetime

from footfall.archiving.invalidations import InvalidationStatus
from footfall.archiving.last_run import Runs
from footfall.archiving.periods import PeriodKind
from footfall.clock import Clock
from footfall.database import Database
from footfall.options import Options


@dataclass(frozen=True)
class Backlog:
    """What waits at one moment; ages in seconds.

    Args:
        waiting: rows of archive_invalidations by kind of period and status.
        oldest: the age of the oldest of them by kind of period.
        touched_days: days of sites with new log data that no archiver has taken up.
        touched_oldest: the age of the oldest of these; 0 when there is none.
        last_run: when `archive_cli run` last came to its end, UTC; None before that.
    """

    waiting: dict[tuple[PeriodKind, InvalidationStatus], int]
    oldest: dict[PeriodKind, float]
    touched_days: int
    touched_oldest: float
    last_run: datetime | None


def read_backlog(database: Database, clock: Clock) -> Backlog:
    """The backlog now.

    Raises:
        DatabaseUnavailable, mysql.connector.Error: the database cannot be asked.
    """
    now = clock.now().replace(tzinfo=None)
    waiting, oldest = {}, dict.fromkeys(PeriodKind, 0.0)
    for period, status, count, since in database.query(
        "SELECT period, COALESCE(status, 0), COUNT(*), MIN(ts_invalidated) "
        f"FROM {database.table('archive_invalidations')} GROUP BY period, COALESCE(status, 0)"
    ):
        kind = PeriodKind(period)
        waiting[kind, InvalidationStatus(status)] = int(count)
        oldest[kind] = max(oldest[kind], _age(since, now))
    ((days, since),) = database.query(f"SELECT COUNT(*), MIN(ts_touched) FROM {database.table('footfall_touched_day')}")
    last_run = Runs(Options(database, cache_seconds=0), clock).last().ended
    return Backlog(waiting, oldest, int(days), _age(since, now), last_run)


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())
