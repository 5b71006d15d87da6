"""A table with subtables as one list: only the innermost rows, each labelled with its whole path."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from footfall.archiving.datatable import DataTable, Row
from footfall.reports.report import TableReport

OTHERS = "Others"


def flatten(table: DataTable, report: TableReport) -> DataTable:
    """The innermost rows of a table that was read with its subtables; "Others" of the whole table stays its summary."""
    flat = DataTable([found for row in table.rows for found in _innermost(row, (), report)])
    if table.summary is not None:
        flat.summary = _labelled(table.summary, OTHERS, report)
    return flat


def _innermost(row: Row, above: Sequence[str], report: TableReport) -> Iterator[Row]:
    path = (*above, row.label)
    if row.subtable is None:
        yield _labelled(row, report.flat_label(path), report)
        return
    for below in row.subtable.rows:
        yield from _innermost(below, path, report)
    if row.subtable.summary is not None:
        yield _labelled(row.subtable.summary, report.flat_label((*path, OTHERS)), report)


def _labelled(row: Row, label: str, report: TableReport) -> Row:
    return replace(
        row,
        columns={**row.columns, "label": label},
        metadata={**row.metadata, report.dimension: label},
        subtable=None,
        subtable_id=None,
    )
