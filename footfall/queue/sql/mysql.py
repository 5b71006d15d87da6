"""MySQL or MariaDB as the store of the queue, beside the log tables."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import mysql.connector

from footfall.database import Database, is_conflict
from footfall.errors import Conflict, DatabaseUnavailable, QueueUnavailable
from footfall.queue.backend import Load
from footfall.settings import Settings

T = TypeVar("T")
_STATEMENT_BYTES = 4 * 1024 * 1024


class MysqlStore:
    """See Store of footfall/queue/sql/store.py.

    Args:
        answer_seconds: how long an answer may take, and a conflict be tried again.
    """

    place = "mysql"
    now = "UNIX_TIMESTAMP(NOW(6))"
    for_update = " FOR UPDATE"
    insert_new = "INSERT IGNORE INTO"
    statement_bytes = _STATEMENT_BYTES

    def __init__(self, settings: Settings, answer_seconds: float) -> None:
        self._database = Database(settings, answer_seconds=answer_seconds)
        self._seconds = answer_seconds
        self._lock = threading.RLock()

    def table(self, name: str) -> str:
        """The quoted name of a table."""
        return self._database.table(f"footfall_queue_{name}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything in the block is committed together, or not at all when it raises."""
        with self._lock, _explained(), self._database.transaction():
            yield

    def retrying(self, work: Callable[[], T]) -> T:
        """Run `work`, again after a deadlock; a connection that was lost is the caller's to deal with."""
        try:
            return self._database.retrying(work, self._seconds)
        except Conflict as error:
            raise QueueUnavailable(f"The queue's tables are busy: {error}") from error

    def query(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows that a SELECT returns."""
        with self._lock, _explained():
            return self._database.query(sql, values)

    def execute(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run a statement, again after a deadlock unless it is part of a transaction."""

        def execute() -> int:
            with _explained():
                return self._database.execute(sql, values)

        with self._lock:
            return execute() if self._database.in_transaction else self.retrying(execute)

    def upsert(self, table: str, key: str, columns: Sequence[str], *, adding: bool = False) -> str:
        """The end of an INSERT: a row whose key is there gets the new values."""
        if adding:
            return "ON DUPLICATE KEY UPDATE " + ", ".join(f"{name} = {name} + VALUES({name})" for name in columns)
        return "ON DUPLICATE KEY UPDATE " + ", ".join(f"{name} = VALUES({name})" for name in columns)

    def run(self) -> str:
        """Always the same: queue and offsets lie in one database, and go back together."""
        return "mysql"

    def fill(self, load: Load) -> Load:
        """The server has no limit that we know of."""
        return load

    def close(self) -> None:
        """Close the connection."""
        self._database.close()


@contextmanager
def _explained() -> Iterator[None]:
    """Turns an error of the database in the block into QueueUnavailable, or into Conflict if a new try may mend it."""
    try:
        yield
    except DatabaseUnavailable as error:
        raise QueueUnavailable(str(error)) from error
    except mysql.connector.Error as error:
        if is_conflict(error):
            raise Conflict(str(error)) from error
        raise QueueUnavailable(f"The queue's tables cannot be used: {error}. Check the database.") from error
