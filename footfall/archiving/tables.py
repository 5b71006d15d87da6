"""The archive tables: one pair of tables per month, an archive in the month of its first day.

An archive is a set of rows under one id of its month: numbers in archive_numeric_YYYY_MM, tables in
archive_blob_YYYY_MM, and the done flag, a numeric row named `done…` whose value is the archive's status. Everything of
an archive is written in one transaction, the done flag last, so that an archive without it does not exist for any
reader.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum
from functools import cache
from typing import Any, Final

import mysql.connector
from mysql.connector import errorcode

from footfall.archiving.periods import Period, PeriodKind
from footfall.archiving.scope import VISITS, done_flag
from footfall.database import Database
from footfall.migrations import SQL_DIRECTORY

_BLOB_BYTES_PER_STATEMENT = 4_000_000
_LARGE_BLOB = 10_000  # bytes, from which on a statement of its own is faster
_ROWS_PER_STATEMENT = 500
_PERIODS_PER_STATEMENT = 100


Blobs = dict[str, bytes]


class DoneStatus(IntEnum):
    """The values of a done flag."""

    OK = 1
    ERROR = 2
    OK_TEMPORARY = 3
    INVALIDATED = 4
    PARTIAL = 5


# An invalidated archive stays in use until a newer one is there.
READABLE: Final = (DoneStatus.OK, DoneStatus.OK_TEMPORARY, DoneStatus.INVALIDATED, DoneStatus.PARTIAL)
CURRENT: Final = (DoneStatus.OK, DoneStatus.OK_TEMPORARY)


@dataclass(frozen=True)
class Archive:
    """One stored archive.

    Args:
        flag: the name of its done flag.
    """

    idarchive: int
    idsite: int
    period: Period
    status: DoneStatus
    archived_at: datetime
    flag: str = VISITS.flag

    @property
    def plugin(self) -> str:
        """The only plugin that it is about; empty for all."""
        return self.flag.partition(".")[2]

    @property
    def is_current(self) -> bool:
        """Whether nothing has changed since it was made."""
        return self.status in CURRENT


@dataclass(frozen=True)
class Content:
    """What is in an archive: numbers and blobs by name."""

    numbers: Mapping[str, float] = field(default_factory=dict)
    blobs: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Layers:
    """What there is of a period and segment: archives that together hold the records, the oldest first.

    Of a record that several hold, the newest counts.
    """

    archives: tuple[Archive, ...] = ()

    def of(self, plugin: str = "") -> Archive | None:
        """The newest archive that holds all records of a plugin, or of all plugins."""
        whole = (a for a in reversed(self.archives) if a.status != DoneStatus.PARTIAL and a.plugin in ("", plugin))
        return next(whole, None)

    def is_current(self, plugin: str = "") -> bool:
        """Whether the records of a plugin, or of all plugins, are there and nothing has changed since."""
        archive = self.of(plugin)
        return archive is not None and archive.is_current


@dataclass(frozen=True)
class StoredArchive:
    """One done flag as it is stored, whatever its value.

    Args:
        key: the same for archives of the same thing: site, period, days and the name of the flag.
    """

    idarchive: int
    key: tuple[int, int, date, date, str]
    status: int
    archived_at: datetime

    @property
    def kind(self) -> int:
        return self.key[1]

    @property
    def last(self) -> date:
        """The last day of its period."""
        return self.key[3]

    @property
    def whole_key(self) -> tuple[int, int, date, date, str]:
        """The key of the archive that holds the records of all plugins."""
        return (*self.key[:4], self.key[4].partition(".")[0])


class ArchiveTables:
    """Reads and writes archives."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._complete: set[str] = set()  # months whose tables and sequence are known to be there

    # Finding

    def find(self, idsite: int, period: Period, segment: str = "") -> Archive | None:
        """The newest readable archive of the period that holds all records, or None."""
        return self.layers(idsite, period.first, period.last, [segment]).get((segment, period), Layers()).of()

    def layers(
        self, idsite: int, first: date, last: date, segments: Collection[str]
    ) -> dict[tuple[str, Period], Layers]:
        """What can be read of these segments for every period that lies inside these days.

        Archives that a newer one with all records has replaced are left out.
        """
        of_flag = {done_flag(segment): segment for segment in segments}
        flags = [part for flag in of_flag for part in (flag, f"{flag}.%")]
        named = " OR ".join(["name = %s OR name LIKE %s"] * len(of_flag))
        found: dict[tuple[str, Period], list[Archive]] = {}
        for month in self._months(first, last) if flags else ():
            rows = self._select(
                month,
                "numeric",
                "idarchive, period, date1, date2, value, ts_archived, name",
                f"idsite = %s AND date1 >= %s AND date2 <= %s AND ({named}) ORDER BY ts_archived, idarchive",
                (idsite, first, last, *flags),
            )
            for idarchive, kind, date1, date2, value, archived_at, name in rows:
                if value not in READABLE:
                    continue
                period, status = Period(PeriodKind(kind), date1, date2), DoneStatus(int(value))
                archive = Archive(idarchive, idsite, period, status, archived_at, name)
                layers = found.setdefault((of_flag[name.partition(".")[0]], period), [])
                if name in of_flag and status != DoneStatus.PARTIAL:
                    layers.clear()
                layers.append(archive)
        return {key: Layers(tuple(archives)) for key, archives in found.items()}

    def ranges(self, idsite: int, first: date, last: date) -> set[Period]:
        """The archived ranges that have a day in common with these."""
        months = [month for month in self.existing_months() if month <= month_of(last)]
        if not months:
            return set()
        selects = (
            f"SELECT date1, date2 FROM {self._table(month, 'numeric')} "
            "WHERE idsite = %s AND date1 <= %s AND date2 >= %s AND period = %s AND name LIKE 'done%'"
            for month in months
        )
        rows = self._database.query(" UNION ".join(selects), (idsite, last, first, int(PeriodKind.RANGE)) * len(months))
        return {Period(PeriodKind.RANGE, date1, date2) for date1, date2 in rows}

    def archived_since(self, idsite: int, since: date) -> list[Period]:
        """The periods with archives of all visits that end on that day or later, ranges aside; each once."""
        # A period begins at most a year before it ends.
        months = [month for month in self.existing_months() if month >= f"{since.year:04d}_01"]
        found: set[Period] = set()
        for month in months:
            rows = self._select(
                month,
                "numeric",
                "DISTINCT period, date1, date2",
                "idsite = %s AND date2 >= %s AND name = %s AND period <> %s",
                (idsite, since, VISITS.flag, int(PeriodKind.RANGE)),
            )
            found.update(Period(PeriodKind(kind), first, last) for kind, first, last in rows)
        return sorted(found)

    def existing_months(self) -> list[str]:
        """The months (YYYY_MM) that have archive tables, newest first."""
        prefix = f"{self._database.prefix}archive_numeric_"
        rows = self._database.query(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name LIKE %s",
            (prefix.replace("_", r"\_") + "20__" + r"\_" + "__",),
        )
        return sorted((str(name)[len(prefix) :] for (name,) in rows), reverse=True)

    # Reading

    def numeric(self, archives: Collection[Archive], names: Sequence[str] = ()) -> dict[Archive, dict[str, float]]:
        """Numbers by name, by archive; all of them, done flags aside, when no names are given."""
        found: dict[Archive, dict[str, float]] = {archive: {} for archive in archives}
        condition = f"name IN ({_marks(names)})" if names else "name NOT LIKE 'done%'"
        for month, members in _by_month(archives).items():
            rows = self._select(
                month,
                "numeric",
                "idarchive, name, value",
                f"idarchive IN ({_marks(members)}) AND {condition}",
                (*members, *names),
            )
            for idarchive, name, value in rows:
                found[members[idarchive]][name] = value
        return found

    def holders(self, archives: Collection[Archive]) -> dict[str, set[Archive]]:
        """The archives that have a table, by its name."""
        found: dict[str, set[Archive]] = {}
        for month, members in _by_month(archives).items():
            rows = self._select(
                month,
                "blob",
                "idarchive, name",
                f"idarchive IN ({_marks(members)}) AND name NOT LIKE %s",
                (*members, r"%\_chunk\_%"),
            )
            for idarchive, name in rows:
                found.setdefault(name, set()).add(members[idarchive])
        return found

    def blobs(self, archive: Archive, record: str, *, with_chunks: bool) -> dict[str, bytes]:
        """A record's blobs by name: the table itself, and with `with_chunks` the chunks of its subtables."""
        condition, names = (_WITH_CHUNKS, _with_chunks(record)) if with_chunks else ("name = %s", (record,))
        rows = self._select(
            month_of(archive.period.first),
            "blob",
            "name, value",
            f"idarchive = %s AND {condition}",
            (archive.idarchive, *names),
        )
        return {name: bytes(value) for name, value in rows}

    def blob_sizes(self, archives: Collection[Archive]) -> dict[str, dict[Archive, int]]:
        """How many bytes a record has in each archive that has it, chunks included, by record."""
        found: dict[str, dict[Archive, int]] = {}
        for month, members in _by_month(archives).items():
            rows = self._select(
                month, "blob", "idarchive, name, LENGTH(value)", f"idarchive IN ({_marks(members)})", tuple(members)
            )
            for idarchive, name, size in rows:
                sizes = found.setdefault(record_of(name), {})
                sizes[members[idarchive]] = sizes.get(members[idarchive], 0) + size
        return found

    def blobs_of(self, archives: Collection[Archive], records: Collection[str]) -> dict[tuple[Archive, str], Blobs]:
        """The blobs of several records of several archives by name, chunks included, by archive and record."""
        found: dict[tuple[Archive, str], Blobs] = {}
        named = " OR ".join([_WITH_CHUNKS] * len(records))
        names = [name for record in records for name in _with_chunks(record)]
        for month, members in _by_month(archives).items() if records else ():
            rows = self._select(
                month,
                "blob",
                "idarchive, name, value",
                f"idarchive IN ({_marks(members)}) AND ({named})",
                (*members, *names),
            )
            for idarchive, name, value in rows:
                found.setdefault((members[idarchive], record_of(name)), {})[name] = bytes(value)
        return found

    def are_there(self, archives: Collection[Archive]) -> bool:
        """Whether none of the archives was removed meanwhile: what was read of them before this call is whole."""
        found = 0
        for month, members in _by_month(archives).items():
            condition = f"idarchive IN ({_marks(members)}) AND name LIKE 'done%'"
            rows = self._select(month, "numeric", "COUNT(DISTINCT idarchive)", condition, tuple(members))
            found += rows[0][0] if rows else 0
        return found == len(archives)

    # Writing

    def next_ids(self, period: Period, count: int) -> range:
        """New archive ids, never given out before in their month."""
        month = month_of(period.first)
        self._create(month)
        last = self._database.insert(
            f"UPDATE {self._database.table('sequence')} SET value = LAST_INSERT_ID(value + %s) WHERE name = %s",
            (count, f"{self._database.prefix}archive_numeric_{month}"),
        )
        return range(last - count + 1, last + 1)

    def write(self, contents: Mapping[Archive, Content]) -> None:
        """Store whole archives of one site and period, in place of older ones; to be called inside a transaction."""
        numbers, blobs, flags, month = [], [], [], ""
        for archive, content in contents.items():
            month, period = month_of(archive.period.first), archive.period
            head = (archive.idarchive, archive.idsite, period.first, period.last, int(period.kind), archive.archived_at)
            common = b",".join(self._database.quoted(head))
            for name, value in content.blobs.items():
                if len(value) < _LARGE_BLOB:
                    blobs.append((common, name, value))
                else:
                    self._database.execute_apart(
                        f"{self._head(month, 'blob')} ({_marks(range(8))})", (*head, name, value)
                    )
            numbers += [(common, name, float(number)) for name, number in content.numbers.items()]
            flags.append((common, archive.flag, float(archive.status)))
        for batch in _batches(blobs, _BLOB_BYTES_PER_STATEMENT):
            self._insert(month, "blob", batch)
        rows = [*numbers, *flags]
        for start in range(0, len(rows), _ROWS_PER_STATEMENT):
            self._insert(month, "numeric", rows[start : start + _ROWS_PER_STATEMENT])
        if replaced := self._replaced_by(contents):
            self._remove(month, replaced)

    def _replaced_by(self, archives: Collection[Archive]) -> list[int]:
        """The ids of the archives that these, of one site and period, take the place of."""
        made = {archive.flag: archive for archive in archives if archive.status != DoneStatus.PARTIAL}
        if not made:
            return []
        newest = max(made.values(), key=lambda archive: archive.idarchive)
        period = newest.period
        rows = self._select(
            month_of(period.first),
            "numeric",
            "idarchive, name",
            "idsite = %s AND date1 = %s AND date2 = %s AND period = %s AND name LIKE 'done%' AND idarchive < %s",
            (newest.idsite, period.first, period.last, int(period.kind), newest.idarchive),
        )
        return [
            idarchive
            for idarchive, name in rows
            if any(flag in made and idarchive < made[flag].idarchive for flag in (name, name.partition(".")[0]))
        ]

    def _insert(self, month: str, kind: str, rows: Sequence[tuple[bytes, str, float | bytes]]) -> None:
        """Insert rows: what those of an archive have in common, quoted, then name and value."""
        cells = iter(self._database.quoted([cell for _, name, value in rows for cell in (name, value)]))
        quoted = (b"(%b,%b,%b)" % (common, next(cells), next(cells)) for common, _, _ in rows)
        self._database.execute(self._head(month, kind).encode() + b",".join(quoted))

    def _head(self, month: str, kind: str) -> str:
        return (
            f"INSERT INTO {self._table(month, kind)} "
            "(idarchive, idsite, date1, date2, period, ts_archived, name, value) VALUES "
        )

    # Ageing

    def invalidate(self, idsite: int, periods: Iterable[Period], flag: str = VISITS.flag) -> None:
        """Mark the archives of exactly these periods as invalidated, with them those that are part of them.

        Of all visits, every segment and plugin is part; of a segment, every plugin.
        """
        by_month: dict[str, list[Period]] = {}
        for period in periods:
            by_month.setdefault(month_of(period.first), []).append(period)
        for month, members in by_month.items():
            for start in range(0, len(members), _PERIODS_PER_STATEMENT):
                self._invalidate(idsite, month, members[start : start + _PERIODS_PER_STATEMENT], flag)

    def _invalidate(self, idsite: int, month: str, periods: Sequence[Period], flag: str) -> None:
        one_of = " OR ".join(["(date1 = %s AND date2 = %s AND period = %s)"] * len(periods))
        try:
            self._database.execute(
                f"UPDATE {self._table(month, 'numeric')} SET value = %s WHERE idsite = %s AND ({one_of}) "
                f"AND (name = %s OR name LIKE %s) AND value IN ({_marks(CURRENT)})",
                (
                    *(DoneStatus.INVALIDATED, idsite),
                    *(value for period in periods for value in (period.first, period.last, int(period.kind))),
                    *(flag, "done%" if flag == VISITS.flag else f"{flag}.%", *CURRENT),
                ),
            )
        except mysql.connector.Error as error:
            if error.errno != errorcode.ER_NO_SUCH_TABLE:
                raise

    def stored(self, month: str) -> list[StoredArchive]:
        """All archives of a month that have a done flag."""
        rows = self._select(
            month,
            "numeric",
            "idarchive, idsite, period, date1, date2, name, value, ts_archived",
            "name LIKE 'done%'",
            (),
        )
        return [
            StoredArchive(idarchive, (idsite, kind, date1, date2, name), int(value or 0), archived_at)
            for idarchive, idsite, kind, date1, date2, name, value, archived_at in rows
        ]

    def without_flag(self, month: str, before: datetime) -> list[int]:
        """The ids of archives of a month that have no done flag, and were begun before that moment."""
        numeric = self._table(month, "numeric")
        found: set[int] = set()
        for kind in ("numeric", "blob"):
            rows = self._select(
                month,
                kind,
                "DISTINCT idarchive",
                f"ts_archived < %s AND idarchive NOT IN (SELECT idarchive FROM {numeric} WHERE name LIKE 'done%')",
                (before,),
            )
            found.update(idarchive for (idarchive,) in rows)
        return sorted(found)

    def delete_flags(self, idsite: int, flags: Collection[str]) -> None:
        """Remove all archives of a site with one of these done flags, or of a plugin alone."""
        for month in self.existing_months() if flags else ():
            rows = self._select(
                month,
                "numeric",
                "DISTINCT idarchive",
                f"idsite = %s AND ({' OR '.join(['name = %s OR name LIKE %s'] * len(flags))})",
                (idsite, *(part for flag in flags for part in (flag, f"{flag}.%"))),
            )
            self.delete(month, [idarchive for (idarchive,) in rows])

    def delete(self, month: str, ids: Sequence[int]) -> None:
        """Remove whole archives of a month (YYYY_MM), all of them at one moment."""
        if ids:
            with self._database.transaction():
                self._remove(month, ids)

    def _remove(self, month: str, ids: Sequence[int]) -> None:
        condition = f"a.idarchive IN ({_marks(ids)})"
        for kind in ("numeric", "blob"):
            # Not by another key or row by row: that would wait for what other archivers are writing.
            table = f"{self._table(month, kind)} a FORCE INDEX (PRIMARY)"
            self._database.execute(f"DELETE a FROM {table} WHERE {condition}", ids)

    # The tables themselves

    def _table(self, month: str, kind: str) -> str:
        return self._database.table(f"archive_{kind}_{month}")

    def _months(self, first: date, last: date) -> list[str]:
        months = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
        return [f"{month // 12:04d}_{month % 12 + 1:02d}" for month in months]

    def _select(self, month: str, kind: str, columns: str, condition: str, values: Sequence[Any]) -> list[Any]:
        try:
            return self._database.query(f"SELECT {columns} FROM {self._table(month, kind)} WHERE {condition}", values)
        except mysql.connector.Error as error:
            if error.errno == errorcode.ER_NO_SUCH_TABLE:
                return []
            raise

    def _create(self, month: str) -> None:
        """Make the month's tables and its row in `sequence` unless they are there."""
        if month in self._complete:
            return
        for statement in _statements():
            self._database.execute(statement.replace("{prefix}", self._database.prefix).replace("{month}", month))
        numeric = self._table(month, "numeric")
        self._database.execute(
            f"INSERT IGNORE INTO {self._database.table('sequence')} (name, value) "
            f"SELECT %s, COALESCE(MAX(idarchive), 0) FROM {numeric}",
            (f"{self._database.prefix}archive_numeric_{month}",),
        )
        self._complete.add(month)


