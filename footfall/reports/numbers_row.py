"""Reports of one row: its archived and computed columns, and what a request leaves of it."""

from collections.abc import Iterable
from typing import Any

from footfall.reports.numbers import number
from footfall.reports.report import NumbersReport, Report
from footfall.reports.shape import Formatting, Shape
from footfall.reports.source import Source


def columns_of(report: NumbersReport, source: Source, formatting: Formatting, merged: bool = False) -> dict[str, Any]:
    """The report's row. Of one site and period, what was not archived is 0; of several, nothing at all is no row
    (as the reference answers).

    Args:
        merged: whether the row becomes part of API.get.
    """
    if report.load is not None:
        columns = dict(report.load(source) or {})
        if not columns:
            return {}
    else:
        metrics = report.metrics_of(source.period.kind)
        found = source.numbers(list(metrics.values()))
        if source.several and not found:
            return {}
        columns = {shown: found.get(stored, 0) for shown, stored in metrics.items()}
    left_out = report.not_merged if merged else report.hidden
    computed = {
        metric.name: metric.shown(columns, formatting)
        for metric in report.processed
        if metric.needs is None or metric.needs in columns
    }
    return {name: value for name, value in (columns | computed).items() if name not in left_out}


def merged_columns(reports: Iterable[Report], source: Source, formatting: Formatting) -> dict[str, Any]:
    """The rows of all listed reports of one row as one; the request's `columns` chooses some."""
    columns: dict[str, Any] = {}
    for report in reports:
        if isinstance(report, NumbersReport) and report.listing is not None:
            columns |= columns_of(report, source, formatting, merged=True)
    chosen = {name for part in source.parameters.get("columns", "").split(",") if (name := part.strip())}
    return {name: value for name, value in columns.items() if name in chosen} if chosen else columns


def shaped_row(columns: dict[str, Any], shape: Shape) -> dict[str, Any]:
    """What the request leaves of the row; nothing when it leaves out the row itself.

    The row has no label, so that no pattern and no label finds it (conformance `shapes`: VisitsSummary.get).
    """
    if shape.offset > 0 or shape.limit == 0 or shape.label is not None:
        return {}
    if shape.pattern is not None or shape.pattern_recursive is not None:
        return {}
    small = shape.low_population
    if small is not None and not (small.column in columns and number(columns[small.column]) >= small.least):
        return {}
    return {
        name: value
        for name, value in columns.items()
        if name not in shape.hidden and (not shape.shown or name in shape.shown)
    }
