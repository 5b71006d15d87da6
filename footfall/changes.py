"""Telling every process that what people set up has changed: sites, goals, dimensions, options, users.

Each process keeps these in memory for a while (TRACKER_CACHE_SECONDS). A change through our commands or API writes a
new random name into Redis; whoever finds another name there than last time drops what it keeps. Workers read the name
together with each batch, the endpoint once per report request. Without Redis, what is kept expires by itself.
"""

import logging
from collections.abc import Callable
from uuid import uuid4

import redis

from footfall.clock import Clock

KEY = "footfall:changed"
"""The Redis key that holds the name of the latest change."""

_NEVER = b""
_BLIND_SECONDS = 5.0
_log = logging.getLogger(__name__)


class Changes:
    """Announces changes, once they are committed.

    Args:
        client: the Redis that all processes of the installation share.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def announce(self) -> None:
        """Make every process drop what it keeps. Never fails: the change itself is made already."""
        try:
            self._redis.set(KEY, uuid4().hex)
        except redis.RedisError as error:
            _log.warning(
                "The change is made, but Redis could not be told (%s): workers notice it once what they keep expires "
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
        """The value of KEY, as it was read before anything that is kept is used."""
        if latest != self._latest:
            self._latest = latest
            for forget in self._forget:
                forget()

    def look(self, client: redis.Redis, clock: Clock) -> None:
        """Read KEY now. When Redis does not answer, it is left alone for some seconds."""
        if clock.monotonic() < self._blind_until:
            return
        try:
            self.seen(client.get(KEY))
        except redis.RedisError:
            self._blind_until = clock.monotonic() + _BLIND_SECONDS
