"""Tables that a web server logs into: those of Apache's mod_log_sql, and any whose columns are known or named.

A position in a table is a second and how many of its rows were used: rows are read in the order of their time, those
of one second in the order of all their columns. A second is read once it is well past, when no more rows come.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

import mysql.connector

from footfall.clock import Clock
from footfall.database import Database
from footfall.errors import DatabaseUnavailable, FootfallError, InvalidInput
from footfall.importing.counts import Counts
from footfall.importing.formats.fields import MOD_LOG_SQL, checked, line_of
from footfall.importing.formats.recognition import FormatOptions
from footfall.importing.line import Line
from footfall.importing.times import Times
from footfall.settings import Settings

_SCHEMES = ("mysql", "mariadb")
_WINDOW_SECONDS = 3_600
_SETTLED_SECONDS = 60
_ROWS_PER_SECOND = 1_000_000  # that a position can count
_INTEGERS = ("int", "bigint", "mediumint")
_MOMENTS = ("datetime", "timestamp")


def is_table(path: str) -> bool:
    """Whether what a person gave as a log is the URL of a table."""
    return path.partition("://")[0] in _SCHEMES


class Table:
    """A table, read row by row from a position on.

    Args:
        url: mysql://user:password@host:port/database?table=NAME.
        password: where the URL has none.

    Raises:
        InvalidInput: the URL names no table.
        FootfallError: its database cannot be read, or it has no column that says when.
    """

    header = ""
    unfinished = False
    was_replaced = False

    def __init__(self, url: str, password: str, options: FormatOptions, counts: Counts, clock: Clock) -> None:
        parts = urlsplit(url)
        (self._table,) = parse_qs(parts.query).get("table", [""])
        if not re.fullmatch(r"[\w$]+", self._table):
            raise InvalidInput("The URL of a table must look like mysql://user@host:3306/database?table=access_log.")
        where = f"{parts.hostname or '127.0.0.1'}:{parts.port or 3306}{parts.path}"
        self.path = f"{parts.scheme}://{where}/{self._table}"
        self.position = self.ahead = 0
        self.damage = ""
        self.consumed = 0
        netloc = parts.netloc
        if password and parts.password is None:
            user, _, host = netloc.rpartition("@")
            netloc = f"{user or 'root'}:{quote(password, '')}@{host}"
        self._database = Database(Settings(database_url=urlunsplit(parts._replace(netloc=netloc))))
        self._zone: tzinfo = options.zone
        self._counts = counts
        self._clock = clock
        self._times = Times(options.zone)
        self._time = ""
        self._is_integer = True
        self._columns: dict[str, str] = {}
        self._find_columns({**MOD_LOG_SQL, **checked(options.fields)})

    @property
    def fingerprint(self) -> bytes:
        """What the ledger knows the table by."""
        return f"table {self.path}\0".encode()

    def has_more(self) -> bool:
        """Whether there are rows behind the position."""
        return next(self._fresh(), None) is not None

    def read(self) -> Iterator[Line | None]:
        """Its rows as lines, until about a minute ago."""
        for row in self._fresh():
            moment = self._moment(row[0])
            second, used = divmod(self.ahead, _ROWS_PER_SECOND)
            self.ahead = int(moment) * _ROWS_PER_SECOND + (used + 1 if int(moment) == second else 1)
            found = {"time": str(moment)}
            for meaning, value in zip(self._columns.values(), row[1:], strict=True):
                text = value.decode("utf-8", "surrogateescape") if isinstance(value, bytes | bytearray) else value
                if text is not None and found.get(meaning, "-") in ("-", ""):
                    found[meaning] = str(text)
            try:
                line = line_of(found, self._times)
            except (ValueError, OverflowError) as error:
                self._counts.note_invalid(f"{self.path}, {datetime.fromtimestamp(moment, UTC)}", str(error), str(row))
                continue
            yield line

    def _fresh(self) -> Iterator[tuple[Any, ...]]:
        """The rows behind the position, in order."""
        second, used = divmod(self.position, _ROWS_PER_SECOND)
        end = int(self._clock.now().timestamp()) - _SETTLED_SECONDS
        start = self._earliest(second, end)
        while start is not None:
            until = min(start + _WINDOW_SECONDS, end)
            for row in self._rows(start, until):
                if used and int(self._moment(row[0])) == second:
                    used -= 1
                else:
                    yield row
            start = self._earliest(until, end)

    def _find_columns(self, meanings: dict[str, str]) -> None:
        rows = self._query(
            "SELECT column_name, data_type FROM information_schema.columns "
            "WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
            (self._database.name, self._table),
        )
        if not rows:
            raise FootfallError(f"There is no table {self._table} in the database of {self.path}.")
        for name, kind in rows:
            meaning = meanings.get(name.lower())
            if meaning == "time":
                if not self._time and kind in (*_INTEGERS, *_MOMENTS):
                    self._time, self._is_integer = name, kind in _INTEGERS
            elif meaning:
                self._columns[name] = meaning
        if not self._time:
            raise FootfallError(
                f"{self.path} has no column that says when, as Unix time or DATETIME: "
                "name it with --field NAME=time, and others that are not known in the same way."
            )

    def _earliest(self, since: int, end: int) -> int | None:
        """The first second with rows, from `since` on and before `end`."""
        time = _quoted(self._time)
        ((first,),) = self._query(
            f"SELECT MIN({time}) FROM {_quoted(self._table)} WHERE {time} >= %s AND {time} < %s",
            (self._value(since), self._value(end)),
        )
        return None if first is None else int(self._moment(first))

    def _rows(self, since: int, until: int) -> list[tuple[Any, ...]]:
        names = [_quoted(name) for name in (self._time, *self._columns)]
        return self._query(
            f"SELECT {', '.join(names)} FROM {_quoted(self._table)} "
            f"WHERE {names[0]} >= %s AND {names[0]} < %s ORDER BY {', '.join(names)}",
            (self._value(since), self._value(until)),
        )

    def _query(self, sql: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        try:
            return self._database.query(sql, values)
        except (mysql.connector.Error, DatabaseUnavailable) as error:
            raise FootfallError(f"{self.path} cannot be read: {error}") from error

    def _value(self, second: int) -> Any:
        """A moment as the time column has it."""
        if self._is_integer:
            return second
        return datetime.fromtimestamp(second, self._zone).replace(tzinfo=None)

    def _moment(self, value: Any) -> float:
        if isinstance(value, datetime):
            return value.replace(tzinfo=self._zone).timestamp()
        return float(value)


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
