"""Makes a table with subtables from rows with a path each: folders sum what is in them, limits apply at each level."""

from __future__ import annotations

from typing import Final

from footfall.archiving.blob import NO_TABLE, StoredTable, stored
from footfall.archiving.large_tree import large_tree
from footfall.archiving.records import BlobRecord
from footfall.archiving.small_tree import small_tree
from footfall.archiving.tree_rows import TreeRows

# A tree in columns costs polars 10 ms whatever the rows; up to so many rows Python is faster.
FEW_ROWS: Final = 200


def make_tree(rows: TreeRows, record: BlobRecord) -> StoredTable:
    """The table whose leaves are the rows, within the limits of its record.

    Args:
        record: gives the limits, the sort column and how columns are combined.
    """
    if rows.metrics.height > FEW_ROWS:
        return large_tree(rows, record)
    return stored(small_tree(rows, record)) if rows.metrics.height else NO_TABLE
