"""Makes a table with subtables from rows with a path each: folders sum what is in them, limits apply at each level.

The sums are made in polars over all rows at once; Python only walks the paths.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import polars as pl

from footfall.archiving.blob import StoredRow, StoredTable, column_bytes
from footfall.archiving.encoding import Encoded, encode_columns
from footfall.archiving.records import BlobRecord, Combine
from footfall.archiving.tree_goals import TreeGoals

Path = Sequence[str]
SUMMARY_LABEL = -1
_NODE = "__node"
_NO_NODE = 2**32 - 1


@dataclass(frozen=True)
class TreeShape:
    """How a tree's rows look.

    Args:
        optional: columns that a row does not have when they are null.
        leaves_only: columns that folders do not have, because they cannot be summed.
        leaf_metadata: the metadata of a leaf from the number of its (first) row.
        folder_metadata: the metadata of a folder from the number of the first row in it, and its depth from 1.
    """

    optional: frozenset[str] = frozenset()
    leaves_only: frozenset[str] = frozenset()
    leaf_metadata: Callable[[int], dict[str, Any]] = lambda _: {}
    folder_metadata: Callable[[int, int], dict[str, Any]] = lambda *_: {}


@dataclass(slots=True)
class _Node:
    label: str
    number: int
    first_row: int
    depth: int
    is_leaf: bool
    children: list[_Node] = field(default_factory=list)


def combined(column: str, how: Combine, *, optional: bool = False) -> pl.Expr:
    """The expression that puts the values of a group together; a sum of nothing is null where `optional`."""
    values = pl.col(column)
    if how is Combine.MIN:
        return values.min()
    if how is Combine.MAX:
        return values.max()
    return pl.when(values.count() > 0).then(values.sum()).alias(column) if optional else values.sum()


def make_tree(
    rows: pl.DataFrame,
    paths: Sequence[Path],
    record: BlobRecord,
    shape: TreeShape,
    goals: pl.DataFrame | None = None,
) -> StoredTable:
    """The table whose leaves are `rows`, most important first.

    Args:
        rows: metric columns.
        paths: the labels from the root to the leaf of each row; a row whose last label is empty has no leaf, and
            counts in its folders alone. Rows beyond the last path go to the summary row.
        record: gives the limits, the sort column and how columns are combined.
        shape: which columns and metadata leaves and folders have.
        goals: the goal columns of rows, as TreeGoals takes them.
    """
    if not rows.height:
        return StoredTable()
    return _Tree(rows, paths, record, shape, goals).table()


class _Tree:
    def __init__(
        self,
        rows: pl.DataFrame,
        paths: Sequence[Path],
        record: BlobRecord,
        shape: TreeShape,
        goals: pl.DataFrame | None,
    ) -> None:
        self._record, self._shape = record, shape
        self._root = _Node("", 0, 0, 0, False)
        self._count = 1
        self._metrics = rows.columns
        leaf_of, row_numbers, folder_of = self._walk(paths)
        # Node 0 stands for the rows without a path until the summary row is made.
        leaf_of += [0] * (rows.height - len(leaf_of))
        numbered = rows.with_columns(pl.Series(_NODE, leaf_of, pl.UInt32))
        leaves = self._grouped(numbered) if len(set(leaf_of)) < len(leaf_of) else numbered
        if folder_of:
            inside = rows[row_numbers].with_columns(pl.Series(_NODE, folder_of, pl.UInt32))
            folders = self._grouped(inside).with_columns(pl.lit(None).alias(c) for c in shape.leaves_only)
            leaves = pl.concat([leaves, folders.select(leaves.columns)], how="vertical_relaxed")
        self._nodes = leaves
        sort = leaves.select(_NODE, record.sort_column)
        self._sort_value: Mapping[int, float] = dict(zip(*(sort[c].to_list() for c in sort.columns), strict=True))
        self._overflow = 0 in self._sort_value
        self._goals: TreeGoals | None = None
        if goals is not None and not goals.is_empty():
            self._goals = TreeGoals(goals, leaf_of, row_numbers, folder_of)

    def _walk(self, paths: Sequence[Path]) -> tuple[list[int], list[int], list[int]]:
        """Make the nodes; the leaf of each row, and row and folder for each row in each folder."""
        found: dict[tuple[int, str], _Node] = {}
        leaf_of, row_numbers, folder_of = [], [], []

        def below(parent: _Node, label: str, row: int, is_leaf: bool) -> _Node:
            node = found.get((parent.number, label))
            if node is None:
                node = _Node(label, self._count, row, parent.depth + 1, is_leaf)
                self._count += 1
                found[parent.number, label] = node
                parent.children.append(node)
            return node

        for number, path in enumerate(paths):
            node = self._root
            for label in path[:-1]:
                node = below(node, label, number, False)
                row_numbers.append(number)
                folder_of.append(node.number)
            leaf_of.append(below(node, path[-1], number, True).number if path[-1] else _NO_NODE)
        return leaf_of, row_numbers, folder_of

    def _grouped(self, frame: pl.DataFrame) -> pl.DataFrame:
        sums = _sums(tuple(self._metrics), tuple(self._record.combine.items()), self._shape.optional)
        return frame.group_by(_NODE, maintain_order=True).agg(sums)

    def table(self) -> StoredTable:
        kept, folded = self._choose()
        summaries = self._summaries(folded)
        return self._build(self._root, kept, self._values(kept), summaries)

    def _choose(self) -> tuple[dict[int, list[_Node]], dict[int, list[int]]]:
        """The children that each kept folder keeps, and those that its summary row stands for."""
        kept: dict[int, list[_Node]] = {}
        folded: dict[int, list[int]] = {0: [0]} if self._overflow else {}
        waiting = [self._root]
        while waiting:
            folder = waiting.pop()
            limit = self._record.max_subtable_rows if folder.number else self._record.max_rows
            children = folder.children
            if len(children) + (folder.number in folded) > limit:
                children = sorted(children, key=lambda node: self._sort_value[node.number] or 0, reverse=True)
                folded.setdefault(folder.number, []).extend(node.number for node in children[limit - 1 :])
                children = children[: limit - 1]
            kept[folder.number] = children
            waiting.extend(node for node in children if not node.is_leaf)
        return kept, folded

    def _summaries(self, folded: Mapping[int, list[int]]) -> dict[int, Encoded]:
        if not folded:
            return {}
        members = pl.DataFrame(
            {
                _NODE: [node for nodes in folded.values() for node in nodes],
                "folder": [folder for folder, nodes in folded.items() for _ in nodes],
            },
            schema={_NODE: pl.UInt32, "folder": pl.UInt32},
        )
        frame = self._nodes.join(members, on=_NODE).drop(_NODE).rename({"folder": _NODE})
        summaries = self._rows(self._grouped(frame))
        return self._with_goals(summaries, {node: folder for folder, nodes in folded.items() for node in nodes})

    def _values(self, kept: Mapping[int, list[_Node]]) -> dict[int, Encoded]:
        wanted = pl.Series([node.number for nodes in kept.values() for node in nodes], dtype=pl.UInt32)
        are_all = len(wanted) == self._nodes.height
        nodes = self._nodes if are_all else self._nodes.filter(pl.col(_NODE).is_in(wanted.implode()))
        values = self._rows(nodes)
        return self._with_goals(values, {number: number for number in values})

    def _with_goals(self, rows: dict[int, Encoded], nodes: Mapping[int, int]) -> dict[int, Encoded]:
        """The rows with their goal columns.

        Args:
            nodes: from node to the row whose columns it is part of.
        """
        if self._goals is not None:
            for number, goals in self._goals.of(nodes).items():
                count, columns = rows[number]
                rows[number] = (count + 1, columns + goals)
        return rows

    def _rows(self, frame: pl.DataFrame) -> dict[int, Encoded]:
        metrics = frame.select(self._metrics)
        encoded = encode_columns(metrics, self._shape.optional | self._shape.leaves_only)
        return dict(zip(frame[_NODE].to_list(), encoded, strict=True))

    def _build(
        self,
        folder: _Node,
        kept: Mapping[int, list[_Node]],
        values: dict[int, Encoded],
        summaries: Mapping[int, Encoded],
    ) -> StoredTable:
        """The table of a folder; its values are used up, which in large tables halves the memory needed."""
        table = StoredTable()
        for node in kept[folder.number]:
            row = _row(node.label, values.pop(node.number))
            if node.is_leaf:
                row.metadata = self._shape.leaf_metadata(node.first_row)
            else:
                row.metadata = self._shape.folder_metadata(node.first_row, node.depth)
                row.below = self._build(node, kept, values, summaries)
            table.rows.append(row)
        if folder.number in summaries:
            table.summary = _row(SUMMARY_LABEL, summaries[folder.number])
        return table


@lru_cache(maxsize=100)
def _sums(
    metrics: tuple[str, ...], combine: tuple[tuple[str, Combine], ...], optional: frozenset[str]
) -> list[pl.Expr]:
    how = dict(combine)
    return [combined(name, how.get(name, Combine.SUM), optional=name in optional) for name in metrics]


def _row(label: str | int, encoded: Encoded) -> StoredRow:
    count, columns = encoded
    return StoredRow(count + 1, column_bytes("label", label) + columns)
