"""Rows left out of an answer: by a pattern, for being small, or summed into "Others"."""

from typing import Any

import polars as pl
from polars.exceptions import PolarsError

from footfall.archiving.datatable import DataTable, Row
from footfall.archiving.records import Combine
from footfall.archiving.summing import add_columns
from footfall.reports.errors import ReportError
from footfall.reports.flatten import OTHERS
from footfall.reports.metrics import number
from footfall.reports.report import TableReport
from footfall.reports.shape import LowPopulation, Pattern
from footfall.reports.sorting import value_of

_LONGEST_PATTERN = 500
_LOW_SHARE = 0.02  # of a column's sum; the reference's default for what is small


def matching(table: DataTable, pattern: Pattern) -> DataTable:
    """The rows of the top level whose column matches.

    Raises:
        ReportError: the expression cannot be read.
    """
    rows = list(table)
    kept = [row for row, found in zip(rows, _matches(rows, pattern), strict=True) if found]
    return _rows(kept, table.summary)


def matching_anywhere(table: DataTable, pattern: Pattern) -> DataTable:
    """The rows that match or stand above one that does.

    Raises:
        ReportError: the expression cannot be read.
    """
    rows = list(table)
    kept = []
    for row, found in zip(rows, _matches(rows, pattern), strict=True):
        if row.subtable is not None and not found:
            row.subtable = matching_anywhere(row.subtable, pattern)
            found = len(row.subtable) > 0
        if found:
            kept.append(row)
    return _rows(kept, table.summary)


def _matches(rows: list[Row], pattern: Pattern) -> list[bool]:
    """Whether each row's column matches. The engine takes linear time, so no expression can hold a thread up."""
    if len(pattern.expression) > _LONGEST_PATTERN:
        raise ReportError(f"A pattern has at most {_LONGEST_PATTERN} characters: give a shorter one.")
    texts = [str(row.columns.get(pattern.column, "")).encode("utf-8", "replace").decode() for row in rows]
    try:
        found = pl.Series(texts, dtype=pl.String).str.contains(f"(?i){pattern.expression}")
    except PolarsError:
        raise ReportError(f"{pattern.expression!r} is not a regular expression that can be read.") from None
    return [bool(hit) and pattern.column in row.columns for hit, row in zip(found.to_list(), rows, strict=True)]


def leave_out_small(table: DataTable, report: TableReport, small: LowPopulation) -> None:
    """Leave out the rows of the top level whose column is smaller than asked for, in place."""
    least = small.least
    value = value_of(report, small.column)
    if least == 0:
        least = _LOW_SHARE * sum(number(value(row)) for row in table)

    def is_large(row: Row) -> bool:
        return value(row) is not None and number(value(row)) >= least

    table.rows = [row for row in table.rows if is_large(row)]
    if table.summary is not None and not is_large(table.summary):
        table.summary = None


def truncated(table: DataTable, most: int) -> DataTable:
    """The first rows, and "Others" with the sum of the further ones; a single further row stays itself."""
    if len(table) <= most + 1 or not all("label" in row.columns for row in table):
        return table
    rows = list(table)
    others: dict[str, Any] = {"label": OTHERS}
    for row in rows[most:]:
        columns = {name: _summable(name, value) for name, value in row.columns.items()}
        add_columns(others, columns, {name: how for name in columns if (how := _extreme(name))})
    return DataTable(rows[:most], Row(others))


def _summable(name: str, value: Any) -> Any:
    return value if value is None or name == "label" or isinstance(value, dict) else number(value)


def _extreme(name: str) -> Combine | None:
    if name.startswith("max_"):
        return Combine.MAX
    return Combine.MIN if name.startswith("min_") else None


def _rows(kept: list[Row], summary: Row | None) -> DataTable:
    return DataTable([row for row in kept if row is not summary], summary if summary in kept else None)
