"""The SQL databases that a queue can lie in, and what their dialects differ in."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from footfall.queue.backend import Load

T = TypeVar("T")
PLACE = "place"
"""The collection of the value that a store knows its place by; it outlives everything else."""


class Store(Protocol):
    """One connection to a database with the tables of sql/0014_queue.sql; a value is written %s.

    Everything raises QueueUnavailable where the database is away, busy for too long, or full.

    Attributes:
        now: an SQL expression for the Unix time in seconds, the same for all processes.
        for_update: ends a SELECT whose rows are about to be changed.
        insert_new: begins an INSERT that leaves alone what is there.
        statement_bytes: how long a statement with its values may be.
    """

    now: str
    for_update: str
    insert_new: str
    statement_bytes: int

    @property
    def place(self) -> str:
        """See Backend."""

    def table(self, name: str) -> str:
        """The quoted name of the table `footfall_queue_<name>`."""

    def transaction(self) -> AbstractContextManager[None]:
        """Everything in the block is committed together, or not at all when it raises."""

    def retrying(self, work: Callable[[], T]) -> T:
        """Run `work` (one whole transaction), again when it came into conflict with another one."""

    def query(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows that a SELECT returns."""

    def execute(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run a statement; the number of rows it changed."""

    def upsert(self, table: str, key: str, columns: Sequence[str], *, adding: bool = False) -> str:
        """The end of an INSERT into a table: a row whose key is there gets the new values.

        Args:
            key: the columns of the primary key.
            columns: those that get new values.
            adding: they are added to the old ones.
        """

    def run(self) -> str:
        """The name of the time through which the data cannot have gone back unnoticed; see SqlBackend.begin."""

    def fill(self, load: Load) -> Load:
        """The load of a lane with the share of the store's room that is in use."""

    def close(self) -> None:
        """Close the connection; the next use opens a new one."""
