"""Telling every process that what people set up has changed: sites, goals, dimensions, options, users.

Each process keeps these in memory for a while (TRACKER_CACHE_SECONDS). A change through our commands or API writes a
new random name where the queue lies; whoever finds another name there than last time drops what it keeps. Workers read
it together with each batch, the endpoint once per report request. When it cannot be read, what is kept expires by
itself.
"""

import logging
from collections.abc import Callable
from typing import Protocol
from uuid import uuid4

from footfall.clock import Clock
from footfall.errors import QueueUnavailable

NAME = "changed"
"""The name of the value that holds the name of the latest change."""

_NEVER = b""
_BLIND_SECONDS = 5.0
_log = logging.getLogger(__name__)


class ChangeBoard(Protocol):
    """Where all processes of the installation find the name of the latest change; see footfall/queue/backend.py.

    Both raise QueueUnavailable.
    """

    def change(self) -> bytes | None:
        """The name of the latest change; None when there was none."""

    def set_change(self, name: str) -> None:
        """Announce a change under a new name."""


class Changes:
    """Announces changes, once they are committed."""

    def __init__(self, board: ChangeBoard) -> None:
        self._board = board

    def announce(self) -> None:
        """Make every process drop what it keeps. Never fails: the change itself is made already."""
        try:
            self._board.set_change(uuid4().hex)
        except QueueUnavailable as error:
            _log.warning(
                "The change is made, but workers could not be told (%s): they notice it once what they keep expires "
                "(TRACKER_CACHE_SECONDS).",
                error,
            )


class ChangeWatch:
    """Drops what a process keeps when a change was announced since the last look.

    Args:
        forget: drops it.
    """

    def __init__(self, *forget: Callable[[], None]) -> None:
        self._forget = forget
        self._latest: bytes | str | None = _NEVER
        self._blind_until = float("-inf")

    def seen(self, latest: bytes | str | None) -> None:
        """The name of the latest change, as it was read before anything that is kept is used."""
        if latest != self._latest:
            self._latest = latest
            for forget in self._forget:
                forget()

    def look(self, board: ChangeBoard, clock: Clock) -> None:
        """Read the name now. When it cannot be read, it is left alone for some seconds."""
        if clock.monotonic() < self._blind_until:
            return
        try:
            self.seen(board.change())
        except QueueUnavailable:
            self._blind_until = clock.monotonic() + _BLIND_SECONDS
