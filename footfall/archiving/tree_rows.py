"""Rows that make a tree, and what is in them: metrics, what describes them, and goals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from footfall.archiving.paths import ROOT, Path, Paths


@dataclass(frozen=True)
class TreeRows:
    """The rows of a tree, most important first.

    Args:
        metrics: their columns.
        paths: the paths of labels that rows may have.
        path_of: for each row the number of its path; null for a row that has none and counts in the summary row. By
            default rows have the paths in their order, and rows beyond the last path have none.
        optional: metrics that a row does not have when they are null.
        leaves_only: metrics that folders do not have, because they cannot be summed.
        leaf_notes: the metadata of leaves, by name: a text for each row, of which that of a leaf's first row counts.
        folder_notes: the metadata of folders, by name: for each row what stands before the path (`/docs/api`) of the
            folders that it is in, of which that of a folder's first row counts.
        goals: the goal columns of rows, as `tree_goals` describes them.
        subtable_notes: what is noted about each subtable as a whole, for Matomo alone: nothing here reads it.
    """

    metrics: pl.DataFrame
    paths: Paths
    path_of: pl.Series | None = None
    optional: frozenset[str] = frozenset()
    leaves_only: frozenset[str] = frozenset()
    leaf_notes: Mapping[str, pl.Series] = field(default_factory=dict)
    folder_notes: Mapping[str, pl.Series] = field(default_factory=dict)
    goals: pl.DataFrame | None = None
    subtable_notes: Mapping[str, Any] = field(default_factory=dict)

    def row_paths(self) -> list[Path | None]:
        """The path of each row; None for none."""
        labels = self.paths.labels
        if self.path_of is None:
            return [*labels, *[None] * (self.metrics.height - len(labels))]
        return [None if number is None else labels[number] for number in self.path_of]

    def row_nodes(self) -> pl.Series:
        """The node in which the path of each row ends: ROOT for a row without a path, null for one without a node."""
        ends = self.paths.ends
        if self.path_of is None:
            return ends.extend_constant(ROOT, self.metrics.height - len(ends))
        return pl.select(
            pl.when(self.path_of.is_null()).then(pl.lit(ROOT, ends.dtype)).otherwise(ends.gather(self.path_of))
        ).to_series()
