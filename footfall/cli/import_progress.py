"""What `footfall import` shows: a progress bar while it works, a summary in the end."""

from types import TracebackType
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from footfall.clock import SystemClock
from footfall.errors import QueueUnavailable
from footfall.importing.counts import Counts
from footfall.queue.lanes import IMPORT
from footfall.queue.state import read_state
from footfall.queue.stores import open_queue
from footfall.settings import Settings

_DAYS_SHOWN = 40
_RATE_SECONDS = 2.0


class Quiet:
    """Shows nothing: for pipes, logs and cron."""

    def __enter__(self) -> "Quiet":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        return None

    def opened(self, bytes_in_all: int) -> None:
        return None

    def moved(self, consumed: int) -> None:
        return None

    def waits(self, reason: str) -> None:
        return None


class Bars(Quiet):
    """A bar by bytes, with lines a second read, requests a second recorded, and the time left."""

    def __init__(self, counts: Counts, settings: Settings) -> None:
        self._counts = counts
        self._settings = settings
        self._clock = SystemClock()
        self._queue = open_queue(settings)
        self._looked = (self._clock.monotonic(), 0, self._recorded())
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[rates]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task = self._bars.add_task("importing", total=None, rates="")

    def __enter__(self) -> "Bars":
        self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bars.stop()

    def opened(self, bytes_in_all: int) -> None:
        self._bars.update(self._task, total=bytes_in_all or None)

    def moved(self, consumed: int) -> None:
        self._bars.update(self._task, description="importing", completed=consumed)
        self._rate()

    def waits(self, reason: str) -> None:
        self._bars.update(self._task, description=f"waiting: {reason}")
        self._rate()

    def _rate(self) -> None:
        at, lines, recorded = self._looked
        now = self._clock.monotonic()
        if now - at < _RATE_SECONDS:
            return
        self._looked = now, self._counts.lines, self._recorded()
        read, done = (self._looked[1] - lines) / (now - at), (self._looked[2] - recorded) / (now - at)
        self._bars.update(self._task, rates=f"{read:,.0f} lines/s, {done:,.0f} recorded/s")

    def _recorded(self) -> int:
        try:
            state = read_state(self._queue, self._clock, self._settings.queue_batch_size)
        except QueueUnavailable:
            return 0
        return sum(shard.recorded for shard in state.shards if shard.shard.startswith(IMPORT.prefix))


def shown(document: dict[str, Any]) -> None:
    """Print the summary."""
    would = "would be imported" if document["dry_run"] else "imported"
    lines = [f"{document['lines']:,} lines read in {document['seconds']} s"]
    if document["resumed_requests"]:
        lines.append(f"{document['resumed_requests']:,} requests of an interrupted import were queued first")
    lines.append(f"{document['imported']:,} {would}, {document['downloads']:,} of them downloads")
    if document["left"]:
        lines.append(f"{document['left']:,} of these are not in the queue yet: the next run takes them")
    ignored = document["ignored"]
    if ignored:
        lines.append(f"{sum(ignored.values()):,} left out:")
        lines += [f"  {count:,} {reason}" for reason, count in ignored.items()]
    if document["invalid"]:
        lines.append(f"{document['invalid']:,} invalid, the first of them:")
        lines += [f"  {sample}" for sample in document["invalid_samples"]]
    if document["unknown_hosts"]:
        hosts = ", ".join(f"{host or '(none)'} ({count:,})" for host, count in document["unknown_hosts"].items())
        lines.append(f"hosts of no site: {hosts}")
    for path in document["logs"]["loaded_before"]:
        lines.append(f"{path} was loaded completely before and is left out; --again loads it once more")
    for path in document["logs"]["empty"]:
        lines.append(f"{path} has no lines")
    for path in document["logs"]["unfinished"]:
        lines.append(f"the last line of {path} has no end yet: the next run takes it")
    click.echo("\n".join(lines))
    days = [(site, day, count) for site, found in document["sites"].items() for day, count in found.items()]
    if days:
        table = Table("site", "day", "requests")
        for site, day, count in days[:_DAYS_SHOWN]:
            table.add_row(site, day, f"{count:,}")
        Console().print(table)
        if len(days) > _DAYS_SHOWN:
            click.echo(f"and {len(days) - _DAYS_SHOWN:,} more days; --json shows all")
