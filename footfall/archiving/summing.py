"""Puts rows together, and keeps tables within their limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from footfall.archiving.datatable import DataTable, Row
from footfall.archiving.records import BlobRecord, Combine

SUMMARY_LABEL = -1


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
