"""The order of rows: by one column, ties by visits, then by label as a person would sort labels."""

import re
from collections.abc import Callable
from typing import Any

from footfall.archiving.datatable import DataTable, Row
from footfall.reports.metrics import number
from footfall.reports.report import TableReport

_DIGITS = re.compile(r"\d+")


def natural(label: str) -> str:
    """A key that sorts labels regardless of case and numbers by value: `Product 2` before `Product 10`."""
    return _DIGITS.sub(lambda digits: digits.group().zfill(20), label.lower())


def value_of(report: TableReport, column: str) -> Callable[[Row], Any]:
    """From a row to its value of a column, computed where the report computes it; None where it has none."""
    metric = report.metric(column)
    if metric is None:
        return lambda row: row.columns.get(column)
    return lambda row: metric.compute(row.columns)


def sort(table: DataTable, report: TableReport, column: str, descending: bool, subtables: bool) -> None:
    """Sort the rows in place; the summary row stays last, rows without the column come after those with it.

    Args:
        table: its rows are sorted.
        report: knows how a computed metric is made that is not in the rows yet.
        column: a metric, or `label`.
        descending: whether the largest value comes first.
        subtables: whether the rows inside subtables are sorted too.
    """
    if column == "label":
        table.rows.sort(key=lambda row: natural(row.label), reverse=descending)
    else:
        value = value_of(report, column)
        table.rows.sort(key=lambda row: natural(row.label), reverse=not descending)
        if column != "nb_visits":
            table.rows.sort(key=lambda row: number(row.columns.get("nb_visits")), reverse=descending)
        table.rows.sort(key=lambda row: number(value(row)), reverse=descending)
        table.rows.sort(key=lambda row: value(row) is None)
    if subtables:
        for row in table:
            if row.subtable is not None:
                sort(row.subtable, report, column, descending, subtables)
