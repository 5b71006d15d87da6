"""Removes actions (page URLs, titles, ...) that no row of the log refers to any more, beside workers that record.

Suspect are the actions of removed log rows. Workers keep ids of actions in memory and look others up, so an action must
not go between a worker's look at it and the row that refers to it. In this order:

1. Raise the barrier's number. That waits for recording transactions that are about to commit, and makes workers drop
   the ids they keep. From here on an id gets into a new row in two ways only: after it was looked up, which takes it
   off the suspects, or copied from another row of the same visit.
2. Read what the log refers to, and take that off the suspects: visits first, the actions of visits last, because a new
   row there may copy an id that its visit is about to lose.
3. Remove the suspects that are left, a few at a time. A look-up that finds one waits for the removal, or prevents it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import mysql.connector
import polars as pl

from footfall.archiving.logreader import LogReader
from footfall.database import Database
from footfall.errors import Conflict
from footfall.tracking.action_ids import ACTIONS_BARRIER

_ROWS_AT_ONCE = 100_000
_ACTIONS_AT_ONCE = 500
_FIRST, _LAST = "log_visit", "log_link_visit_action"
_CONFLICT_WAIT = "SET SESSION innodb_lock_wait_timeout = %s"


class ActionPurge:
    """Removes unused actions.

    Args:
        database: used by nobody else meanwhile.
        pause: called between steps, so that others have their turn.
    """

    def __init__(self, database: Database, pause: Callable[[], None]) -> None:
        self._database = database
        self._pause = pause
        self._log = LogReader(database)
        self._suspects = database.table("footfall_suspect_action")

    def suspect(self, ids: set[int]) -> None:
        """Note actions that lose a reference; in the transaction that removes the rows."""
        numbers = sorted(ids)
        for start in range(0, len(numbers), _ACTIONS_AT_ONCE):
            batch = numbers[start : start + _ACTIONS_AT_ONCE]
            self._database.execute(
                f"INSERT IGNORE INTO {self._suspects} (idaction) VALUES {', '.join(['(%s)'] * len(batch))}", batch
            )

    def run(self, tries: int = 20) -> int:
        """Remove the suspects that nothing refers to; how many were removed.

        Args:
            tries: how often the barrier is tried, each time for a second.

        Raises:
            Conflict: recording transactions left no moment for the barrier; the suspects stay for the next time.
        """
        if not self._database.query(f"SELECT 1 FROM {self._suspects} LIMIT 1"):
            return 0
        self._raise_barrier(tries)
        self._clear_used()
        return self._remove()

    def columns(self) -> dict[str, list[str]]:
        """The columns that refer to actions, by log table (without prefix), in the order of step 2."""
        prefix = self._database.prefix
        rows = self._database.query(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = DATABASE() "
            "AND table_name LIKE %s AND column_name LIKE %s ORDER BY table_name, ordinal_position",
            (prefix.replace("_", r"\_") + r"log\_%", "%idaction%"),
        )
        found: dict[str, list[str]] = {}
        for table, column in rows:
            name = str(table)[len(prefix) :]
            if name != "log_action":
                found.setdefault(name, []).append(str(column))
        return {table: found[table] for table in sorted(found, key=lambda name: (name == _LAST, name != _FIRST, name))}

    def _raise_barrier(self, tries: int) -> None:
        """Raise the number; recording waits for us at most a second each time."""
        self._database.execute(_CONFLICT_WAIT, (1,))
        try:
            for _ in range(tries):
                try:
                    self._database.execute(
                        f"INSERT INTO {self._database.table('footfall_barrier')} (name, number) VALUES (%s, 1) "
                        "ON DUPLICATE KEY UPDATE number = number + 1",
                        (ACTIONS_BARRIER,),
                    )
                    return
                except mysql.connector.Error as error:
                    if error.errno != mysql.connector.errorcode.ER_LOCK_WAIT_TIMEOUT:
                        raise
                    self._pause()
        finally:
            self._database.execute(_CONFLICT_WAIT, (50,))
        raise Conflict("Workers record without a pause: old actions stay until the next purge.")

    def _clear_used(self) -> None:
        suspects = pl.DataFrame(
            {"idaction": [i for (i,) in self._database.query(f"SELECT idaction FROM {self._suspects}")]},
            schema={"idaction": pl.Int64},
        )
        for table, columns in self.columns().items():
            for used in self._used(table, columns):
                found = suspects.join(used, on="idaction", how="semi")["idaction"].to_list()
                suspects = suspects.join(used, on="idaction", how="anti")
                self._unsuspect(found)
                self._pause()
                if suspects.is_empty():
                    return

    def _used(self, table: str, columns: list[str]) -> Iterator[pl.DataFrame]:
        """The actions that rows of a table refer to, some rows at a time."""
        name, key = self._database.table(table), self._key(table)
        (low, high) = self._database.query(f"SELECT MIN({key}), MAX({key}) FROM {name}")[0]
        while low is not None and low <= high:
            (end,) = self._database.query(
                f"SELECT MAX(id) FROM (SELECT {key} id FROM {name} WHERE {key} >= %s ORDER BY {key} LIMIT %s) part",
                (low, _ROWS_AT_ONCE),
            )[0]
            rows = self._log.rows(table, columns, f"{key} >= %s AND {key} <= %s", (low, end))
            ids = [rows[column].cast(pl.Int64).rename("idaction") for column in columns]
            yield pl.concat(ids).drop_nulls().unique().to_frame()
            (low,) = self._database.query(f"SELECT MIN({key}) FROM {name} WHERE {key} > %s", (end,))[0]

    def _key(self, table: str) -> str:
        """The first column of the primary key, a number in all log tables."""
        rows = self._database.query(
            "SELECT column_name FROM information_schema.statistics WHERE table_schema = DATABASE() "
            "AND table_name = %s AND index_name = 'PRIMARY' AND seq_in_index = 1",
            (self._database.prefix + table,),
        )
        return f"`{rows[0][0]}`"

    def _unsuspect(self, ids: list[int]) -> None:
        for start in range(0, len(ids), _ACTIONS_AT_ONCE):
            batch = ids[start : start + _ACTIONS_AT_ONCE]
            self._database.execute(f"DELETE FROM {self._suspects} WHERE idaction IN ({_marks(batch)})", batch)

    def _remove(self) -> int:
        removed = 0
        while count := self._database.retrying(self._remove_some):
            removed += count
            self._pause()
        return removed

    def _remove_some(self) -> int:
        with self._database.transaction():
            rows = self._database.query(
                f"SELECT idaction FROM {self._suspects} ORDER BY idaction LIMIT {_ACTIONS_AT_ONCE} FOR UPDATE"
            )
            ids = [idaction for (idaction,) in rows]
            if ids:
                marks = _marks(ids)
                self._database.execute(
                    f"DELETE FROM {self._database.table('log_action')} WHERE idaction IN ({marks})", ids
                )
                self._database.execute(f"DELETE FROM {self._suspects} WHERE idaction IN ({marks})", ids)
        return len(ids)


def _marks(values: list[int]) -> str:
    return ", ".join(["%s"] * len(values))
