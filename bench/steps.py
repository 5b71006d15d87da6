"""Where the CPU time of recording goes: the worker's and that of its MariaDB connection, step by step."""

import time
from collections import defaultdict

from rich.console import Console
from rich.table import Table
from support import ServerThread

from footfall.database import Database
from footfall.metrics.steps import Step, Steps

BETWEEN = "between batches"


class CpuSteps(Steps):
    """Sums up CPU time by step, beside the time that passes.

    Args:
        database: the connection that the worker uses.
    """

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._server_thread = ServerThread(database)
        self._name = BETWEEN
        self._last = self._clocks()
        self._spent_cpu: dict[str, list[int]] = defaultdict(lambda: [0, 0])

    def at(self, step: Step) -> None:
        """This step begins."""
        self._charge(step.value)
        super().at(step)

    def take(self) -> dict[Step, float]:
        """As in the base class."""
        spent = super().take()
        self._charge(BETWEEN)
        return spent

    def restart(self) -> None:
        """Forget what was measured so far."""
        self._spent_cpu.clear()
        self._last = self._clocks()

    def _clocks(self) -> tuple[int, int]:
        """Nanoseconds of CPU: of this process, and of the server for it."""
        return time.process_time_ns(), self._server_thread.cpu_ns()

    def _charge(self, following: str) -> None:
        now = self._clocks()
        spent = self._spent_cpu[self._name]
        for place in (0, 1):
            spent[place] += now[place] - self._last[place]
        self._name, self._last = following, self._clocks()

    def show(self, requests: int) -> None:
        """Print the table: microseconds of CPU a request."""
        self._charge(self._name)
        table = Table("step", "worker", "MariaDB", "together", title="CPU microseconds a request")
        for column in table.columns[1:]:
            column.justify = "right"
        for step, (worker, server) in sorted(self._spent_cpu.items(), key=lambda entry: -sum(entry[1])):
            table.add_row(step, *(f"{spent / requests / 1000:.1f}" for spent in (worker, server, worker + server)))
        totals = [sum(spent[place] for spent in self._spent_cpu.values()) for place in (0, 1)]
        table.add_section()
        table.add_row("all", *(f"{spent / requests / 1000:.1f}" for spent in (*totals, sum(totals))))
        Console(stderr=True).print(table)
