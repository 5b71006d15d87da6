"""What begins and ends with the process."""

from collections.abc import Mapping
from typing import Any

from footfall.journal.journal import Journal
from footfall.queue.keeper import SpoolKeeper
from footfall.queue.push import Pusher


class Lifespan:
    """Falcon middleware: starts spool keeper and journal; at the end, nothing that was taken is only in memory."""

    def __init__(self, pusher: Pusher, keeper: SpoolKeeper, journal: Journal) -> None:
        self._pusher = pusher
        self._keeper = keeper
        self._journal = journal

    async def process_startup(self, scope: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        """Before the first request."""
        self._journal.start()
        self._keeper.start()

    async def process_shutdown(self, scope: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        """After the last request, on SIGTERM."""
        await self._pusher.finish()
        self._keeper.stop()
        self._journal.stop()