@cache
def _statements() -> list[str]:
    text = (SQL_DIRECTORY / "archive_tables.sql").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    return [statement for statement in "\n".join(lines).split(";\n") if statement.strip()]


def record_of(blob: str) -> str:
    """The record that a blob, by its name, is of."""
    return blob.partition("_chunk_")[0]


def month_of(first: date) -> str:
    """The month (YYYY_MM) whose tables hold the archives that begin on this day."""
    return f"{first:%Y_%m}"


def _by_month(archives: Iterable[Archive]) -> dict[str, dict[int, Archive]]:
    """The archives by month and id: an id is given out once per month, not once."""
    found: dict[str, dict[int, Archive]] = {}
    for archive in archives:
        found.setdefault(month_of(archive.period.first), {})[archive.idarchive] = archive
    return found


_WITH_CHUNKS = "(name = %s OR (name >= %s AND name < %s))"


def _with_chunks(record: str) -> tuple[str, ...]:
    return record, f"{record}_chunk_", f"{record}_chunk`"  # ` follows _ in ASCII


def _marks(values: Collection[Any]) -> str:
    return ", ".join(["%s"] * len(values))


def _batches(rows: Iterable[tuple[Any, ...]], size: int) -> Iterable[list[tuple[Any, ...]]]:
    """The rows, whose last value is a blob, in batches of at most `size` bytes, or one row where that is larger."""
    batch: list[tuple[Any, ...]] = []
    total = 0
    for row in rows:
        length = len(row[-1])
        if batch and total + length > size:
            yield batch
            batch, total = [], 0
        batch.append(row)
        total += length
    if batch:
        yield batch
