"""Shows how the work goes: a bar per site on a terminal, lines elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import TracebackType

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from footfall.archiving.periods import Period


@dataclass
class Tally:
    """What was done so far."""

    sites: int = 0
    made: int = 0
    failed: list[str] = field(default_factory=list)
    waiting: int = 0


class Lines:
    """A line per site when it begins and ends, and per failure."""

    def __init__(self) -> None:
        self.tally = Tally()
        self._made_before = 0

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        return None

    def site_started(self, idsite: int, archives: int) -> None:
        self.tally.sites += 1
        self._made_before = self.tally.made
        click.echo(f"site {idsite}: {archives} archives to make")

    def archive_made(self, idsite: int, period: Period, seconds: float) -> None:
        self.tally.made += 1

    def archive_failed(self, idsite: int, period: Period, error: Exception) -> None:
        self.tally.failed.append(f"site {idsite}, {period}: {error}")
        click.echo(f"site {idsite}: {period} failed: {error}", err=True)

    def archive_waits(self, idsite: int, period: Period) -> None:
        self.tally.waiting += 1

    def site_finished(self, idsite: int) -> None:
        click.echo(f"site {idsite}: {self.tally.made - self._made_before} archives made")


class Bars(Lines):
    """A progress bar per site."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[period]}"),
            TimeElapsedColumn(),
            console=console,
        )
        self._task = TaskID(0)

    def __enter__(self) -> Bars:
        self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bars.stop()

    def site_started(self, idsite: int, archives: int) -> None:
        self.tally.sites += 1
        self._task = self._bars.add_task(f"site {idsite}", total=archives, period="")

    def archive_made(self, idsite: int, period: Period, seconds: float) -> None:
        super().archive_made(idsite, period, seconds)
        self._bars.update(self._task, advance=1, period=str(period))

    def archive_failed(self, idsite: int, period: Period, error: Exception) -> None:
        self.tally.failed.append(f"site {idsite}, {period}: {error}")
        self._bars.console.print(f"site {idsite}: {period} failed: {error}", style="red", markup=False)

    def site_finished(self, idsite: int) -> None:
        self._bars.update(self._task, period="")
