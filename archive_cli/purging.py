"""Removes what is not needed any more, and says what that was."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

from archive_cli.arguments import Age
from footfall.archiving.log_purge import UNARCHIVED, LogPurge
from footfall.archiving.purging import purge, purge_reports
from footfall.clock import Clock
from footfall.database import Database
from footfall.journal.purge import purge_journal
from footfall.settings import Settings
from footfall.tracking.device_purge import purge_devices

_PAUSE = 0.05


def purge_all(
    database: Database, settings: Settings, clock: Clock, logs: Age | None, reports: Age | None
) -> Iterator[str]:
    """Remove archives and devices that nobody reads, then log data and archives that are older; a sentence about each.

    Args:
        logs: the age of log data that goes; None leaves all of it.
        reports: the age of archives that go; None leaves all that are read.
    """
    today = clock.now().date()
    counts = purge(database, clock)
    reasons = ", ".join(f"{number} {reason}" for reason, number in sorted(counts.items()))
    yield f"{counts.total()} archives removed" + (f": {reasons}" if reasons else "")
    if settings.device_days:
        count = purge_devices(database, today - timedelta(days=settings.device_days), _pause)
        yield f"{count} devices removed that no worker asked for in {settings.device_days} days"
    if settings.log_database_days:
        moment = clock.now() - timedelta(days=settings.log_database_days)
        yield f"{purge_journal(database, moment, _pause)} log entries removed (LOG_DATABASE_DAYS)"
    if logs is not None:
        found = LogPurge(database, clock, time.sleep).run(logs.before(today))
        yield f"{found['visits']} visits and {found['actions']} actions removed from the log"
        if found[UNARCHIVED]:
            yield f"{found[UNARCHIVED]} {UNARCHIVED}: `archive_cli invalidate` and `archive_cli run` archive them"
    if reports is not None:
        before = reports.before(today)
        count = purge_reports(database, before, _pause)
        yield f"{count} archives of periods that ended before {before} removed"


def _pause() -> None:
    time.sleep(_PAUSE)
