"""Room for dead letters: those that anybody can cause are kept within DEAD_LETTER_BYTES.

Whoever sends requests for a site that does not exist makes a dead letter of each. The oldest of those that the rules
rejected make way for new ones; requests whose recording failed are never dropped (failures.py limits them).
"""

import logging

from footfall.clock import Clock
from footfall.database import Database

_LOOK_SECONDS = 10.0
_AT_ONCE = 500
_ROW_BYTES = 200  # beside the record
_ENOUGH_ROOM = 0.9  # of the limit: so far one clearance goes, so that the next is not due at once
_log = logging.getLogger(__name__)


class DeadLetterRoom:
    """Makes room, for one process.

    Args:
        most_bytes: DEAD_LETTER_BYTES; 0 for no limit.
    """

    def __init__(self, database: Database, clock: Clock, most_bytes: int) -> None:
        self._database = database
        self._clock = clock
        self._most_bytes = most_bytes
        self._table = database.table("footfall_dead_letter")
        self._lock = f"footfall_dead_letters_{database.name}_{database.prefix}"[:64]
        self._looked_at = float("-inf")

    def make(self) -> int:
        """Drop the oldest rejected requests over the limit, looking every few seconds; how many were dropped.

        Not inside a transaction.
        """
        now = self._clock.monotonic()
        if not self._most_bytes or now - self._looked_at < _LOOK_SECONDS:
            return 0
        self._looked_at = now
        over = self._size() - self._most_bytes
        if over <= 0 or self._database.query("SELECT GET_LOCK(%s, 0)", (self._lock,)) != [(1,)]:
            return 0
        try:
            dropped = self._drop(over + int(self._most_bytes * (1 - _ENOUGH_ROOM)))
        finally:
            self._database.query("SELECT RELEASE_LOCK(%s)", (self._lock,))
        _log.warning(
            "%d dead letters were dropped, the oldest that the rules rejected: all together took more than "
            "DEAD_LETTER_BYTES. `queue_workers dead list` shows what is left.",
            dropped,
        )
        return dropped

    def _size(self) -> int:
        rows = self._database.query(f"SELECT COUNT(*), COALESCE(SUM(size), 0) FROM {self._table} WHERE rejected = 1")
        count, size = rows[0]
        return int(count) * _ROW_BYTES + int(size)

    def _drop(self, size: int) -> int:
        """Drop the oldest that take so many bytes together, or all."""
        dropped = 0
        while size > 0:
            rows = self._database.query(
                f"SELECT iddeadletter, size FROM {self._table} WHERE rejected = 1 ORDER BY iddeadletter LIMIT %s",
                (_AT_ONCE,),
            )
            numbers = []
            for number, bytes_ in rows:
                if size <= 0:
                    break
                size -= int(bytes_) + _ROW_BYTES
                numbers.append(number)
            if not numbers:
                break
            marks = ", ".join(["%s"] * len(numbers))
            dropped += self._database.execute(f"DELETE FROM {self._table} WHERE iddeadletter IN ({marks})", numbers)
        return dropped
