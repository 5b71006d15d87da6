"""Rows as the preparation of a report leaves them."""

from typing import Any

from footfall.archiving.datatable import Row


def noted(row: Row) -> dict[str, Any]:
    """Show what is noted beside the row: for TableReport.metadata, where the preparation describes rows."""
    return row.metadata


def only_zeroes(label: str | int) -> Row:
    """A row without visits, for reports that have the same rows whatever happened."""
    return Row({"label": label, "nb_visits": 0})
