"""What status answers need and tracking must not wait for: MySQL and blocking Redis, in a thread of their own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from footfall.changes import ChangeWatch
from footfall.clock import Clock
from footfall.database import Database
from footfall.queue.connection import connect, explained
from footfall.queue.counters import Counts
from footfall.queue.dead_letters import DeadLetters
from footfall.queue.state import QueueState, read_state
from footfall.settings import Settings
from footfall.users import Caller, Users
from tracker_api.metrics import QueueMetrics

T = TypeVar("T")


class Backstage:
    """One thread with its database connection, Redis client and users."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
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

    async def ping(self) -> None:
        """Raise QueueUnavailable unless Redis answers."""
        await self._run(lambda: self._redis.ping())

    async def state(self) -> tuple[QueueState, int]:
        """The queue, and the number of dead letters."""
        return await self._run(lambda: (self._read_state(), self._dead_letters.count()))

    async def metrics(self) -> QueueMetrics:
        """All metrics."""
        return await self._run(
            lambda: QueueMetrics(Counts.read(self._redis), self._read_state(), self._dead_letters.count())
        )

    def _authenticate(self, token: str) -> Caller | None:
        self._watch.look(self._redis, self._clock)
        return self._users.authenticate(token)

    def _read_state(self) -> QueueState:
        return read_state(self._redis, self._clock, self._settings.queue_shards, self._settings.queue_batch_size)

    async def _run(self, work: Callable[[], T]) -> T:
        def explained_work() -> T:
            with explained(self._settings.redis_url):
                return work()

        return await asyncio.get_running_loop().run_in_executor(self._thread, explained_work)
