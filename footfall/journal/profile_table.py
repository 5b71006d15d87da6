"""The times of statements of all processes, in Matomo's table `log_profiling`."""

import re
import zlib
from dataclasses import dataclass

from footfall.database import Database
from footfall.journal.profile import StatementProfile

_ROWS_AT_ONCE = 200
_MARK = re.compile(r"^/\* [0-9a-f]{8} \*/ ")
_LARGEST_COUNT = 2**32 - 1


@dataclass(frozen=True)
class StatementTimes:
    """A statement, how often it ran and how long in all, in milliseconds."""

    statement: str
    count: int
    milliseconds: float


class ProfileTable:
    """The table. A statement is a row, whichever process ran it.

    The table takes no two statements with the same first 100 characters. So each begins with a comment that holds its
    checksum.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._table = database.table("log_profiling")

    def add(self, profile: StatementProfile) -> None:
        """Count in what the profile has gathered. It keeps what cannot be written."""
        times = profile.take()
        try:
            rows = sorted((f"/* {zlib.crc32(text.encode()):08x} */ {text}", text) for text in times)
            for start in range(0, len(rows), _ROWS_AT_ONCE):
                chunk = rows[start : start + _ROWS_AT_ONCE]
                values = [
                    value for marked, text in chunk for value in (marked, times[text].count, times[text].seconds * 1000)
                ]
                self._database.retrying(lambda chunk=chunk, values=values: self._insert(len(chunk), values), 1.0)  # type: ignore[misc]
                for _, text in chunk:
                    del times[text]
        finally:
            profile.put_back(times)

    def _insert(self, count: int, values: list[object]) -> None:
        self._database.execute(
            f"INSERT INTO {self._table} (query, count, sum_time_ms) VALUES {', '.join(['(%s, %s, %s)'] * count)} "
            f"ON DUPLICATE KEY UPDATE count = LEAST(count + VALUES(count), {_LARGEST_COUNT}), "
            "sum_time_ms = sum_time_ms + VALUES(sum_time_ms)",
            values,
        )

    def read(self) -> list[StatementTimes]:
        """All statements, those that took longest in all first."""
        rows = self._database.query(
            f"SELECT query, COALESCE(count, 0), COALESCE(sum_time_ms, 0) FROM {self._table} "
            "ORDER BY sum_time_ms DESC, query"
        )
        return [StatementTimes(_MARK.sub("", _text(query)), int(count), float(spent)) for query, count, spent in rows]

    def clear(self) -> int:
        """Forget all; how many there were."""
        return self._database.execute(f"DELETE FROM {self._table}")


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else bytes(value).decode("utf-8", "replace")
