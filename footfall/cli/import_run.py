"""What `footfall import` does, once its options are understood."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import Any

import click

from footfall import migrations
from footfall.cli.import_progress import Bars, Quiet, shown
from footfall.cli.workbench import workbench
from footfall.clock import Clock, SystemClock
from footfall.command_line import stop_on_signal
from footfall.database import Database
from footfall.entities.sites import SiteSettings
from footfall.errors import FootfallError
from footfall.importing.choice import Choice, ChoiceOptions
from footfall.importing.counts import Counts
from footfall.importing.destinations import Destinations
from footfall.importing.formats.recognition import FormatOptions
from footfall.importing.importer import Importer, Outcome
from footfall.importing.ledger import Ledger
from footfall.importing.requests import Maker, PageRequests, ReplayedRequests
from footfall.importing.streams import find
from footfall.queue.lanes import IMPORT
from footfall.queue.producer import Producer
from footfall.queue.state import read_state
from footfall.queue.stores import open_queue
from footfall.settings import Settings, load
from footfall.sites import Sites
from footfall.timezones import LocalDays

_DRAIN_LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Wanted:
    """What a person wants to be imported, and how.

    Args:
        idsite: the site of all lines; None: by host.
        fallback: the site of lines whose host is no site's.
        create: make a site for each such host.
        own_host: of lines that name none.
        strip_query, separator, no_provider: see PageRequests.
        password: of databases whose tables are read.
        replay: the logs are those of a tracker.
        again, follow: see Importer.
        trial: nothing is queued, and nothing remembered.
        archive: wait until all is recorded, and archive it.
    """

    formats: FormatOptions
    choice: ChoiceOptions
    idsite: int | None = None
    fallback: int | None = None
    create: bool = False
    own_host: str = ""
    strip_query: bool = False
    separator: str = "?"
    no_provider: bool = False
    replay: bool = False
    again: bool = False
    follow: bool = False
    trial: bool = False
    archive: bool = False
    password: str = ""


def run(logs: Sequence[str], wanted: Wanted, *, as_json: bool) -> None:
    """Import logs and say what became of them.

    Raises:
        FootfallError: there is something wrong with the logs or the servers, or somebody stopped it.
    """
    settings, clock = load(), SystemClock()
    database = Database(settings)
    migrations.check(database)
    maker, unknown_hosts = _maker(database, wanted)
    counts, started = Counts(), time.monotonic()
    progress = Bars(counts, settings) if sys.stderr.isatty() and not as_json else Quiet()
    with (
        stop_on_signal() as should_stop,
        closing(Database(settings)) as own,
        Producer(settings, IMPORT) as producer,
        progress,
    ):
        importer = Importer(
            Ledger(own, clock),
            None if wanted.trial else producer,
            maker,
            wanted.formats,
            counts,
            clock,
            progress,
            should_stop,
            again=wanted.again,
            follow=wanted.follow,
            password=wanted.password,
        )
        outcome = importer.run(find(logs))
    if outcome.loaded and not outcome.read and not outcome.resumed:
        raise FootfallError(
            f"{', '.join(outcome.loaded)}: loaded completely before. --again loads it once more, and counts it twice."
        )
    seconds = time.monotonic() - started
    document = _document(counts, outcome, _days(database, settings, counts), unknown_hosts, seconds)
    document = {"dry_run": wanted.trial, **document}
    if as_json:
        click.echo(json.dumps(document, indent=2))
    else:
        shown(document)
    if wanted.archive and not wanted.trial and not outcome.stopped:
        _wait_for_drain(settings, clock)
        _archive(sorted({idsite for idsite, _ in counts.quarters}))
    if outcome.stopped and not wanted.follow:
        raise FootfallError("Stopped before the end: run the same command again, and it goes on from there.")
    if outcome.damaged:
        raise FootfallError("\n".join(outcome.damaged))


def _maker(database: Database, wanted: Wanted) -> tuple[Maker, dict[str, int]]:
    """What makes requests of lines, and where it notes the hosts that no site has."""
    if wanted.replay:
        # What the tracker was asked to record, it decided on; it answers some with a redirect.
        asked = Choice(replace(wanted.choice, bots=True, redirects=True))
        return ReplayedRequests(asked, wanted.idsite), {}
    choice = Choice(wanted.choice)
    create = _site_maker() if wanted.create and not wanted.trial else None
    destinations = Destinations(database, wanted.idsite, wanted.fallback, create)
    pages = PageRequests(
        choice,
        destinations,
        strip_query=wanted.strip_query,
        separator=wanted.separator,
        no_provider=wanted.no_provider,
        mark_bots=wanted.choice.bots,
        own_host=wanted.own_host,
    )
    return pages, destinations.unknown_hosts


def _site_maker() -> Callable[[str], int]:
    sites = workbench().sites

    def create(url: str) -> int:
        return sites.create(SiteSettings(name=url.partition("//")[2][:90], urls=[url]))

    return create


def _days(database: Database, settings: Settings, counts: Counts) -> dict[int, LocalDays]:
    sites = Sites(database, settings.tracker_cache_seconds)
    days = {}
    for idsite in {idsite for idsite, _ in counts.quarters}:
        site = sites.get(idsite)
        days[idsite] = site.days if site else LocalDays(UTC)
    return days


def _document(
    counts: Counts,
    outcome: Outcome,
    days: dict[int, LocalDays],
    unknown_hosts: dict[str, int],
    seconds: float,
) -> dict[str, Any]:
    """The summary, as --json prints it."""
    by_day = counts.by_day(days)
    return {
        "lines": counts.lines,
        "imported": counts.imported,
        "downloads": counts.downloads,
        "ignored": dict(counts.ignored.most_common()),
        "invalid": counts.invalid,
        "invalid_samples": counts.samples,
        "sites": {
            str(idsite): {day.isoformat(): count for (site, day), count in sorted(by_day.items()) if site == idsite}
            for idsite in sorted({site for site, _ in by_day})
        },
        "unknown_hosts": dict(sorted(unknown_hosts.items(), key=lambda item: -item[1])[:20]),
        "logs": {
            "read": outcome.read,
            "loaded_before": outcome.loaded,
            "empty": outcome.empty,
            "damaged": outcome.damaged,
            "unfinished": outcome.unfinished,
        },
        "resumed_requests": outcome.resumed,
        "stopped": outcome.stopped,
        "left": outcome.left,
        "seconds": round(seconds, 1),
    }


def _wait_for_drain(settings: Settings, clock: Clock) -> None:
    queue = open_queue(settings)
    while read_state(queue, clock, settings.queue_batch_size).pending_in(IMPORT):
        time.sleep(_DRAIN_LOOK_SECONDS)


def _archive(sites: Sequence[int]) -> None:
    """Archive what is due of the sites: the days that were touched, and the periods above them."""
    if not sites:
        return
    beside = Path(sys.executable).with_name("archive_cli")
    command = str(beside) if beside.exists() else shutil.which("archive_cli")
    if command is None:
        raise FootfallError("archive_cli is not to be found: run `archive_cli run` to archive what was imported.")
    done = subprocess.run([command, "run", "--sites", ",".join(map(str, sites))], check=False)
    if done.returncode:
        raise FootfallError("Archiving failed: `archive_cli status` says what.")
