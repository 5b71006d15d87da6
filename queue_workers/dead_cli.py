"""`queue_workers dead`: the requests that could not be recorded."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from footfall.clock import SystemClock
from footfall.command_line import CONTEXT
from footfall.database import Database
from footfall.migrations import check
from footfall.queue import failures
from footfall.queue.dead_letters import BuriedLetter, DeadLetters, LetterChoice
from footfall.queue.replay import Desk, drop, replay
from footfall.queue.stores import open_queue
from footfall.settings import load

_TOKEN = re.compile(r"(token_auth=)[^&]*", re.IGNORECASE)
_MOMENTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"]
Command = TypeVar("Command", bound=Callable[..., Any])


class _Group(click.Group):
    """`dead` and `dead --json` are short for `dead list`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in CONTEXT["help_option_names"]):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Group, context_settings=CONTEXT)
def dead() -> None:
    """Requests that could not be recorded: list, replay or drop them.

    They are kept in the table footfall_dead_letter with the reason and the time. Either the request asks for the
    impossible (an unknown site, a past time without a token), or recording it failed. When too many fail within an hour
    (DEAD_LETTER_LIMIT), draining stops, and all other requests wait in the queue.

    \b
    Look, remove the cause, go on:
      queue_workers dead list --failed
      queue_workers dead resume
      queue_workers dead replay --failed

    `queue_workers dead` alone is short for `queue_workers dead list`.
    """


def choosing(command: Command) -> Command:
    """The options that choose dead letters."""
    moment = click.DateTime(_MOMENTS)
    for option in (
        click.option(
            "--before", type=moment, help="Rejected earlier than this (UTC): 2026-08-31 or 2026-08-31T12:00:00."
        ),
        click.option("--since", type=moment, help="Rejected at this time or later (UTC)."),
        click.option("--failed", is_flag=True, help="Only those that failed, not those that ask for the impossible."),
        click.option("--reason", default="", help="Only those with this text in the reason."),
        click.option("--site", type=click.IntRange(min=1), help="Only those for this site."),
        click.option("--number", "numbers", type=int, multiple=True, help="Only this one; can be given several times."),
    ):
        command = option(command)
    return command


@dead.command(name="list")
@choosing
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many, newest first.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_(limit: int, as_json: bool, **choice: Any) -> None:
    """List them, newest first, each with the reason. Times are in UTC.

    \b
    Examples:
      queue_workers dead list
      queue_workers dead list --failed --since 2026-08-31
      queue_workers dead list --limit 1000 --json
    """
    chosen = _choice(**choice)
    with _desk() as desk:
        newest, total = desk.letters.newest(limit, chosen), desk.letters.count(chosen)
    if as_json:
        click.echo(json.dumps([_document(letter) for letter in newest], indent=2))
        return
    if not newest:
        click.echo("There are no dead letters." if chosen.is_all() else "There are no such dead letters.")
        return
    table = Table("number", "received (UTC)", "site", "reason", "request")
    for letter in newest:
        document = _document(letter)
        table.add_row(
            str(letter.number),
            document["received"],
            str(document["idsite"] or ""),
            document["reason"],
            document["request"],
        )
    Console().print(table)
    if total > len(newest):
        click.echo(f"{len(newest)} of {total}; --limit shows more")


@dead.command(name="replay")
@choosing
@click.option("--all", "everything", is_flag=True, help="All of them.")
def replay_(everything: bool, **choice: Any) -> None:
    """Put them back into the queue, each exactly once, to be recorded behind all that waits there.

    They count for the time at which they were received. One that cannot be recorded this time either becomes a new dead
    letter.

    \b
    Examples:
      queue_workers dead replay --number 17
      queue_workers dead replay --site 4 --reason "no such site"
      queue_workers dead replay --all
    """
    chosen = _choice(**choice)
    _insist_on_a_choice(chosen, everything)
    settings = load()
    with _desk() as desk:
        with _progress("replayed", desk.letters.count(chosen)) as done:
            count = replay(desk, chosen, done)
        stopped = failures.stopped(desk.queue.board, settings.dead_letter_limit)
    click.echo(f"{count} dead letters are back in the queue")
    if stopped:
        click.echo("Draining has stopped: `queue_workers dead resume` goes on.", err=True)


@dead.command(name="drop")
@choosing
@click.option("--all", "everything", is_flag=True, help="All of them.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
def drop_(everything: bool, yes: bool, **choice: Any) -> None:
    """Delete them for good.

    \b
    Examples:
      queue_workers dead drop --reason "no such site" --before 2026-08-01
      queue_workers dead drop --all --yes
    """
    chosen = _choice(**choice)
    _insist_on_a_choice(chosen, everything)
    with _desk() as desk:
        total = desk.letters.count(chosen)
        if total and not yes:
            click.confirm(f"Delete {total} dead letters?", abort=True)
        with _progress("deleted", total) as done:
            count = drop(desk, chosen, done)
    click.echo(f"{count} dead letters deleted")


@dead.command()
def resume() -> None:
    """Go on draining after it stopped because too many requests failed (DEAD_LETTER_LIMIT).

    Without this it goes on by itself an hour after the first of these failures.

    \b
    Example:
      queue_workers dead resume
    """
    settings = load()
    board = open_queue(settings).board
    was_stopped = failures.stopped(board, settings.dead_letter_limit)
    failures.resume(board)
    click.echo("draining goes on" if was_stopped else "draining had not stopped")


@contextmanager
def _desk() -> Iterator[Desk]:
    settings, clock = load(), SystemClock()
    database, queue = Database(settings), open_queue(settings)
    try:
        check(database)
        yield Desk(database, queue, DeadLetters(database, clock), clock)
    finally:
        database.close()
        queue.disconnect()


@contextmanager
def _progress(verb: str, total: int) -> Iterator[Callable[[int], None]]:
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task(verb, total=total)
        yield lambda count: progress.advance(task, count)


def _choice(
    numbers: tuple[int, ...],
    site: int | None,
    reason: str,
    failed: bool,
    since: datetime | None,
    before: datetime | None,
) -> LetterChoice:
    return LetterChoice(
        numbers,
        site,
        reason,
        since.replace(tzinfo=UTC) if since else None,
        before.replace(tzinfo=UTC) if before else None,
        failed,
    )


def _insist_on_a_choice(chosen: LetterChoice, everything: bool) -> None:
    if everything != chosen.is_all():
        raise click.UsageError("Say which ones (--number, --site, --reason, --failed, --since, --before), or --all.")


def _document(buried: BuriedLetter) -> dict[str, Any]:
    """A dead letter as JSON, tokens blanked out."""
    request = buried.letter.request()
    parts = [request.query, request.body] if request else []
    parameters = "&".join(part.decode("utf-8", "replace") for part in parts if part)
    return {
        "number": buried.number,
        "received": buried.received_at.strftime("%Y-%m-%d %H:%M:%S"),
        "rejected": buried.rejected_at.strftime("%Y-%m-%d %H:%M:%S"),
        "shard": buried.letter.shard,
        "idsite": buried.letter.idsite,
        "reason": buried.letter.reason,
        "address": request.address if request else None,
        "request": _TOKEN.sub(r"\1***", parameters),
    }
