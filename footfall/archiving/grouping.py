"""Rows under the labels that people read; rows that come to share one are put together."""

from collections.abc import Callable
from typing import Any

from footfall.archiving.datatable import DataTable, Row
from footfall.archiving.summing import add_columns
from footfall.archiving.visit_metrics import VISIT_COMBINE


def renamed(
    table: DataTable, name: Callable[[str], str], describe: Callable[[str], dict[str, Any]] | None = None
) -> DataTable:
    """The table with another label for each row, the summary row aside; the table given is used up.

    Args:
        table: of visit columns; rows that come to share a label are summed.
        name: from the archived label to the one shown.
        describe: from the archived label to what is shown beside the metrics, added to what the archive noted.
    """
    rows: dict[str, Row] = {}
    for row in table.rows:
        code = row.label
        label = name(code)
        if label in rows:
            add_columns(rows[label].columns, row.columns, VISIT_COMBINE)
            continue
        row.columns["label"] = label
        if describe is not None:
            row.metadata |= describe(code)
        rows[label] = row
    return DataTable(list(rows.values()), table.summary)
