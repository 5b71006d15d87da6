"""`footfall export`: requests as lines of JSON."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click
from rich.console import Console
from rich.progress import Progress, TextColumn

from footfall import migrations
from footfall.clock import SystemClock
from footfall.command_line import stop_on_signal
from footfall.database import Database
from footfall.errors import FootfallError
from footfall.queue.dead_letters import DeadLetters, LetterChoice
from footfall.queue.stores import open_queue
from footfall.replaying import exporting
from footfall.replaying.exporting import Tally
from footfall.replaying.kept import kept_lines
from footfall.settings import Settings, load
from footfall.users import Users

_STDOUT = "-"
_SHOWN_EVERY = 1_000


@click.command("export")
@click.argument("source", type=click.Choice(["queue", "dead", "recorded"]))
@click.option(
    "--output", default=_STDOUT, metavar="FILE", help="A new file, readable by you alone. Default: - (stdout)."
)
@click.option("--site", "idsite", type=click.IntRange(1), help="Of `dead`: only those for this site.")
@click.option("--reason", default="", help="Of `dead`: only those with this text in the reason.")
@click.option(
    "--failed", is_flag=True, help="Of `dead`: only those that failed, not those that ask for the impossible."
)
def export(source: str, output: str, idsite: int | None, reason: str, failed: bool) -> None:
    """Write tracking requests as lines of JSON, which `footfall replay` reads. They stay where they are.

    \b
    queue     what waits in the queue at this moment, of all lanes; not what lies in spools
    dead      dead letters, oldest first, each with its reason
    recorded  what this machine's workers kept after recording it (KEPT_REQUESTS_DIRECTORY)

    A line has everything that the request carried, except its token: `token_hash` stands for it, by which the workers
    of this installation recognise the user. The lines hold addresses and all that visitors sent; treat them with care.

    \b
    Examples:
      footfall export queue --output queue.jsonl
      footfall export dead --failed | head -1 | jq .
      footfall export recorded | gzip > traffic.jsonl.gz
    """
    if source != "dead" and (idsite is not None or reason or failed):
        raise click.UsageError("--site, --reason and --failed choose among dead letters: use them with `dead`.")
    settings, tally, count = load(), Tally(), 0
    chosen = LetterChoice(idsite=idsite, reason=reason, failed=failed)
    console = Console(stderr=True)
    with (
        stop_on_signal() as should_stop,
        _opened(output) as file,
        Progress(
            TextColumn("{task.completed:,.0f} requests"), console=console, disable=not console.is_terminal
        ) as progress,
    ):
        task = progress.add_task("", total=None)
        try:
            for line in _lines(source, settings, chosen, tally):
                file.write(line + b"\n")
                count += 1
                if count % _SHOWN_EVERY == 0:
                    progress.update(task, completed=count)
                    if should_stop():
                        break
            file.flush()
        except BrokenPipeError:
            sys.stderr.close()  # whoever reads has enough; nothing is to be said about it at the end
            return
    if tally.unreadable:
        click.echo(f"{tally.unreadable} records cannot be read and were left out", err=True)
    if output != _STDOUT:
        click.echo(f"{count:,} requests written to {output}")
    if should_stop():
        raise FootfallError("Stopped before the end.")


def _lines(source: str, settings: Settings, chosen: LetterChoice, tally: Tally) -> Iterator[bytes]:
    clock = SystemClock()
    database = Database(settings)
    hash_token = Users(database, settings, clock).hash_token if settings.secret_key else None
    if source == "queue":
        return exporting.queued(open_queue(settings), hash_token, tally)
    if source == "dead":
        migrations.check(database)
        return exporting.dead(DeadLetters(database, clock), chosen, hash_token, tally)
    if not settings.kept_requests_directory:
        raise FootfallError(
            "Nothing was kept: set KEPT_REQUESTS_DIRECTORY for the workers, and here, and export what they record then."
        )
    return kept_lines(Path(settings.kept_requests_directory))


@contextmanager
def _opened(output: str) -> Iterator[IO[bytes]]:
    if output == _STDOUT:
        yield sys.stdout.buffer
        return
    path = Path(output)
    try:
        path.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        raise FootfallError(f"{output} is there already: choose another name, or delete it.") from None
    except OSError as error:
        raise FootfallError(f"{output} cannot be written: {error.strerror or error}.") from None
    with path.open("wb") as file:
        yield file
