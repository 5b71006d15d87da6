"""What `queue_workers status` shows."""

import time
from dataclasses import asdict, dataclass
from typing import Any

import mysql.connector
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from footfall.clock import Clock
from footfall.database import Database
from footfall.errors import FootfallError
from footfall.options import Options
from footfall.queue import failures
from footfall.queue.backend import Backend
from footfall.queue.dead_letters import DeadLetters
from footfall.queue.lanes import IMPORT, LANES
from footfall.queue.state import QueueState, read_state
from footfall.settings import Settings
from queue_workers.load_report import Report, read_report


@dataclass(frozen=True)
class WorkerState:
    """A worker process, on whatever machine.

    Args:
        state: `idle`, `busy` or `started`.
        shards: the shards whose lease it holds.
        seen_seconds: how long ago it was last heard of; a busy one is heard of when its job ends.
    """

    name: str
    state: str
    shards: list[str]
    seen_seconds: float


@dataclass(frozen=True)
class Status:
    """The queue and its workers at one moment.

    Args:
        rate: requests that left the queue per second, over the last moments; None for a first look.
        dead: dead letters; None while the database cannot be reached.
        stopped: why nothing is drained although there is something; empty while it is.
    """

    queue: QueueState
    rate: float | None
    workers: list[WorkerState]
    dead: int | None
    last_load: Report | None
    stopped: str = ""

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "pending": self.queue.pending,
            "lanes": {lane.name: {"pending": self.queue.pending_in(lane)} for lane in LANES},
            "in_flight": self.queue.in_flight,
            "oldest_seconds": round(self.queue.oldest_seconds, 3),
            "rate": None if self.rate is None else round(self.rate, 1),
            "dead": self.dead,
            "spooled": self.queue.spooled,
            "draining_stopped": bool(self.stopped),
            "shards": [asdict(shard) for shard in self.queue.shards],
            "workers": [asdict(worker) for worker in self.workers],
            "last_load": self.last_load,
        }


class StatusReader:
    """Reads the status again and again."""

    def __init__(self, queue: Backend, database: Database, clock: Clock, settings: Settings) -> None:
        self._queue = queue
        self._dead_letters = DeadLetters(database, clock)
        self._options = Options(database, 0)
        self._clock = clock
        self._settings = settings
        self._before: tuple[float, int] | None = None

    def read(self) -> Status:
        """The status now; the rate since the last call.

        Raises:
            QueueUnavailable: the store cannot be reached.
        """
        queue = read_state(self._queue, self._clock, self._settings.queue_batch_size)
        now = time.monotonic()
        rate = None
        if self._before and now > self._before[0]:
            rate = max(0.0, (queue.recorded - self._before[1]) / (now - self._before[0]))
        self._before = now, queue.recorded
        try:
            dead, last_load = self._dead_letters.count(), read_report(self._options)
        except (mysql.connector.Error, FootfallError):
            dead, last_load = None, None
        limit = self._settings.dead_letter_limit
        stopped = failures.explanation(limit) if failures.stopped(self._queue.board, limit) else ""
        return Status(queue, rate, self._workers(queue), dead, last_load, stopped)

    def _workers(self, queue: QueueState) -> list[WorkerState]:
        now = self._clock.now().timestamp()
        return [
            WorkerState(
                worker.name,
                worker.state,
                [shard.shard for shard in queue.shards if shard.holder == worker.name],
                round(now - worker.seen_at, 1),
            )
            for worker in self._queue.workers()
        ]


def render(status: Status) -> RenderableType:
    """The status as tables for a terminal."""
    queue = status.queue
    facts = [
        f"{queue.pending:,} pending",
        f"{queue.in_flight:,} in flight",
        f"oldest {queue.oldest_seconds:.1f} s",
        "rate -" if status.rate is None else f"{status.rate:,.0f} requests/s",
        "dead letters unknown, the database cannot be reached" if status.dead is None else f"{status.dead:,} dead",
    ]
    if imports := queue.pending_in(IMPORT):
        facts.insert(1, f"{imports:,} of them imports")
    if queue.spooled:
        facts.insert(1, f"{queue.spooled:,} of them in spools")
    shards = Table("shard", "depth", "oldest (s)", "drained", "by", title="Shards", title_justify="left")
    for shard in queue.shards:
        shards.add_row(
            shard.shard, f"{shard.depth:,}", f"{shard.oldest_seconds:.1f}", f"{shard.recorded:,}", shard.holder or ""
        )
    workers = Table("worker", "state", "shards", "heard of (s ago)", title="Workers", title_justify="left")
    for worker in status.workers:
        workers.add_row(worker.name, worker.state, ", ".join(worker.shards), f"{worker.seen_seconds:.0f}")
    parts: list[RenderableType] = [Text(" · ".join(facts), style="bold"), shards]
    if status.stopped:
        parts.insert(0, Text(status.stopped, style="red"))
    parts.append(workers if status.workers else Text("No worker runs: start `queue_workers run`.", style="red"))
    if status.last_load:
        parts.append(Text(f"{status.last_load['loaded_at']}  {status.last_load['line']}"))
    return Group(*parts)
