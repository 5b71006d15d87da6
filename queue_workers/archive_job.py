"""The job that makes an archive which a report waits for."""

from datetime import date

from footfall.archiving.archiver import Archiver
from footfall.archiving.freshness import WantedArchive
from footfall.archiving.on_demand import ArchiveRequests
from footfall.archiving.periods import Period, PeriodKind
from footfall.archiving.telemetry import Telemetry
from footfall.clock import SystemClock
from footfall.database import Database
from footfall.plugins import archived
from footfall.queue.counters import CountWriter
from footfall.queue.stores import open_queue
from footfall.settings import Settings, load

_SITE_SECONDS = 60  # how long the job waits for an archiver that works the site; drains wait behind it


def archive(idsite: int, kind: str, first: str, last: str, segment: str) -> None:
    """Make an archive unless it is there; the job behind footfall/archiving/on_demand.py.

    Args:
        kind: of the period, `range` say.
        first: its first day, YYYY-MM-DD.
        last: its last day.
        segment: its definition, empty for all visits.

    Raises:
        FootfallError: it cannot be made; it is logged, and those who wait are told that it failed.
    """
    archive_with(load(), idsite, kind, first, last, segment)


def archive_with(settings: Settings, idsite: int, kind: str, first: str, last: str, segment: str) -> None:
    """The same with given settings."""
    period = Period(PeriodKind.parse(kind), date.fromisoformat(first), date.fromisoformat(last))
    database, queue = Database(settings), open_queue(settings)
    try:
        with ArchiveRequests(queue).working(WantedArchive(idsite, period, segment)):
            clock = SystemClock()
            counts = CountWriter(queue.board, clock)
            try:
                archiver = Archiver(database, archived(), clock, Telemetry(clock, counts))
                archiver.ensure(idsite, period, segment, wait_seconds=_SITE_SECONDS)
            finally:
                counts.write()
    finally:
        database.close()
        queue.disconnect()
