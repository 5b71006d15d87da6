"""Finds the one row that a request names by its label, or by the labels above it and its own."""

from urllib.parse import unquote_plus

from footfall.archiving.datatable import DataTable, Row
from footfall.reports.report import TableReport

_BELOW = ">"
_LEAF = "@"


def find_row(table: DataTable, report: TableReport, wanted: str) -> DataTable:
    """A table of the row named, or an empty one.

    Args:
        wanted: `docs`, or `docs > install`: each part URL-encoded once more, so that a label may hold `>`. A part that
            begins with `@` means a row with nothing below it: a page, not the folder of the same name.
    """
    found: Row | None = None
    for part in wanted.split(_BELOW):
        found = _named(table, report, part.strip())
        if found is None:
            return DataTable()
        table = found.subtable or DataTable()
    return DataTable([found]) if found is not None else DataTable()


def _named(table: DataTable, report: TableReport, part: str) -> Row | None:
    label = unquote_plus(part.removeprefix(_LEAF)).strip()
    is_leaf = part.startswith(_LEAF)
    for candidate in _spellings(label, is_leaf):
        for row in table:
            if row.label == candidate and not (is_leaf and row.subtable_id is not None):
                return row
    if report.shown_label is not None:
        return next((row for row in table.rows if report.shown_label(row.label) == label), None)
    return None


def _spellings(label: str, is_leaf: bool) -> tuple[str, ...]:
    """How the label may be archived: pages begin with a slash, titles with a space."""
    return (f" {label}", f"/{label}", label) if is_leaf else (label, f" {label}")
