"""Whether archives are being made."""

from datetime import datetime, timedelta

from footfall.archiving.backlog import read_backlog
from footfall.archiving.invalidations import InvalidationStatus
from footfall.archiving.locks import SiteLock
from footfall.health.finding import Check, Finding, Need, ok, warning
from footfall.health.installation import Installation

_HOUR = 3600
_LATE_RUNS = 4
_STUCK = timedelta(days=1)


def runs(installation: Installation) -> Finding:
    """Whether `archive_cli run` comes to its end while there is something to do."""
    backlog, now = read_backlog(installation.database, installation.clock), installation.clock.now()
    late = max(_HOUR, _LATE_RUNS * installation.settings.today_archive_seconds)
    last = backlog.last_run
    said = f"the last one ended at {last:%Y-%m-%d %H:%M} UTC" if last else "none has come to its end yet"
    if backlog.touched_oldest > late and (last is None or (now - last).total_seconds() > late):
        return warning(
            f"{backlog.touched_days} days of sites have waited for `archive_cli run` for up to "
            f"{backlog.touched_oldest / _HOUR:.0f} hours; {said}",
            "run it from cron or a timer every quarter of an hour, and look at what it says.",
        )
    return ok(f"{backlog.touched_days} days of sites have new data for the next `archive_cli run`; {said}")


def failed(installation: Installation) -> Finding:
    """Archives that could not be made."""
    backlog = read_backlog(installation.database, installation.clock)
    counts = {
        kind.label: count for (kind, status), count in backlog.waiting.items() if status is InvalidationStatus.FAILED
    }
    if counts:
        listed = ", ".join(f"{count} of a {kind}" for kind, count in counts.items())
        return warning(
            f"archives failed: {listed}; the next run tries them again",
            "`archive_cli status` names them, the log of `archive_cli run` says why.",
        )
    return ok("no archive failed")


def stuck(installation: Installation) -> list[Finding]:
    """Invalidations that are in progress with nobody at work, or that wait for days."""
    database, now = installation.database, installation.clock.now().replace(tzinfo=None)
    rows: list[tuple[int, int, datetime | None, datetime | None, int]] = database.query(
        "SELECT idsite, COALESCE(status, 0), MIN(ts_started), MIN(ts_invalidated), COUNT(*) "
        f"FROM {database.table('archive_invalidations')} GROUP BY idsite, COALESCE(status, 0)"
    )
    left = sum(
        count
        for idsite, status, started, _, count in rows
        if status == InvalidationStatus.STARTED
        and (started is None or now - started > _STUCK)
        and not SiteLock(database, idsite).is_taken()
    )
    old = sum(
        count
        for _, status, _, since, count in rows
        if status == InvalidationStatus.WAITING and since is not None and now - since > _STUCK
    )
    found = []
    if left:
        found.append(
            warning(
                f"{left} invalidations have been in progress for more than a day, and nobody works on them",
                "the next `archive_cli run` takes them up; where Matomo's archiver left them, stop that one for good.",
            )
        )
    if old:
        found.append(
            warning(
                f"sites have invalidations that wait for more than a day ({old} rows)",
                "run more `archive_cli run` side by side, and look at `archive_cli status`.",
            )
        )
    return found or [ok("no invalidation is stuck")]


CHECKS = (
    Check("archiving.runs", runs, Need.TABLES),
    Check("archiving.failed", failed, Need.TABLES),
    Check("archiving.stuck", stuck, Need.TABLES),
)
