"""Asks for drains beside the event loop, so that no tracking request waits for that."""

import logging
from concurrent.futures import ThreadPoolExecutor

from footfall.errors import QueueUnavailable
from footfall.queue.backend import Drains

_log = logging.getLogger(__name__)


class DrainBell:
    """Rung after a push that found lists empty.

    Args:
        drains: of a connection of its own, for a thread.
    """

    def __init__(self, drains: Drains) -> None:
        self._drains = drains
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="drains")

    def ring(self, shards: list[str]) -> None:
        """Ask for drains of these shards soon; returns at once."""
        self._thread.submit(self._ask, shards)

    def _ask(self, shards: list[str]) -> None:
        try:
            for shard in shards:
                self._drains.ask(shard)
        except QueueUnavailable as error:
            _log.warning("A drain could not be asked for, the sweep will: %s", error)
