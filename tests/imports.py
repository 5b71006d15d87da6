"""Helpers of the tests about importing: logs made up, imported in this process, and recorded here and now."""

import os
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from recorded_tracking import Rows, rows_after

from footfall.clock import SystemClock
from footfall.database import Database
from footfall.errors import QueueUnavailable
from footfall.importing.choice import Choice, ChoiceOptions
from footfall.importing.counts import Counts
from footfall.importing.destinations import Destinations
from footfall.importing.formats.recognition import FormatOptions
from footfall.importing.importer import Importer, Outcome
from footfall.importing.ledger import Ledger
from footfall.importing.requests import PageRequests
from footfall.queue.flush import Flush
from footfall.queue.lanes import IMPORT
from footfall.queue.layouts import all_shards
from footfall.queue.producer import Producer
from footfall.queue.stores import open_queue
from footfall.settings import Settings
from footfall.tracking.recorder import Recorder
from queue_workers.draining import drain
from queue_workers.tools import IMPATIENT, new_tools

BEGIN = datetime(2026, 8, 12, 6, 0, tzinfo=UTC).timestamp()
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def line(
    path: str = "/",
    seconds: float = 0,
    *,
    address: str = "198.51.100.7",
    status: int = 200,
    referrer: str = "-",
    agent: str = FIREFOX,
    host: str = "",
) -> str:
    """A line in the combined format.

    Args:
        seconds: after BEGIN.
        host: given, the format is that with the virtual host in front.
    """
    moment = datetime.fromtimestamp(BEGIN + seconds, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
    combined = f'{address} - - [{moment}] "GET {path} HTTP/1.1" {status} 512 "{referrer}" "{agent}"\n'
    return f"{host} {combined}" if host else combined


def settled(path: Path) -> Path:
    """The file, as if nobody had written to it for long."""
    os.utime(path, (BEGIN, BEGIN))
    return path


def record_all(settings: Settings) -> None:
    """Record everything that waits in the queue, addresses whole."""
    own, clock = replace(settings, anonymize_ip_bytes=0), SystemClock()
    queue = open_queue(own)
    with closing(Database(own)) as database:
        tools = new_tools(own, clock, database, queue, Recorder(database, own, clock), patience=IMPATIENT)
        while waiting := [shard for shard, depth in queue.depths(all_shards(queue)).items() if depth]:
            for shard in waiting:
                drain(tools, shard)
    queue.disconnect()


def recorded(settings: Settings, database: Database) -> Rows:
    """The log rows once everything that waits is recorded."""
    record_all(settings)
    return rows_after(database, 0)


def pages(database: Database) -> list[str]:
    """The addresses of all actions in the order in which they were recorded."""
    rows = database.query(
        f"SELECT a.name FROM {database.table('log_link_visit_action')} l "
        f"JOIN {database.table('log_action')} a ON a.idaction = l.idaction_url ORDER BY l.idlink_va"
    )
    return [name for (name,) in rows]


class Silent:
    """Shows no progress."""

    def opened(self, bytes_in_all: int) -> None: ...

    def moved(self, consumed: int) -> None: ...

    def waits(self, reason: str) -> None: ...


class Killed(BaseException):
    """What a `kill -9` is to a process: nothing after it is done."""


class Flaky:
    """A queue that is away at each second push: it took the flush and could not say so, or it did not take it."""

    def __init__(self, queue: Producer) -> None:
        self._queue = queue
        self._pushes = 0

    def wait_for_room(self, waiting: Callable[[str], None] = lambda reason: None) -> None:
        """There always is."""

    def push(self, flush: Flush) -> None:
        """Push, or say that the queue is away."""
        self._pushes += 1
        if self._pushes % 4 != 3:
            self._queue.push(flush)
        if self._pushes % 2:
            raise QueueUnavailable("Redis cannot be reached.")


class Mortal:
    """A queue whose user dies at one of its pushes, before or after it."""

    def __init__(self, queue: Producer, dies_at: int, *, after: bool) -> None:
        self._queue = queue
        self._left = dies_at
        self._after = after

    def wait_for_room(self, waiting: Callable[[str], None] = lambda reason: None) -> None:
        """There always is."""

    def push(self, flush: Flush) -> None:
        """Push, or die."""
        self._left -= 1
        if self._left == 0 and not self._after:
            raise Killed
        self._queue.push(flush)
        if self._left == 0:
            raise Killed


def imported(
    settings: Settings,
    *paths: Path,
    dies_at: int = 0,
    after: bool = False,
    flaky: bool = False,
    flush_requests: int = 3,
) -> Outcome | None:
    """Import logs to site 1, a few requests at a time; None when the import died.

    Args:
        dies_at: the number of the push at which it dies; 0: it does not.
        after: whether it dies after that push, or before.
        flaky: whether the queue is away now and then.
    """
    clock = SystemClock()
    with closing(Database(settings)) as database, Producer(settings, IMPORT) as producer:
        importer = Importer(
            Ledger(database, clock),
            Flaky(producer) if flaky else Mortal(producer, dies_at, after=after),
            PageRequests(Choice(ChoiceOptions()), Destinations(database, 1)),
            FormatOptions(),
            Counts(),
            clock,
            Silent(),
            lambda: False,
            flush_requests=flush_requests,
        )
        try:
            return importer.run([str(path) for path in paths])
        except Killed:
            return None


def clear(settings: Settings, database: Database, tables: Sequence[str]) -> None:
    """Empty tables."""
    for table in tables:
        database.execute(f"DELETE FROM {database.table(table)}")
