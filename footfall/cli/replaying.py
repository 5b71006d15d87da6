"""`footfall replay`: requests again, into the queue or to a URL."""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from footfall import migrations
from footfall.cli.workbench import json_option
from footfall.clock import SystemClock
from footfall.command_line import stop_on_signal
from footfall.database import Database
from footfall.errors import FootfallError
from footfall.importing.streams import STDIN
from footfall.queue.lanes import IMPORT
from footfall.queue.producer import Producer
from footfall.queue.visitor import parse, text
from footfall.replaying.pace import Pace
from footfall.replaying.reading import Numbered, ReplayFile
from footfall.replaying.to_queue import QueueReplay, Stopped
from footfall.replaying.to_url import UrlReplay
from footfall.settings import load

_MOVED_EVERY = 200


@click.command()
@click.argument("path", metavar="FILE")
@click.option("--url", help="Send them to this tracker over HTTP, instead of putting them into the queue.")
@click.option("--now", "as_now", is_flag=True, help="They count for the moment at which they are sent.")
@click.option("--site", "idsite", type=click.IntRange(1), help="All for this site, whatever they say.")
@click.option("--rate", type=click.FloatRange(0, min_open=True), help="At most so many requests a second.")
@click.option(
    "--speed",
    type=click.FloatRange(0, min_open=True),
    help="Their own pace, times this: 1 as they came.",
)
@click.option(
    "--token",
    envvar="FOOTFALL_TOKEN",
    default="",
    help="With --url: a token with write access, which keeps times and addresses. Better in FOOTFALL_TOKEN than here.",
)
@click.option("--connections", type=click.IntRange(1, 256), default=8, show_default=True, help="With --url: how many.")
@click.option("--from-line", type=click.IntRange(1), default=1, help="Leave the lines before this one out.")
@click.option("--again", is_flag=True, help="Whatever of the file is in the queue already.")
@click.option("--dry-run", is_flag=True, help="Only say what would be replayed.")
@json_option
def replay(
    path: str,
    url: str | None,
    as_now: bool,
    idsite: int | None,
    rate: float | None,
    speed: float | None,
    token: str,
    connections: int,
    from_line: int,
    again: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Send the requests of a file once more: an export, or the log of a server that tracking requests went through.

    FILE may be compressed; - is an export on standard input. Without --url the requests go into the queue, in the lane
    of imports, which never holds up live traffic and is never filled up. They keep times and addresses, and what
    `token_hash` stands for: replay only files that you trust.

    An interrupted replay into the queue goes on where it was when the same command is run again, each line once, for
    30 days. Over HTTP nobody can promise that: a connection that breaks before the answer leaves a request uncertain,
    which is counted and not repeated.

    \b
    Examples:
      footfall replay queue.jsonl
      footfall replay --now --site 7 traffic.jsonl.gz
      footfall replay --now --speed 10 --url http://staging:8000/matomo.php traffic.jsonl.gz
      FOOTFALL_TOKEN=… footfall replay --rate 500 --url https://stats.example.org/matomo.php /var/log/nginx/tracker.log
      footfall export dead | footfall replay --dry-run -
    """
    if url and not (as_now or token or dry_run):
        raise click.UsageError(
            "Over HTTP it takes a token with write access (FOOTFALL_TOKEN) to keep times and addresses; or --now."
        )
    clock, started = SystemClock(), time.monotonic()
    file = ReplayFile(path, clock)
    shown = Shown(file, enabled=sys.stderr.isatty() and not as_json)
    stopped, next_line, error = False, None, ""
    with stop_on_signal() as should_stop, shown:
        pace = Pace(clock, time.sleep, should_stop, rate=rate, speed=speed)
        source = _Source(file, from_line, idsite, should_stop, shown)
        if dry_run:
            for _ in source.requests():
                pass
            stopped = should_stop()
            outcome: dict[str, Any] = {"sent": 0}
        elif url:
            sender = UrlReplay(url, pace, should_stop, token="" if as_now else token, connections=connections)
            try:
                sender.run(source.requests(), lambda: None)
            except FootfallError as failed:
                error = str(failed)
            stopped = should_stop()
            next_line = sender.unsent or (source.last + 1 if stopped else None)
            outcome = {
                "sent": sender.sent,
                "uncertain": sender.uncertain,
                "statuses": {str(status): count for status, count in sorted(sender.statuses.items())},
            }
        else:
            settings = load()
            migrations.check(Database(settings))
            with Producer(settings, IMPORT) as producer:
                queue = QueueReplay(producer, clock, pace, should_stop, shown.waits, as_now=as_now)
                try:
                    queue.run(source, again=again)
                except Stopped:
                    stopped = True
            outcome = {"sent": queue.pushed, "lines_before": queue.before}
    document = {
        "dry_run": dry_run,
        "to": url or "queue",
        **source.document(),
        **outcome,
        "next_line": next_line,
        "stopped": stopped,
        "seconds": round(time.monotonic() - started, 1),
    }
    click.echo(json.dumps(document, indent=2)) if as_json else _say(document)
    if error:
        raise FootfallError(error)
    if stopped and not dry_run:
        raise FootfallError(
            f"Stopped before the end: --from-line {next_line} goes on."
            if url
            else "Stopped before the end: run the same command again, and it goes on from there."
        )


class _Source:
    """The requests of a file as they are to be sent, counted."""

    def __init__(
        self, file: ReplayFile, from_line: int, idsite: int | None, should_stop: Callable[[], bool], shown: "Shown"
    ) -> None:
        self.path = file.path
        self._file = file
        self._from_line = from_line
        self._idsite = idsite
        self._should_stop = should_stop
        self._shown = shown
        self._count = 0
        self._sites: Counter[str] = Counter()
        self._first = self._latest = 0.0
        self.last = from_line - 1

    @property
    def identity(self) -> str:
        """As of the file, and of what is done to its requests."""
        identity = self._file.identity
        return f"{identity}-{self._idsite}" if identity and self._idsite else identity

    def requests(self, after: int = 0) -> Iterator[Numbered]:
        """The requests of the lines behind this one."""
        for number, request in self._file.requests(max(after, self._from_line - 1)):
            if self._idsite is not None:
                request = msgspec.structs.replace(request, query=request.query + b"&idsite=%d" % self._idsite)
            self._count += 1
            self._sites[text({**parse(request.body), **parse(request.query)}, "idsite")[:10]] += 1
            at = request.received_at
            self._first, self._latest = min(self._first or at, at), max(self._latest, at)
            self.last = number
            yield Numbered(number, request)
            if self._count % _MOVED_EVERY == 0:
                self._shown.moved(self._count)
                if self._should_stop():
                    return

    def document(self) -> dict[str, Any]:
        """What was read."""
        found = self._file.found
        return {
            "lines": found.lines,
            "requests": self._count,
            "sites": dict(self._sites.most_common(20)),
            "from": _moment(self._first),
            "to_time": _moment(self._latest),
            "ignored": found.ignored,
            "invalid": found.invalid,
            "invalid_samples": found.samples,
        }


class Shown:
    """A progress bar, where a terminal is."""

    def __init__(self, file: ReplayFile, *, enabled: bool) -> None:
        self._file = file
        total = Path(file.path).stat().st_size if file.path != STDIN else None
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[count]} requests"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not enabled,
        )
        self._task = self._bars.add_task("replaying", total=total or None, count="0")

    def __enter__(self) -> "Shown":
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def moved(self, count: int) -> None:
        """So many requests were read."""
        self._bars.update(self._task, description="replaying", completed=self._file.found.consumed, count=f"{count:,}")

    def waits(self, reason: str) -> None:
        """The queue has no room."""
        self._bars.update(self._task, description=f"waiting: {reason}")


def _moment(at: float) -> str | None:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S") if at else None


def _say(document: dict[str, Any]) -> None:
    lines = [f"{document['lines']:,} lines read in {document['seconds']} s"]
    if document.get("lines_before"):
        lines.append(f"the first {document['lines_before']:,} lines were in the queue before")
    if document["requests"]:
        sites = ", ".join(f"{site or '(none)'} ({count:,})" for site, count in document["sites"].items())
        lines.append(f"{document['requests']:,} requests from {document['from']} to {document['to_time']} (UTC)")
        lines.append(f"sites: {sites}")
    if document["ignored"]:
        lines.append(f"{document['ignored']:,} lines are no tracking requests")
    if document["invalid"]:
        lines.append(f"{document['invalid']:,} invalid, the first of them:")
        lines += [f"  {sample}" for sample in document["invalid_samples"]]
    if document["dry_run"]:
        lines.append(f"nothing was sent to {document['to']}")
    else:
        lines.append(f"{document['sent']:,} sent to {document['to']}")
    for status, count in document.get("statuses", {}).items():
        lines.append(f"  {count:,} answered {status}")
    if document.get("uncertain"):
        lines.append(f"{document['uncertain']:,} uncertain: their connection broke before the answer")
    click.echo("\n".join(lines))
