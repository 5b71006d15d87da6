"""From an archived table to the rows of an answer: what is left out, in which order, and what is computed."""

from collections.abc import Iterable
from dataclasses import dataclass

from footfall.archiving.datatable import DataTable, Row
from footfall.reports.flatten import OTHERS, flatten
from footfall.reports.metrics import Measurement, ProcessedMetric, number
from footfall.reports.report import TableReport
from footfall.reports.sorting import sort


@dataclass(frozen=True)
class Shape:
    """How a caller wants the rows of a table.

    Args:
        expanded: with the rows of subtables inside the rows above them.
        flat: the innermost rows alone, as one list; wins over `expanded`.
        sort_column: a metric or `label`; None for the report's own order.
        descending: whether the largest value comes first.
        offset: how many rows of the top level are passed over.
        limit: most rows of the top level, None for all.
        formatted: whether percentages are written as people read them (`33%`).
    """

    expanded: bool = False
    flat: bool = False
    sort_column: str | None = None
    descending: bool = True
    offset: int = 0
    limit: int | None = 100
    formatted: bool = True


def shaped(table: DataTable, report: TableReport, shape: Shape) -> DataTable:
    """The rows to show; the table given is used up.

    A flat answer leaves out the top-level rows without the required column and keeps all rows below the others, an
    expanded one leaves them out on every level (conformance `reports`: Actions.getExitPageUrls in both shapes).
    """
    nested = shape.expanded and not shape.flat
    if report.required is not None:
        _require(table, report.required, nested)
    _describe(table, report, everywhere=nested or shape.flat)
    if shape.flat:
        table = flatten(table, report)
    empty = [m for m in report.measurements if not any(number(row.columns.get(m.count)) for row in table)]
    sort(table, report, shape.sort_column or report.sort_column, shape.descending, nested)
    end = None if shape.limit is None else shape.offset + shape.limit
    table = DataTable(list(table)[shape.offset : end])
    _compute(table, report, empty, shape.formatted, root=True)
    return table


def _require(table: DataTable, column: str, subtables: bool) -> None:
    table.rows = [row for row in table.rows if row.columns.get(column) is not None]
    if subtables:
        for row in table:
            if row.subtable is not None:
                _require(row.subtable, column, subtables)


def _describe(table: DataTable, report: TableReport, everywhere: bool) -> None:
    """Replace what the archive noted about each row by what is shown beside it."""
    for row in table:
        row.metadata = report.metadata(row)
        if everywhere and row.subtable is not None:
            _describe(row.subtable, report, everywhere)
    if table.summary is not None:
        table.summary.columns["label"] = OTHERS


def _compute(table: DataTable, report: TableReport, empty: Iterable[Measurement], formatted: bool, root: bool) -> None:
    hidden = {column for m in report.measurements for column in m.hidden}
    for measurement in empty:
        hidden.update((measurement.count, *measurement.columns))
    measured = [m.metric for m in report.measurements if m.metric is not None and m not in empty]
    metrics = [metric for metric in (*measured, *report.processed) if root or not metric.root_only]
    for row in table:
        _compute_row(row, metrics, hidden, formatted)
        if row.subtable is not None:
            _compute(row.subtable, report, empty, formatted, root=False)


def _compute_row(row: Row, metrics: Iterable[ProcessedMetric], hidden: set[str], formatted: bool) -> None:
    computed = {metric.name: metric.shown(row.columns, formatted) for metric in metrics}
    row.columns = {name: value for name, value in row.columns.items() if name not in hidden} | computed
