"""Waiting for archives that a report needs, without holding up any other report: on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from footfall.archiving.freshness import WantedArchive
from footfall.archiving.on_demand import ArchiveRequests
from footfall.clock import Clock
from footfall.queue.connection import connect, explained

_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 0.5
T = TypeVar("T")


class ArchiveWaiting:
    """Has archives made and waits for them.

    Args:
        redis_url: where the workers' queue is.
    """

    def __init__(self, redis_url: str, clock: Clock) -> None:
        self._url = redis_url
        self._clock = clock
        # One thread for all: each look at Redis takes a millisecond.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="archives")
        self._requests: ArchiveRequests | None = None

    async def made(self, archives: Collection[WantedArchive], deadline: float) -> bool:
        """Have the archives made unless somebody does already; whether all are finished by the deadline.

        Args:
            deadline: on the clock's monotonic time.

        Raises:
            ArchiveFailed: one cannot be made.
            QueueUnavailable: Redis cannot be asked.
        """
        waiting, pause = set(archives), _FIRST_PAUSE
        waiting = await self._in_thread(self._ask, waiting)
        while waiting:
            if self._clock.monotonic() >= deadline:
                return False
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)
            waiting = await self._in_thread(self._look, waiting)
        return True

    async def _in_thread(self, act, archives: set[WantedArchive]) -> set[WantedArchive]:  # type: ignore[no-untyped-def]
        return await asyncio.get_running_loop().run_in_executor(self._thread, act, archives)

    def _ask(self, archives: set[WantedArchive]) -> set[WantedArchive]:
        with explained(self._url):
            if self._requests is None:
                self._requests = ArchiveRequests(connect(self._url))
            for archive in archives:
                self._requests.ask(archive)
            return self._requests.unfinished(archives)

    def _look(self, archives: set[WantedArchive]) -> set[WantedArchive]:
        with explained(self._url):
            assert self._requests is not None
            return self._requests.unfinished(archives)
