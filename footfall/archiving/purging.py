"""Removes archives that nobody reads any more, and old ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

from footfall.archiving.horizons import Horizons
from footfall.archiving.periods import PeriodKind
from footfall.archiving.tables import READABLE, ArchiveTables, DoneStatus, StoredArchive
from footfall.clock import Clock
from footfall.database import Database

# Matomo marks an archive that it is making as erroneous until it is finished, so only old ones are left over.
LEFT_OVER_AFTER = timedelta(days=1)
# A range is archived when somebody asks for it; kept for good, each would be made again whenever its days change.
RANGE_KEPT = timedelta(days=1)
_ARCHIVES_PER_STATEMENT = 100


def purge(database: Database, clock: Clock) -> Counter[str]:
    """Remove what is superseded, erroneous, unfinished, or a range of the past.

    Returns:
        The number of archives removed, by reason (`superseded`, `erroneous`, `unfinished`, `range`).
    """
    tables, counts = ArchiveTables(database), Counter[str]()
    now = clock.now().replace(tzinfo=None)
    for month in tables.existing_months():
        reasons = _reasons(tables.stored(month), now)
        reasons |= dict.fromkeys(tables.without_flag(month, now - LEFT_OVER_AFTER), "unfinished")
        _delete(database, tables, month, sorted(reasons))
        counts.update(reasons.values())
    return counts


def purge_reports(database: Database, before: date, pause: Callable[[], None]) -> int:
    """Remove the archives of periods that ended before a day; how many there were.

    Args:
        pause: called between chunks, so that others have their turn.
    """
    tables, count = ArchiveTables(database), 0
    Horizons(database).raise_reports(before)
    for month in tables.existing_months():
        if month > f"{before:%Y_%m}":
            continue
        ids = sorted({archive.idarchive for archive in tables.stored(month) if archive.last < before})
        count += len(ids)
        _delete(database, tables, month, ids, pause)
    return count


def _delete(
    database: Database,
    tables: ArchiveTables,
    month: str,
    ids: Sequence[int],
    pause: Callable[[], None] = lambda: None,
) -> None:
    for start in range(0, len(ids), _ARCHIVES_PER_STATEMENT):
        chunk = ids[start : start + _ARCHIVES_PER_STATEMENT]
        database.retrying(lambda chunk=chunk: tables.delete(month, chunk))  # type: ignore[misc]
        pause()


def _reasons(archives: list[StoredArchive], now: datetime) -> dict[int, str]:
    """Why an archive goes, by id; archives that stay are not in it."""
    newest: dict[tuple[object, ...], int] = {}
    for archive in archives:
        if archive.status in READABLE and archive.status != DoneStatus.PARTIAL:
            newest[archive.key] = max(newest.get(archive.key, 0), archive.idarchive)
    found = {}
    for archive in archives:
        age = now - archive.archived_at
        if archive.idarchive < max(newest.get(archive.key, 0), newest.get(archive.whole_key, 0)):
            found[archive.idarchive] = "superseded"
        elif archive.status not in READABLE and age >= LEFT_OVER_AFTER:
            found[archive.idarchive] = "erroneous"
        elif archive.kind == PeriodKind.RANGE and age >= RANGE_KEPT:
            found[archive.idarchive] = "range"
    return found
