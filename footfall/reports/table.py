"""From the rows of a report to the rows of an answer: what is left out, in which order, and what is computed."""

from collections.abc import Collection, Iterable

from footfall.archiving.datatable import DataTable, Row
from footfall.reports.columns import show_columns
from footfall.reports.filtering import leave_out_small, matching, matching_anywhere, truncated
from footfall.reports.flatten import OTHERS, flatten
from footfall.reports.metrics import Measurement, ProcessedMetric, number
from footfall.reports.report import TableReport
from footfall.reports.row_label import find_row
from footfall.reports.shape import Formatting, Shape
from footfall.reports.sorting import sort


def shaped(table: DataTable, report: TableReport, shape: Shape) -> DataTable:
    """The rows to show; the table given is used up.

    A flat answer leaves out the top-level rows without the required column and keeps all rows below the others, an
    expanded one leaves them out on every level (conformance `reports`: Actions.getExitPageUrls in both shapes).
    """
    if report.required is not None:
        _require(table, report.required, shape.nested)
    _describe(table, report)
    if shape.flat:
        table = flatten(table, report, shape.with_aggregates)
    empty = [m for m in report.measurements if not any(number(row.columns.get(m.count)) for row in table)]
    table = _chosen(table, report, shape)
    hidden = _hidden(report, empty, with_sums=bool(shape.hidden))
    _compute(table, report, empty, hidden, shape.formatting, root=True)
    if report.shown_label is not None:
        for row in table.rows:
            row.columns["label"] = report.shown_label(row.label)
    show_columns(table, shape.shown, shape.hidden)
    return table


def _chosen(table: DataTable, report: TableReport, shape: Shape) -> DataTable:
    """The rows of the answer in their order, by the filters of the request in the order of the reference."""
    if shape.pattern is not None:
        table = matching(table, shape.pattern)
    if shape.pattern_recursive is not None:
        table = matching_anywhere(table, shape.pattern_recursive)
    if shape.low_population is not None:
        leave_out_small(table, report, shape.low_population)
    column = shape.sort_column or report.sort_column
    if column:
        descending = not report.ascending if shape.descending is None else shape.descending
        sort(table, report, column, descending, shape.nested)
    if shape.label is not None:
        return find_row(table, report, shape.label)
    if shape.truncate is not None:
        table = truncated(table, shape.truncate)
    return _limited(table, shape)


def _limited(table: DataTable, shape: Shape) -> DataTable:
    end = None if shape.limit is None else shape.offset + shape.limit
    if shape.keep_summary:
        return DataTable(table.rows[shape.offset : end], table.summary)
    rows = list(table)[shape.offset : end]
    kept = table.summary is not None and rows[-1:] == [table.summary]
    return DataTable(rows[:-1], table.summary) if kept else DataTable(rows)


def _require(table: DataTable, column: str, subtables: bool) -> None:
    table.rows = [row for row in table.rows if row.columns.get(column) is not None]
    if subtables:
        for row in table:
            if row.subtable is not None:
                _require(row.subtable, column, subtables)


def _describe(table: DataTable, report: TableReport) -> None:
    """Replace what the archive noted about each row by what is shown beside it."""
    for row in table:
        row.metadata = report.metadata(row)
        if row.subtable is not None:
            _describe(row.subtable, report)
    if table.summary is not None:
        table.summary.columns["label"] = OTHERS


def _hidden(report: TableReport, empty: Collection[Measurement], with_sums: bool) -> set[str]:
    """The columns that are not shown.

    Args:
        empty: what was measured for no row.
        with_sums: whether what serves the computation of measurements is shown, as the reference does as soon as a
            request says itself what to hide (conformance `shapes`, hideColumns).
    """
    hidden = set(report.hidden)
    for measurement in report.measurements:
        if measurement in empty:
            hidden.update((measurement.count, *measurement.columns, *measurement.hidden))
        elif not with_sums:
            hidden.update(measurement.hidden)
    return hidden


def _compute(
    table: DataTable,
    report: TableReport,
    empty: Collection[Measurement],
    hidden: Collection[str],
    formatting: Formatting,
    root: bool,
) -> None:
    measured = [m.metric for m in report.measurements if m.metric is not None and m not in empty]
    metrics = [metric for metric in (*measured, *report.processed) if root or not metric.root_only]
    for row in table:
        _compute_row(row, metrics, hidden, formatting)
        if row.subtable is not None:
            _compute(row.subtable, report, empty, hidden, formatting, root=False)


def _compute_row(row: Row, metrics: Iterable[ProcessedMetric], hidden: Collection[str], formatting: Formatting) -> None:
    computed = {metric.name: metric.shown(row.columns, formatting) for metric in metrics}
    row.columns = {name: value for name, value in row.columns.items() if name not in hidden} | computed
