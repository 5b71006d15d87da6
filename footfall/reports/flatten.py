"""A table with subtables as one list: the innermost rows, each labelled with its whole path."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from footfall.archiving.datatable import DataTable, Row
from footfall.reports.report import TableReport

OTHERS = "Others"


def flatten(table: DataTable, report: TableReport, with_aggregates: bool = False) -> DataTable:
    """The rows of a table that was read with its subtables; "Others" of the whole table stays its summary.

    A row has the metadata of those above it, where it has none of its own of that name.

    Args:
        with_aggregates: also the rows that have others below them; `is_aggregate` tells which they are.
    """
    flat = DataTable([found for row in table.rows for found in _rows(row, (), {}, report, with_aggregates)])
    if table.summary is not None:
        flat.summary = _flat_row(table.summary, (OTHERS,), {}, report)
        flat.summary.columns["label"] = OTHERS
    return flat


def _rows(
    row: Row, above: Sequence[str], inherited: Mapping[str, Any], report: TableReport, with_aggregates: bool
) -> Iterator[Row]:
    path, metadata = (*above, row.label), {**inherited, **row.metadata}
    if row.subtable is None or with_aggregates:
        flat = _flat_row(row, path, metadata, report)
        if with_aggregates:
            flat.metadata["is_aggregate"] = int(row.subtable is not None)
        yield flat
    if row.subtable is None:
        return
    for below in row.subtable.rows:
        yield from _rows(below, path, metadata, report, with_aggregates)
    if row.subtable.summary is not None:
        yield _flat_row(row.subtable.summary, (*path, OTHERS), metadata, report)


def _flat_row(row: Row, path: Sequence[str], metadata: Mapping[str, Any], report: TableReport) -> Row:
    label = report.flat_label(path)
    return replace(
        row,
        columns={**row.columns, "label": label},
        metadata={**metadata, **_dimensions(path, label, report)},
        subtable=None,
        subtable_id=None,
    )


def _dimensions(path: Sequence[str], label: str, report: TableReport) -> dict[str, str]:
    """The levels of a row by the dimensions they are of; the whole label where the report names only one."""
    if not report.dimension:
        return {}
    if not report.below:
        return {report.dimension: label}
    return dict(zip((report.dimension, *report.below), path, strict=False))
