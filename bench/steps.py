"""Where the CPU time of recording goes: the worker's and that of its MariaDB connection, step by step."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from support import servers

from footfall.database import Database
from footfall.tracking import rows
from footfall.tracking.action_ids import ActionIds
from footfall.tracking.devices import Devices
from footfall.tracking.orders import Orders
from footfall.tracking.recorder import Recorder
from footfall.tracking.visitors import KnownVisits

QUEUE = "queue: read, decode, offset, trim"
# Who does each step; a step's time is without that of the steps inside it.
_STEPS: tuple[tuple[Any, str, str], ...] = (
    (Recorder, "prepare", "parse"),
    (Devices, "of", "devices"),
    (ActionIds, "of", "action ids"),
    (KnownVisits, "load", "visit lookup"),
    (Orders, "load", "order lookup"),
    (Recorder, "_run", "rules"),
    (Recorder, "_write", "conversions and items"),
    (rows, "insert_visits", "insert visits"),
    (rows, "insert_links", "insert actions"),
    (rows, "update_visits", "update visits"),
    (rows, "update_referrers", "update visits"),
    (rows, "update_time_spent", "update actions"),
    (rows, "update_late_timings", "update actions"),
    (rows, "touch_days", "touched days"),
)


class Steps:
    """Sums up CPU time by step.

    Args:
        database: the connection that the worker uses.
    """

    def __init__(self, database: Database) -> None:
        self._thread = _thread_of(database)
        self._spent: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        self._inside = [QUEUE]
        self._last = self._now()

    def _now(self) -> tuple[int, int]:
        server = int(self._thread.read_text().split()[0]) if self._thread else 0
        return time.process_time_ns(), server

    def _charge(self) -> None:
        now = self._now()
        spent = self._spent[self._inside[-1]]
        spent[0] += now[0] - self._last[0]
        spent[1] += now[1] - self._last[1]
        self._last = self._now()

    def _wrapped(self, work: Callable[..., Any], step: str) -> Callable[..., Any]:
        def run(*args: Any, **named: Any) -> Any:
            self._charge()
            self._inside.append(step)
            try:
                return work(*args, **named)
            finally:
                self._charge()
                self._inside.pop()

        return run

    @contextmanager
    def measuring(self, database: Database) -> Iterator[None]:
        """Everything that the block records is measured."""
        before = [(owner, name, getattr(owner, name)) for owner, name, _ in _STEPS]
        connection = database.connection()
        for owner, name, step in _STEPS:
            setattr(owner, name, self._wrapped(getattr(owner, name), step))
        connection.commit = self._wrapped(connection.commit, "commit")
        self._last = self._now()
        try:
            yield
        finally:
            self._charge()
            del connection.commit
            for owner, name, work in before:
                setattr(owner, name, work)

    def show(self, requests: int) -> None:
        """Print the table: microseconds of CPU a request."""
        table = Table("step", "worker", "MariaDB", "together", title="CPU microseconds a request")
        for column in table.columns[1:]:
            column.justify = "right"
        for step, (worker, server) in sorted(self._spent.items(), key=lambda entry: -sum(entry[1])):
            table.add_row(step, *(f"{spent / requests / 1000:.1f}" for spent in (worker, server, worker + server)))
        totals = [sum(spent[i] for spent in self._spent.values()) for i in (0, 1)]
        table.add_section()
        table.add_row("all", *(f"{spent / requests / 1000:.1f}" for spent in (*totals, sum(totals))))
        Console(stderr=True).print(table)


def _thread_of(database: Database) -> Path | None:
    """What the kernel says of the MariaDB thread that serves the connection; None where it runs elsewhere."""
    pid = servers().mariadb
    if pid is None:
        return None
    (thread,) = database.query("SELECT TID FROM information_schema.processlist WHERE ID = CONNECTION_ID()")[0]
    path = Path(f"/proc/{pid}/task/{thread}/schedstat")
    return path if path.exists() else None
