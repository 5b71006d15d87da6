"""Puts the tables of lower periods together into the table of a higher one, and keeps tables within their limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from footfall.archiving.datatable import DataTable, Row
from footfall.archiving.metrics import SUMMED_NAMES
from footfall.archiving.records import BlobRecord, Combine

SUMMARY_LABEL = -1


class TableSum:
    """A table that others are added to, rows by their label, subtables to subtables.

    Args:
        combine: the columns that are not summed.
    """

    def __init__(self, combine: Mapping[str, Combine]) -> None:
        self._combine = combine
        self._rows: dict[str, Row] = {}
        self._below: dict[str, TableSum] = {}
        self._summary: Row | None = None

    def add(self, table: DataTable) -> None:
        """Add the rows of a table, which is not used any more afterwards."""
        for row in table.rows:
            self._add_row(row)
        if table.summary is not None:
            if self._summary is None:
                self._summary = Row(_summable(table.summary.columns))
            else:
                add_columns(self._summary.columns, _summable(table.summary.columns), self._combine)

    def _add_row(self, row: Row) -> None:
        label = row.label
        present = self._rows.get(label)
        if present is None:
            self._rows[label] = Row(_summable(row.columns), row.metadata)
        else:
            add_columns(present.columns, _summable(row.columns), self._combine)
            for name, value in row.metadata.items():
                present.metadata.setdefault(name, value)
        if row.subtable is not None:
            if label not in self._below:
                self._below[label] = TableSum(self._combine)
            self._below[label].add(row.subtable)

    def table(self) -> DataTable:
        """The sum."""
        for label, below in self._below.items():
            self._rows[label].subtable = below.table()
        return DataTable(list(self._rows.values()), self._summary)


def _summable(columns: dict[str, Any]) -> dict[str, Any]:
    if SUMMED_NAMES.keys().isdisjoint(columns):
        return columns
    kept = {name: value for name, value in columns.items() if name not in SUMMED_NAMES}
    return kept | {SUMMED_NAMES[name]: value for name, value in columns.items() if name in SUMMED_NAMES}


def add_columns(total: dict[Any, Any], columns: Mapping[Any, Any], combine: Mapping[str, Combine]) -> None:
    """Combine the values of a row into `total`, arrays (`goals`) member by member; labels and nulls change nothing."""
    for name, value in columns.items():
        if name == "label":
            continue
        present = total.get(name)
        if present is None:
            total[name] = value
        elif isinstance(value, dict):
            add_columns(present, value, combine)
        elif value is not None:
            how = combine.get(name)
            if how is None or how is Combine.SUM:
                total[name] = present + value
            elif how is Combine.MAX:
                total[name] = max(present, value)
            elif how is Combine.MIN:
                total[name] = min(present, value)


def limit(table: DataTable, record: BlobRecord) -> DataTable:
    """The table with at most the record's rows at each level, the summary row included.

    Where there are more, the rows with the largest values of the sort column stay, and the others, without their
    subtables, become part of the summary row.
    """
    return _limited(table, record, record.max_rows)


def _limited(table: DataTable, record: BlobRecord, most: int) -> DataTable:
    rows, summary = table.rows, table.summary
    if len(table) > most:
        rows = sorted(rows, key=lambda row: row.columns.get(record.sort_column) or 0, reverse=True)
        total = Row({"label": SUMMARY_LABEL})
        for row in [*rows[most - 1 :], *([summary] if summary else [])]:
            add_columns(total.columns, row.columns, record.combine)
        rows, summary = rows[: most - 1], total
    for row in rows:
        if row.subtable is not None:
            row.subtable = _limited(row.subtable, record, record.max_subtable_rows)
    return DataTable(rows, summary)
