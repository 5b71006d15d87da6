"""Removes devices that no process has read for long: those of browsers that nobody has any more, of bots that are gone,
and of former versions of the rules.

A worker that needs one of them again detects it again; one that keeps it in memory goes on using it.
"""

from collections.abc import Callable
from datetime import date

from footfall.database import Database

_ROWS_AT_ONCE = 1000


def purge_devices(database: Database, before: date, pause: Callable[[], None]) -> int:
    """Remove the devices that were last read, or else detected, before a day; how many there were.

    Args:
        pause: called between chunks, so that others have their turn.
    """
    table, count = database.table("footfall_device"), 0
    for condition in ("date_used < %s", "date_used IS NULL AND ts_detected < %s"):
        statement = f"DELETE FROM {table} WHERE {condition} ORDER BY date_used LIMIT {_ROWS_AT_ONCE}"
        while removed := database.retrying(lambda statement=statement: database.execute(statement, (before,))):  # type: ignore[misc]
            count += removed
            pause()
    return count
