"""`footfall profile`: which statements take the database's time."""

import json

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from footfall.command_line import CONTEXT
from footfall.database import Database
from footfall.journal.profile import share
from footfall.journal.profile_table import ProfileTable, StatementTimes
from footfall.migrations import check
from footfall.settings import load

_SHOWN = 30
_TEXT = 250  # characters of a statement in the table


@click.group(context_settings=CONTEXT)
def profile() -> None:
    """Show which SQL statements take the time, as measured with SQL_PROFILING=on.

    Every process that runs with SQL_PROFILING=on, or a share such as 0.1, adds the times of its statements every few
    seconds to the table log_profiling. Statements are told apart by their text without values; the log tables of a
    batch are one statement each, however many rows it has.

    \b
    Find what is slow:
      footfall profile clear
      SQL_PROFILING=on archive_cli run
      footfall profile show
    """


@profile.command()
@click.option(
    "--limit", type=click.IntRange(min=1), default=_SHOWN, show_default=True, help="How many, the slowest in all first."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON, statements whole.")
def show(limit: int, as_json: bool) -> None:
    """Show the statements that took longest in all, with their number and mean time.

    With a share of statements (SQL_PROFILING=0.1), number and time are those of the share.

    \b
    Examples:
      footfall profile show
      footfall profile show --limit 5 --json
    """
    settings = load()
    found = ProfileTable(_database()).read()
    if as_json:
        click.echo(json.dumps([_document(times) for times in found[:limit]], indent=2))
        return
    if found:
        Console().print(_table(found, limit))
    if len(found) > limit:
        click.echo(f"{limit} of {len(found)} statements; --limit shows more")
    if not found:
        click.echo("No statement was timed.")
    if not share(settings.sql_profiling):
        click.echo(
            "SQL_PROFILING is off here: processes that run with SQL_PROFILING=on time their statements.", err=True
        )


@profile.command()
def clear() -> None:
    """Forget all times, to begin anew.

    Running processes add theirs of the last seconds afterwards; everything else that is in the table log_profiling
    goes, also what Matomo wrote there.

    \b
    Example:
      footfall profile clear
    """
    click.echo(f"{ProfileTable(_database()).clear()} statements forgotten")


def _database() -> Database:
    database = Database(load())
    check(database)
    return database


def _document(times: StatementTimes) -> dict[str, object]:
    return {
        "statement": times.statement,
        "count": times.count,
        "total_ms": round(times.milliseconds, 3),
        "mean_ms": round(times.milliseconds / max(times.count, 1), 3),
    }


def _table(found: list[StatementTimes], limit: int) -> Table:
    whole = sum(times.milliseconds for times in found) or 1.0
    table = Table()
    for name in ("total (ms)", "share", "number", "mean (ms)"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("statement")
    for times in found[:limit]:
        table.add_row(
            f"{times.milliseconds:,.1f}",
            f"{times.milliseconds / whole:.0%}",
            f"{times.count:,}",
            f"{times.milliseconds / max(times.count, 1):,.3f}",
            Text(times.statement if len(times.statement) <= _TEXT else f"{times.statement[:_TEXT]} …"),
        )
    return table
