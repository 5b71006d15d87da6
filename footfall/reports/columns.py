"""Which columns of rows are shown."""

from collections.abc import Collection

from footfall.archiving.datatable import DataTable

_LABEL = "label"


def show_columns(table: DataTable, shown: Collection[str], hidden: Collection[str]) -> None:
    """Leave out columns of the rows at every level, in place; the label stays.

    Args:
        shown: the only ones to show; empty for all.
        hidden: those not to show.
    """
    if not shown and not hidden:
        return
    for row in table:
        row.columns = {
            name: value
            for name, value in row.columns.items()
            if name == _LABEL or (name not in hidden and (not shown or name in shown))
        }
        if row.subtable is not None:
            show_columns(row.subtable, shown, hidden)
