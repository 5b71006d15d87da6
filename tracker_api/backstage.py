"""What status answers need and tracking must not wait for: MySQL and blocking Redis, in a thread of their own."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

import mysql.connector
import redis

from footfall.changes import ChangeWatch
from footfall.clock import Clock
from footfall.database import Database
from footfall.errors import FootfallError, QueueUnavailable
from footfall.queue import failures
from footfall.queue.capacity import Capacity
from footfall.queue.connection import connect, explained
from footfall.queue.counters import Counts
from footfall.queue.dead_letters import DeadLetters
from footfall.queue.spool import Spool
from footfall.queue.spools import SpoolState, machine_of
from footfall.queue.state import QueueState, read_state
from footfall.settings import Settings
from footfall.users import Caller, Users
from tracker_api.metrics import QueueMetrics
from tracker_api.queue_report import QueueReport, Readiness

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Backstage:
    """One thread with its database connection, Redis client and users.

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
        self._redis = connect(settings.redis_url)
        database = Database(settings)
        self._users = Users(database, settings, clock)
        self._watch = ChangeWatch(self._users.forget)
        self._dead_letters = DeadLetters(database, clock)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="backstage")

    async def is_superuser(self, token: str) -> bool:
        """Whether the token is a superuser's.

        Raises:
            DatabaseUnavailable: the database cannot be reached.
        """
        caller = await self._run(lambda: self._authenticate(token))
        return caller is not None and caller.superuser

    async def readiness(self) -> Readiness:
        """Whether tracking requests can be taken."""
        return await self._in_thread(self._find_readiness)

    async def report(self) -> QueueReport:
        """The queue.

        Raises:
            QueueUnavailable, DatabaseUnavailable: Redis or the database cannot be reached.
        """
        return await self._run(self._report)

    async def metrics(self) -> QueueMetrics:
        """All metrics; without Redis or the database, those that are left."""
        return await self._in_thread(self._find_metrics)

    def _find_readiness(self) -> Readiness:
        lines = []
        try:
            with explained(self._settings.redis_url):
                stopped = failures.stopped(self._redis, self._limit)
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
            self._read_state(),
            self._dead_letters.count(),
            self._capacity.full,
            failures.stopped(self._redis, self._limit),
            self._clock.now().timestamp(),
        )

    def _find_metrics(self) -> QueueMetrics:
        counts = report = None
        try:
            counts = Counts.read(self._redis)
            report = self._report()
        except (redis.RedisError, mysql.connector.Error, FootfallError) as error:
            _log.warning("Some metrics are missing: %s", error)
        return QueueMetrics(counts, report, self._spool.usage(), self._spool.obstacle(), self._clock.now().timestamp())

    def _authenticate(self, token: str) -> Caller | None:
        self._watch.look(self._redis, self._clock)
        return self._users.authenticate(token)

    def _read_state(self) -> QueueState:
        state = read_state(self._redis, self._clock, self._settings.queue_shards, self._settings.queue_batch_size)
        machine, usage = machine_of(self._spool), self._spool.usage()
        others = [spool for spool in state.spools if spool.machine != machine]
        own = [SpoolState(machine, usage.requests, usage.bytes, usage.oldest_at)] if usage.bytes else []
        return replace(state, spools=[*others, *own])

    async def _run(self, work: Callable[[], T]) -> T:
        def explained_work() -> T:
            with explained(self._settings.redis_url):
                return work()

        return await self._in_thread(explained_work)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
