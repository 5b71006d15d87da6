"""Removes entries of the journal that are old, in small steps."""

from collections.abc import Callable
from datetime import datetime

from footfall.database import Database
from footfall.journal.kinds import TABLES, Table

_ROWS_AT_ONCE = 1000


def purge_journal(database: Database, before: datetime, pause: Callable[[], None]) -> int:
    """Remove all entries written before a moment (UTC), also those of Matomo's own log; how many there were.

    Args:
        pause: called between chunks, so that others have their turn.
    """
    return sum(_purge(database, table, before.replace(tzinfo=None), pause) for table in TABLES.values())


def _purge(database: Database, table: Table, before: datetime, pause: Callable[[], None]) -> int:
    """Goes by the numbers, which rise with time: the tables have no index by time."""
    name, count = database.table(table.name), 0
    while rows := database.query(
        f"SELECT {table.number}, timestamp FROM {name} ORDER BY {table.number} LIMIT {_ROWS_AT_ONCE}"
    ):
        old = [number for number, written in rows if written is None or written < before]
        if old:
            marks = ", ".join(["%s"] * len(old))
            statement = f"DELETE FROM {name} WHERE {table.number} IN ({marks})"
            count += database.retrying(lambda statement=statement, old=old: database.execute(statement, old))  # type: ignore[misc]
            pause()
        if len(old) < len(rows):
            break
    return count
