"""The `archive_cli` command: makes the archives that reports are read from."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import click
from rich.console import Console

from archive_cli.arguments import (
    Age,
    AgeParameter,
    DateParameter,
    DateRangeParameter,
    PeriodKindsParameter,
    SiteList,
    SiteListParameter,
)
from footfall import log
from footfall.archiving.periods import PeriodKind
from footfall.clock import SystemClock
from footfall.command_line import CONTEXT, Commands, keep_journal
from footfall.database import Database
from footfall.migrations import check
from footfall.reports.site_timezones import SiteTimezones
from footfall.settings import load

if TYPE_CHECKING:
    from archive_cli.invalidating import Queued

_SITES = "Which sites: 1-50, or 1,4-6, or all. A range takes the sites that exist inside it."
_all_sites = click.option(
    "--sites", type=SiteListParameter(), default="all", show_default=True, metavar="SITES", help=_SITES
)
_segment = click.option(
    "--segment", default="", metavar="SEGMENT", help="The archives of this segment alone, `deviceType==tablet` say."
)
_named_sites = click.option("--sites", type=SiteListParameter(), required=True, metavar="SITES", help=_SITES)


@click.group(cls=Commands, context_settings=CONTEXT)
@click.version_option(package_name="footfall")
def main() -> None:
    """Make the archives that reports are read from.

    An archive holds the numbers and tables of one site and period. Days are computed from the log; weeks, months, years
    and ranges from the archives inside them. Which days have new data is known: a run without news does nothing.

    \b
    From cron, every quarter of an hour, any number side by side:
      archive_cli run

    \b
    After log data was changed by hand:
      archive_cli invalidate --sites 3 --dates 2026-08-01,2026-08-31
      archive_cli run --sites 3

    \b
    How it stands:
      archive_cli status

    The servers are those of DATABASE_URL and REDIS_URL, from the environment or from the file .local/env.

    Exit status: 0 done, 1 failed (the reason is on standard error), 2 wrong arguments.
    """


@main.command()
@_all_sites
@click.option(
    "--periods",
    type=PeriodKindsParameter(),
    default="all",
    show_default=True,
    metavar="PERIODS",
    help="Only these kinds, with commas between: day, week, month, year, range. A period with a waiting one inside it "
    "waits too.",
)
def run(sites: SiteList, periods: tuple[PeriodKind, ...]) -> None:
    """Archive what is due, one site at a time.

    Due is what has new log data or was invalidated, and the periods above it. Days come before weeks, months, years and
    ranges; newest first. Run it as often as you like and in as many processes as you have processors: each site is
    worked by one process at a time. What one process does not finish, the next run does. Today is archived again when
    its archive is older than TODAY_ARCHIVE_SECONDS.

    SIGTERM or Ctrl+C finishes the archive in hand and ends. An archive that cannot be made is reported and tried again
    by the next run; the others are made all the same, and the exit status is 1.

    \b
    Examples:
      archive_cli run
      archive_cli run --sites 1-50 --periods day,week
    """
    # Here, so that the other commands do not wait for what only archiving needs.
    from archive_cli.running import run_sites

    settings = load()
    log.configure(settings.log_level, settings.log_format)
    keep_journal(settings)
    database = _database()
    if not run_sites(database, settings, SystemClock(), _chosen(database, sites), periods):
        raise click.exceptions.Exit(1)


@main.command()
@_named_sites
@click.option(
    "--dates",
    type=DateRangeParameter(),
    multiple=True,
    required=True,
    metavar="DATES",
    help="A date (2026-08-01), or two for all days from first to last (2026-08-01,2026-08-31). May be repeated.",
)
@click.option(
    "--periods",
    type=PeriodKindsParameter(),
    default="day,week,month,year",
    show_default=True,
    metavar="PERIODS",
    help="The kinds of period around these dates that change, with commas between. Those above them always do too. "
    "`range` is a range of exactly the given dates.",
)
@_segment
@click.option("--cascade", is_flag=True, help="The periods inside them as well.")
def invalidate(
    sites: SiteList,
    dates: tuple[tuple[date, date], ...],
    periods: tuple[PeriodKind, ...],
    segment: str,
    cascade: bool,
) -> None:
    """Have archives made again by the next run.

    Until then the present ones stay in use.

    \b
    Examples:
      archive_cli invalidate --sites 1,4-6 --dates 2026-08-01,2026-08-31
      archive_cli invalidate --sites all --dates 2026-08-01 --periods month --cascade
      archive_cli invalidate --sites 2 --dates 2026-08-01 --segment "deviceType==smartphone"
    """
    from archive_cli.invalidating import Invalidating

    database = _database()
    chosen = _chosen(database, sites)
    queued = Invalidating(database, SystemClock()).around(chosen, dates, periods, segment, cascade=cascade)
    _say_queued(queued, len(chosen), sites.text)


@main.command()
@_all_sites
@click.option("--plugin", default="", metavar="PLUGIN", help="Only what this plugin archives, `Goals` say.")
@click.option("--report", default="", metavar="RECORD", help="Only this record of the plugin, `Goal_1_revenue` say.")
@_segment
@click.option(
    "--since",
    type=DateParameter(),
    metavar="DATE",
    help="Periods that end on this day or later; without it, those of the last REARCHIVE_MONTHS months.",
)
def rearchive(sites: SiteList, plugin: str, report: str, segment: str, since: date | None) -> None:
    """Have what is archived already made again by the next run: all of it, or what one plugin archives.

    For numbers that could not be known before: after a plugin was added, or a goal was made for visits of the past.
    Archives of a plugin or of one record lie over the present ones until everything is archived again.

    \b
    Examples:
      archive_cli rearchive --plugin Goals --since 2026-01-01
      archive_cli rearchive --sites 1-50 --plugin Actions --report Actions_actions_url
    """
    from archive_cli.invalidating import Invalidating
    from footfall.archiving.periods import months_before
    from footfall.archiving.scope import Scope

    if report and not plugin:
        raise click.UsageError("--report needs --plugin: the plugin whose record it is.")
    database, clock = _database(), SystemClock()
    chosen = _chosen(database, sites)
    begin = since or months_before(clock.now().date(), load().rearchive_months)
    scope = Scope(segment, plugin, report, is_overlay=bool(plugin))
    _say_queued(Invalidating(database, clock).again(chosen, begin, scope), len(chosen), sites.text)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def status(as_json: bool) -> None:
    """Show what is waiting, being worked, or failed.

    \b
    Examples:
      archive_cli status
      archive_cli status --json | jq .failed
    """
    from archive_cli.status import read_status, render

    document = read_status(_database(), SystemClock())
    if as_json:
        click.echo(json.dumps(document, indent=2))
    else:
        Console().print(render(document))


@main.command()
@click.option(
    "--logs-older-than",
    type=AgeParameter(),
    metavar="AGE",
    help="Also the log of days that are older (180d, 26w, 6m, 2y) and archived, and actions that nothing refers to.",
)
@click.option(
    "--reports-older-than", type=AgeParameter(), metavar="AGE", help="Also archives of periods that ended earlier."
)
def purge(logs_older_than: Age | None, reports_older_than: Age | None) -> None:
    """Remove archives and devices that nobody reads any more; old log data and old archives where you say so.

    Nobody reads archives that a newer one replaced, that failed or were never finished, and ranges of dates more than a
    day old, which are made again when somebody asks for them. A run removes what it replaces by itself, so once a day
    is enough. What a user agent says (its device) goes when no worker asked for it in DEVICE_DAYS, and what was logged
    to the database (LOG_TO_DATABASE) after LOG_DATABASE_DAYS.

    Log data goes in small steps that hold tracking up for no more than moments. A day that is not archived stays. Once
    its log is gone a day cannot be archived again: its archives stay as they are.

    \b
    Examples:
      archive_cli purge
      archive_cli purge --logs-older-than 180d --reports-older-than 24m
    """
    from archive_cli.purging import purge_all

    for line in purge_all(_database(), load(), SystemClock(), logs_older_than, reports_older_than):
        click.echo(line)


def _database() -> Database:
    database = Database(load())
    check(database)
    return database


def _chosen(database: Database, sites: SiteList) -> list[int]:
    return sites.among(list(SiteTimezones(database).timezones()))


def _say_queued(queued: Queued, sites: int, text: str) -> None:
    if queued.waiting:
        click.echo(
            f"{queued.waiting} archives of {sites} sites are waiting; `archive_cli run --sites {text}` makes them"
        )
    if queued.on_demand:
        click.echo(
            "the segment is not one of those that `archive_cli run` makes: "
            "its archives are made again when a report asks for them"
        )
    if queued.kept:
        click.echo(f"{queued.kept} archives stay as they are: the log or the archives they were made from are purged")
    if not queued.waiting and not queued.on_demand and not queued.kept:
        click.echo("nothing to add: all of these were waiting already")
