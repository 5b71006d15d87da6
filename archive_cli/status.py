"""What is waiting to be archived, being worked, or failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from footfall.archiving.failures import Failed, Failure, Failures
from footfall.archiving.invalidations import Invalidation, Invalidations, InvalidationStatus
from footfall.archiving.last_run import Runs
from footfall.archiving.locks import SiteLock
from footfall.clock import Clock
from footfall.database import Database
from footfall.options import Options

_SHOWN = 200
_STATES = ("waiting", "working", "failed")


def read_status(database: Database, clock: Clock) -> dict[str, Any]:
    """The state of the queue of archives, as a JSON document."""
    queue = Invalidations(database, clock)
    rows = queue.all()
    worked = {idsite for idsite in {row.idsite for row in rows} if SiteLock(database, idsite).is_taken()}
    failures = Failures(database, clock).all() if any(row.status is InvalidationStatus.FAILED for row in rows) else {}
    archives = [_document(row, row.idsite in worked, failures) for row in rows]
    counts = Counter(archive["state"] for archive in archives)
    touched = queue.all_touched_days()
    last = Runs(Options(database), clock).last()
    return {
        **{state: counts[state] for state in _STATES},
        "sites_being_worked": sorted(worked),
        "days_with_new_data": sum(map(len, touched.values())),
        "sites_with_new_data": sorted(touched),
        "last_run_started": _text(last.started),
        "last_run_ended": _text(last.ended),
        "archives": archives,
    }


def _text(time: datetime | None) -> str | None:
    return None if time is None else f"{time:%Y-%m-%d %H:%M:%S}"


def _document(row: Invalidation, site_is_worked: bool, failures: Mapping[Failed, Failure]) -> dict[str, Any]:
    failure = failures.get((row.idsite, row.period, row.name))
    return {
        "idsite": row.idsite,
        "period": row.period.kind.label,
        "date": row.period.date_text,
        "segment": None if row.name == "done" else row.name.removeprefix("done"),
        "state": _state(row, site_is_worked),
        "since": str(row.since) if row.since else None,
        "failed_at": _text(failure.at) if failure else None,
        "attempts": failure.attempts if failure else 0,
        "reason": failure.reason if failure else None,
    }


def _state(row: Invalidation, site_is_worked: bool) -> str:
    if row.status is InvalidationStatus.FAILED:
        return "failed"
    # Started, and nobody holds the site: its process died, and the next one begins again.
    return "working" if row.status is InvalidationStatus.STARTED and site_is_worked else "waiting"


def render(document: dict[str, Any]) -> RenderableType:
    """The state of the queue for a terminal."""
    summary = ", ".join(f"{document[state]} {state}" for state in _STATES)
    news = (
        f"{document['days_with_new_data']} days of {len(document['sites_with_new_data'])} sites have new data that "
        "the next run archives"
    )
    last = (
        f"`archive_cli run` last began at {document['last_run_started']} and last came to its end at "
        f"{document['last_run_ended'] or 'no time yet'} (UTC)"
        if document["last_run_started"]
        else "`archive_cli run` never ran here"
    )
    lines = [f"archives: {summary}", news, last]
    if not document["archives"]:
        return Group(*lines)
    table = Table("site", "period", "date", "segment", "state", "since (UTC)")
    for archive in document["archives"][:_SHOWN]:
        table.add_row(*(str(archive[key] or "") for key in ("idsite", "period", "date", "segment", "state", "since")))
    left = len(document["archives"]) - _SHOWN
    return Group(
        *lines,
        table,
        *([f"and {left} more; --json shows all"] if left > 0 else []),
        *(Text(_told(archive)) for archive in document["archives"][:_SHOWN] if archive["reason"]),
    )


def _told(archive: Mapping[str, Any]) -> str:
    """Why an archive failed."""
    times = "once" if archive["attempts"] == 1 else f"{archive['attempts']} times"
    return (
        f"site {archive['idsite']}, {archive['period']} {archive['date']} failed {times}, last at "
        f"{archive['failed_at']} (UTC): {archive['reason']}"
    )
