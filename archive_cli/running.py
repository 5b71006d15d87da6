"""One run: every site of the list that has something due."""

from __future__ import annotations

import logging
import sys
from collections.abc import Collection, Sequence

import click
from rich.console import Console

from archive_cli.progress import Bars, Lines, Tally
from footfall.archiving.archiver import Archiver
from footfall.archiving.invalidations import Invalidations
from footfall.archiving.last_run import Runs
from footfall.archiving.periods import PeriodKind
from footfall.archiving.site_round import RoundOptions, SiteRounds
from footfall.archiving.stored_segments import StoredSegments
from footfall.archiving.telemetry import LOGGER, Telemetry
from footfall.clock import Clock
from footfall.command_line import stop_on_signal
from footfall.database import Database
from footfall.errors import QueueUnavailable
from footfall.options import Options
from footfall.plugins import archived
from footfall.queue.backend import Backend
from footfall.queue.counters import CountWriter
from footfall.queue.state import read_state
from footfall.queue.stores import open_queue
from footfall.settings import Settings

log = logging.getLogger(__name__)


def run_sites(
    database: Database, settings: Settings, clock: Clock, sites: Sequence[int], kinds: Collection[PeriodKind]
) -> bool:
    """Work the sites, and say how it went; whether every archive could be made."""
    started = clock.monotonic()
    runs = Runs(Options(database), clock)
    runs.begins()
    progress = Bars(Console()) if sys.stdout.isatty() else Lines()
    if isinstance(progress, Bars):
        logging.getLogger(LOGGER).setLevel(logging.WARNING)  # the bars say what is made
    queue = open_queue(settings)
    with stop_on_signal() as should_stop, progress:
        options = RoundOptions(
            settings.today_archive_seconds,
            settings.rearchive_months,
            kinds,
            Queue(queue, settings, clock).pending,
            should_stop,
        )
        counts = CountWriter(queue.board, clock)
        archiver = Archiver(database, archived(), clock, Telemetry(clock, counts))
        rounds = SiteRounds(database, archiver, clock, options, progress)
        segments = StoredSegments(database)
        due = Invalidations(database, clock).sites_with_work(sites) | set(segments.changes(segments.of_sites(sites)))
        elsewhere = 0
        for idsite in sorted(due):
            if should_stop():
                break
            elsewhere += not rounds.run(idsite)
        stopped = should_stop()
    counts.write()
    if not stopped:
        runs.ends()
    _say(progress.tally, clock.monotonic() - started, elsewhere=elsewhere, stopped=stopped)
    return not progress.tally.failed


class Queue:
    """Tells how many tracking requests are accepted and not recorded yet; 0 where nobody can tell."""

    def __init__(self, queue: Backend, settings: Settings, clock: Clock) -> None:
        self._queue = queue
        self._settings = settings
        self._clock = clock

    def pending(self) -> int:
        try:
            return read_state(self._queue, self._clock, self._settings.queue_batch_size).pending
        except QueueUnavailable:
            # Archiving needs no queue: what is recorded later makes its day due again.
            log.warning("The queue cannot be asked whether requests are waiting; archiving what is recorded.")
            return 0


def _say(tally: Tally, seconds: float, *, elsewhere: int, stopped: bool) -> None:
    parts = [f"{tally.made} archives of {tally.sites} sites made in {seconds:.1f} s"]
    if tally.failed:
        parts.append(f"{len(tally.failed)} failed and are tried again by the next run")
    if tally.waiting:
        parts.append(f"{tally.waiting} wait for archives inside them")
    if elsewhere:
        parts.append(f"{elsewhere} sites are worked by other processes")
    if stopped:
        parts.append("stopped before the end, the rest stays in the queue")
    click.echo("; ".join(parts))
