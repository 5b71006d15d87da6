"""The lock by which at most one process works a site: an advisory lock of its database connection.

The server releases it when the connection ends, so a killed process strands no site.
"""

from __future__ import annotations

from hashlib import md5

from footfall.database import Database
from footfall.errors import FootfallError

_LONGEST_NAME = 64  # of a lock in MySQL


class LockLost(FootfallError):
    """The connection that held the lock is gone, and somebody else may hold it now."""


class SiteLock:
    """The lock of one site of one installation."""

    def __init__(self, database: Database, idsite: int) -> None:
        self._database = database
        self._idsite = idsite
        installation = f"{database.name}/{database.prefix}"
        name = f"footfall_archive/{installation}/{idsite}"
        if len(name) > _LONGEST_NAME:
            name = f"footfall_archive/{md5(installation.encode()).hexdigest()}/{idsite}"
        self._name = name

    def acquire(self, wait_seconds: float = 0) -> bool:
        """Take the lock, which this process must not hold yet; False when another keeps it for longer than that."""
        return self._database.query("SELECT GET_LOCK(%s, %s)", (self._name, wait_seconds)) == [(1,)]

    def release(self) -> None:
        """Give the lock back; nothing happens when it is lost already."""
        self._database.query("SELECT RELEASE_LOCK(%s)", (self._name,))

    def require(self) -> None:
        """Make sure that this connection holds the lock; in a transaction, that it does until the transaction ends.

        Raises:
            LockLost: it does not.
        """
        if self._database.query("SELECT COALESCE(IS_USED_LOCK(%s) = CONNECTION_ID(), 0)", (self._name,)) != [(1,)]:
            raise LockLost(f"Archiving site {self._idsite} stopped: the database connection was lost on the way.")

    def is_taken(self) -> bool:
        """Whether some process holds the lock."""
        return self._database.query("SELECT IS_FREE_LOCK(%s)", (self._name,)) == [(0,)]
