"""Two databases that should hold the same: their log tables and their archives, whatever ids they gave out."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from datetime import date
from itertools import zip_longest
from typing import Any

from faults.ledger import decode
from faults.visitors import SITES
from footfall.archiving.datatable import DataTable
from footfall.archiving.reader import ArchiveReader
from footfall.archiving.tables import ArchiveTables
from footfall.database import Database

_LONG_AGO = date(2020, 1, 1)
_RANDOM = {"buster"}  # tells conversions of one goal in one visit apart
_LEFT_OUT = {"idvisit", "idlink_va", "last_idlink_va"} | _RANDOM
_MOST_LINES = 20

Row = dict[str, Any]
Rows = dict[Hashable, Row]


def differences(there: Database, undisturbed: Database) -> list[str]:
    """Where the log tables differ, a line each, the first of them."""
    lines: list[str] = []
    got, wanted = _log(there), _log(undisturbed)
    for table in wanted:
        lines += _compare(table, wanted[table], got[table])
    return lines


def archive_differences(there: Database, undisturbed: Database) -> list[str]:
    """Where the archives differ, a line each, the first of them."""
    return _compare("archive", dict(_archives(undisturbed)), dict(_archives(there)))


def archive_count(database: Database) -> tuple[int, int]:
    """How many archives, and how many records in them, the comparison reads."""
    archives = dict(_archives(database))
    return len(archives), sum(len(records) for records in archives.values())


def _compare(table: str, wanted: Rows, got: Rows) -> list[str]:
    lines = [f"{table} {key} is missing" for key in wanted.keys() - got.keys()]
    lines += [f"{table} {key} should not be there" for key in got.keys() - wanted.keys()]
    for key in wanted.keys() & got.keys():
        if wanted[key] != got[key]:
            for column in sorted(wanted[key].keys() | got[key].keys()):
                value, instead = _first_difference(wanted[key].get(column), got[key].get(column))
                if value != instead:
                    lines.append(f"{table} {key}: {column} has {instead!r} instead of {value!r}")
    more = len(lines) - _MOST_LINES
    return lines[:_MOST_LINES] + ([f"… and {more} more differences of {table}"] if more > 0 else [])


def _first_difference(wanted: Any, got: Any) -> tuple[Any, Any]:
    """Where two tables differ, the first rows that do; everything else as it is."""
    if isinstance(wanted, list) and isinstance(got, list):
        return next(((one, other) for one, other in zip_longest(wanted, got) if one != other), (None, None))
    return wanted, got


# The log


def _log(database: Database) -> dict[str, Rows]:
    """The log tables by what names a row whatever its id: visits by their visitor's count, requests by their number."""
    names = {row[0]: row[1:] for row in database.query("SELECT idaction, type, name, url_prefix FROM log_action")}
    read = _reader(database, names)
    visits = _visits(read("log_visit", "idvisit"))
    links = read("log_link_visit_action", "idlink_va")
    numbers = {row["idlink_va"]: decode(row["idpageview"]) for row in links}
    keys = {row["idvisit"]: key for key, row in visits.items()}

    def plain(row: Row) -> Row:
        """The row without ids: what they refer to instead."""
        values = {name: value for name, value in row.items() if name not in _LEFT_OUT}
        if "last_idlink_va" in row:
            values["last action"] = numbers.get(row["last_idlink_va"])
        if row.get("idlink_va") is not None:
            values["action"] = numbers.get(row["idlink_va"])
        return values | {"visit": keys[row["idvisit"]]}

    def conversion(row: Row) -> Hashable:
        return row["idsite"], row["idgoal"], row["idorder"] or row["url"]

    return {
        "log_visit": {key: plain(row) for key, row in visits.items()},
        "log_link_visit_action": _keyed(map(plain, links), lambda row: row["action"]),
        "log_conversion": _keyed(map(plain, read("log_conversion", "idvisit")), conversion),
        "log_conversion_item": _keyed(
            map(plain, read("log_conversion_item", "idvisit")), lambda row: (row["idorder"], row["idaction_sku"])
        ),
    }


def _reader(database: Database, names: Mapping[int, tuple[Any, ...]]) -> Callable[[str, str], list[Row]]:
    def read(table: str, order: str) -> list[Row]:
        columns = [
            str(name)
            for (name,) in database.query(
                "SELECT column_name FROM information_schema.columns "
                "WHERE table_schema = DATABASE() AND table_name = %s",
                (table,),
            )
        ]
        actions = {column for column in columns if "idaction" in column}
        return [
            {
                column: names.get(value, value) if column in actions and value else _plain(value)
                for column, value in zip(columns, row, strict=True)
            }
            for row in database.query(f"SELECT {', '.join(f'`{c}`' for c in columns)} FROM {table} ORDER BY {order}")
        ]

    return read


def _visits(rows: Iterable[Row]) -> Rows:
    count: Counter[Hashable] = Counter()
    visits: Rows = {}
    for row in rows:
        visitor = (row["idsite"], row["idvisitor"])
        count[visitor] += 1
        visits[*visitor, count[visitor]] = row
    return visits


def _keyed(rows: Iterable[Row], key: Callable[[Row], Hashable]) -> Rows:
    return {key(row): row for row in rows}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | bytearray):
        try:
            return bytes(value).decode("ascii")
        except UnicodeDecodeError:
            return bytes(value).hex()
    return value


# The archives


def _archives(database: Database) -> Iterator[tuple[Hashable, Row]]:
    """Every archive's numbers and tables by name."""
    tables, reader = ArchiveTables(database), ArchiveReader(database)
    for idsite in SITES:
        for period in tables.archived_since(idsite, _LONG_AGO):
            archive = tables.find(idsite, period)
            if archive is None:
                continue
            records: Row = {name: round(value, 6) for name, value in tables.numeric([archive])[archive].items()}
            for name in tables.holders([archive]):
                table = reader.table(idsite, period, name, expanded=True)
                records[name] = None if table is None else _rows(table)
            yield (idsite, str(period.kind), str(period.first), str(period.last)), records


def _rows(table: DataTable) -> list[Any]:
    """The rows by label: equal ones may come in any order."""
    rows = [
        (
            row.label,
            sorted((name, _rounded(value)) for name, value in row.columns.items() if name != "label"),
            sorted((name, str(value)) for name, value in row.metadata.items()),
            [] if row.subtable is None else _rows(row.subtable),
        )
        for row in table
    ]
    return sorted(rows, key=repr)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return sorted((str(name), _rounded(inner)) for name, inner in value.items())
    return round(value, 6) if isinstance(value, float) else value
