"""Makes a table with subtables from a few rows, one after the other; `large_tree` makes the same of many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from footfall.archiving.datatable import DataTable, Row
from footfall.archiving.records import BlobRecord, Combine
from footfall.archiving.summing import SUMMARY_LABEL, add_columns
from footfall.archiving.tree_goals import GOALS, goals_by_row, shown_goals
from footfall.archiving.tree_rows import TreeRows

Columns = dict[str, Any]


def small_tree(rows: TreeRows, record: BlobRecord) -> DataTable:
    """The table of these rows, within its limits."""
    return _SmallTree(rows, record).table()


@dataclass(slots=True)
class _Node:
    """A leaf or a folder; the root is a folder.

    Args:
        total: of all rows in it; of the root, of rows without a path.
        inside: what is in a folder, by label.
    """

    is_leaf: bool = False
    metadata: dict[str, str] = field(default_factory=dict)
    total: Columns = field(default_factory=dict)
    inside: dict[str, _Node] = field(default_factory=dict)


class _SmallTree:
    def __init__(self, rows: TreeRows, record: BlobRecord) -> None:
        self._rows, self._record = rows, record
        self._metrics = rows.metrics.columns
        self._root = _Node()
        for columns, nodes in zip(self._columns(), self._nodes(), strict=True):
            for node in nodes:
                self._add(node.total, columns)

    def table(self) -> DataTable:
        return self._table(self._root, self._record.max_rows, [self._root.total] if self._root.total else [])

    # The nodes

    def _columns(self) -> Iterator[Columns]:
        """The columns of each row."""
        goals = goals_by_row(self._rows.goals) if self._rows.goals is not None else {}
        for number, columns in enumerate(self._rows.metrics.iter_rows(named=True)):
            yield {**columns, GOALS: goals[number]} if number in goals else columns

    def _nodes(self) -> Iterator[list[_Node]]:
        """The nodes that each row counts in, made where they are missing."""
        leaf_notes, folder_notes = _lists(self._rows.leaf_notes), _lists(self._rows.folder_notes)
        for number, path in enumerate(self._rows.row_paths()):
            if path is None:
                yield [self._root]
                continue
            nodes, way = [self._root], ""
            for depth, label in enumerate(path, start=1):
                is_leaf = depth == len(path)
                if is_leaf and not label:
                    break
                way += f"/{label}"
                inside = nodes[-1].inside
                if label not in inside:
                    inside[label] = _Node(
                        is_leaf,
                        {name: texts[number] for name, texts in leaf_notes.items()}
                        if is_leaf
                        else {name: texts[number] + way for name, texts in folder_notes.items()},
                    )
                nodes.append(inside[label])
            yield nodes[1:]

    def _add(self, total: Columns, columns: Mapping[str, Any]) -> None:
        for goal in columns.get(GOALS, ()):
            total.setdefault(GOALS, {}).setdefault(goal, {})  # of its own: members of arrays are added in place
        add_columns(total, columns, self._record.combine)

    # The table

    def _table(self, folder: _Node, most: int, folded: Sequence[Columns]) -> DataTable:
        """The table of a folder, of at most so many rows.

        Args:
            folded: what its summary row stands for, whatever the limit.
        """
        record, inside = self._record, list(folder.inside.items())
        if len(inside) + len(folded) > most:
            inside.sort(key=lambda item: item[1].total.get(record.sort_column) or 0, reverse=True)
            folded = [*folded, *(self._shown(node) for _, node in inside[most - 1 :])]
            inside = inside[: most - 1]
        rows = [
            Row(
                {"label": label, **self._shown(node)},
                node.metadata,
                None if node.is_leaf else self._table(node, record.max_subtable_rows, ()),
            )
            for label, node in inside
        ]
        notes = {} if folder is self._root else self._rows.subtable_notes
        return DataTable(rows, self._summary(folded) if folded else None, notes)

    def _summary(self, folded: Sequence[Columns]) -> Row:
        total: Columns = {}
        for columns in folded:
            self._add(total, columns)
        return Row({"label": SUMMARY_LABEL, **self._sum_shown(total, self._metrics)})

    def _shown(self, node: _Node) -> Columns:
        """The columns of a node's row."""
        if not node.is_leaf:
            return self._sum_shown(node.total, [name for name in self._metrics if name not in self._rows.leaves_only])
        droppable = self._rows.optional | self._rows.leaves_only
        names = [name for name in self._metrics if node.total[name] is not None or name not in droppable]
        return _with_goals({name: node.total[name] for name in names}, node.total)

    def _sum_shown(self, total: Columns, metrics: Sequence[str]) -> Columns:
        """The columns of a row that others are part of: a sum of nothing is 0, or missing where it may be."""
        columns = {}
        for name in metrics:
            value = total.get(name)
            if value is None and name not in self._rows.optional and self._is_summed(name):
                value = 0
            if value is not None or name not in self._rows.optional:
                columns[name] = value
        return _with_goals(columns, total)

    def _is_summed(self, name: str) -> bool:
        return self._record.combine.get(name, Combine.SUM) is Combine.SUM


def _with_goals(columns: Columns, total: Columns) -> Columns:
    return {**columns, GOALS: shown_goals(total[GOALS])} if GOALS in total else columns


def _lists(texts: Mapping[str, pl.Series]) -> dict[str, list[str]]:
    return {name: values.to_list() for name, values in texts.items()}
