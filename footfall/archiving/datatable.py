"""The table that records are made of: rows of named columns, each with metadata and perhaps a subtable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Value = int | float | str | None


@dataclass(slots=True)
class Row:
    """One row.

    Args:
        columns: metric values by name (`nb_visits`), the label under `label`.
        metadata: what describes the row and is no metric (`url`), by name.
        subtable: the rows below this one.
        subtable_id: the id under which the subtable is stored, for a table read without its subtables.
    """

    columns: dict[str, Any]
    metadata: dict[str, Any] = field(default_factory=dict)
    subtable: DataTable | None = None
    subtable_id: int | None = None

    @property
    def label(self) -> str:
        return str(self.columns.get("label", ""))


@dataclass(slots=True)
class DataTable:
    """Rows in order, and the summary row ("Others") that stands for the rows beyond a limit.

    Args:
        notes: about the table as a whole, for Matomo alone: they are stored, and nothing here reads them.
    """

    rows: list[Row] = field(default_factory=list)
    summary: Row | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Row]:
        """The rows, the summary row last."""
        yield from self.rows
        if self.summary is not None:
            yield self.summary

    def __len__(self) -> int:
        return len(self.rows) + (self.summary is not None)
