"""Waiting for archives that a report needs, without holding up any other report: on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from footfall.archiving.freshness import WantedArchive
from footfall.archiving.on_demand import ArchiveRequests
from footfall.clock import Clock
from footfall.queue.stores import open_queue
from footfall.settings import Settings

_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 0.5
T = TypeVar("T")


class ArchiveWaiting:
    """Has archives made and waits for them."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        # One thread for all: each look takes a millisecond.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="archives")
        self._requests: ArchiveRequests | None = None

    async def made(self, archives: Collection[WantedArchive], deadline: float) -> bool:
        """Have the archives made unless somebody does already; whether all are finished by the deadline.

        Args:
            deadline: on the clock's monotonic time.

        Raises:
            ArchiveFailed: one cannot be made.
            QueueUnavailable: the workers cannot be asked.
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
        if self._requests is None:
            self._requests = ArchiveRequests(open_queue(self._settings))
        for archive in archives:
            self._requests.ask(archive)
        return self._requests.unfinished(archives)

    def _look(self, archives: set[WantedArchive]) -> set[WantedArchive]:
        assert self._requests is not None
        return self._requests.unfinished(archives)
