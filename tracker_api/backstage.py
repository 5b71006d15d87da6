"""What status answers need and tracking must not wait for: the database and the queue, each in a thread of its own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import mysql.connector
from cachetools import TTLCache

from footfall.changes import ChangeWatch
from footfall.clock import Clock
from footfall.database import Database
from footfall.errors import DatabaseUnavailable, QueueUnavailable
from footfall.queue import failures
from footfall.queue.capacity import Capacity
from footfall.queue.dead_letters import DeadLetters
from footfall.queue.spool import Spool
from footfall.queue.stores import open_queue
from footfall.settings import Settings
from footfall.users import Caller, Users
from tracker_api.queue_report import QueueReport, Readiness, read_queue

T = TypeVar("T")
_KEPT_SUPERUSERS = 1000
_KEPT_SECONDS = 3600
_DATABASE_SECONDS = 3.0


class Backstage:
    """One thread with its database connection and users, and one for the queue alone, which never waits for the other.

    Args:
        spool: that of this machine.
        capacity: whether the queue has room, as this process sees it.
    """

    def __init__(self, settings: Settings, clock: Clock, spool: Spool, capacity: Capacity) -> None:
        self._settings = settings
        self._clock = clock
        self._spool = spool
        self._capacity = capacity
        self._limit = settings.dead_letter_limit
        self._queue = open_queue(settings)
        self._queue_alone = open_queue(settings)
        database = Database(settings)
        self._users = Users(database, settings, clock)
        self._watch = ChangeWatch(self._users.forget)
        self._dead_letters = DeadLetters(database, clock)
        self._superusers: TTLCache[str, None] = TTLCache(_KEPT_SUPERUSERS, _KEPT_SECONDS, timer=clock.monotonic)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="backstage")
        self._queue_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="readiness")

    async def is_superuser(self, token: str) -> bool:
        """Whether the token is a superuser's. What was true within the last hour is, while the database is away.

        Raises:
            DatabaseUnavailable: the database cannot be reached.
        """
        hashed = self._users.hash_token(token)
        try:
            caller = await asyncio.wait_for(self._run(lambda: self._authenticate(token)), _DATABASE_SECONDS)
        except (DatabaseUnavailable, mysql.connector.Error, TimeoutError) as error:
            if hashed in self._superusers:
                return True
            raise DatabaseUnavailable(
                "The database does not answer, so nobody can tell whose token this is: check that it runs."
            ) from error
        if caller is None or not caller.superuser:
            self._superusers.pop(hashed, None)
            return False
        self._superusers[hashed] = None
        return True

    async def readiness(self) -> Readiness:
        """Whether tracking requests can be taken."""
        return await asyncio.get_running_loop().run_in_executor(self._queue_thread, self._find_readiness)

    async def report(self) -> QueueReport:
        """The queue.

        Raises:
            QueueUnavailable, DatabaseUnavailable: they cannot be reached.
        """
        return await self._run(self._report)

    def _find_readiness(self) -> Readiness:
        lines = []
        try:
            stopped = failures.stopped(self._queue_alone.board, self._limit)
        except QueueUnavailable as error:
            if obstacle := self._spool.obstacle():
                return Readiness(False, [str(error), obstacle])
            return Readiness(True, ["ready: requests go to the spool", str(error), *self._spooled()])
        lines += self._spooled()
        if self._capacity.full:
            lines.append(f"{self._capacity.full}: requests go to the spool.")
            if obstacle := self._spool.obstacle():
                return Readiness(False, [*lines, obstacle])
        if stopped:
            lines.append(failures.explanation(self._limit))
        return Readiness(True, ["ready", *lines])

    def _spooled(self) -> list[str]:
        usage = self._spool.usage()
        return [f"{usage.requests} requests ({usage.bytes} bytes) wait in the spool."] if usage.bytes else []

    def _report(self) -> QueueReport:
        return QueueReport(
            read_queue(self._queue, self._clock, self._settings, self._spool),
            self._dead_letters.count(),
            self._capacity.full,
            failures.stopped(self._queue.board, self._limit),
            self._clock.now().timestamp(),
        )

    def _authenticate(self, token: str) -> Caller | None:
        self._watch.look(self._queue.board, self._clock)
        return self._users.authenticate(token)

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
