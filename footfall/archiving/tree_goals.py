"""The goal columns of a tree's rows: an array from the id of a goal to its columns, in each row that has any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from footfall.archiving.encoding import FEW_ROWS, encode_columns, encode_frame
from footfall.archiving.metrics import COLUMN_IDS, GOAL_COLUMN_IDS
from footfall.archiving.phpserialize import dump_key

ROW, GOAL = "row", "idgoal"
_NODE, _TEXT = "__node", "text"
_KEY = dump_key(COLUMN_IDS["goals"])


class TreeGoals:
    """The goal columns of the nodes of a tree, folders having the sum of what is in them.

    Args:
        goals: for rows (their numbers under ROW) and goals (GOAL) the columns by name; null where there is none.
        leaf_of: the node of each row.
        row_numbers, folder_of: row and node for each row in each folder.
    """

    def __init__(
        self, goals: pl.DataFrame, leaf_of: Sequence[int], row_numbers: Sequence[int], folder_of: Sequence[int]
    ) -> None:
        goals = goals.rename({name: str(number) for name, number in GOAL_COLUMN_IDS.items()}, strict=False)
        goals = goals.with_columns(pl.col(ROW).cast(pl.UInt32))
        self._metrics = [name for name in goals.columns if name not in (ROW, GOAL)]
        self._sums = [_sum(name) if goals[name].null_count() else pl.col(name).sum() for name in self._metrics]
        leaves = goals.join(_places(range(len(leaf_of)), leaf_of), on=ROW).drop(ROW)
        if len(set(leaf_of)) < len(leaf_of):
            leaves = leaves.group_by(_NODE, GOAL).agg(self._sums)
        folders = goals.join(_places(row_numbers, folder_of), on=ROW).group_by(_NODE, GOAL).agg(self._sums)
        self._goals = pl.concat([leaves, folders.select(leaves.columns)])

    def of(self, nodes: Mapping[int, int]) -> dict[int, bytes]:
        """The column as it stands in stored rows, for those that have it.

        Args:
            nodes: from node to the row whose column it is part of.
        """
        members = pl.DataFrame(
            {_NODE: list(nodes), ROW: list(nodes.values())}, schema={_NODE: pl.UInt32, ROW: pl.UInt32}
        )
        found = self._goals.join(members, on=_NODE)
        if len(set(nodes.values())) < len(nodes):
            found = found.group_by(ROW, GOAL).agg(self._sums)
        found = found.sort(ROW, GOAL)
        arrays = self._few(found) if found.height <= FEW_ROWS else self._many(found)
        return {row: _KEY + array for row, array in arrays.items()}

    def _few(self, found: pl.DataFrame) -> dict[int, bytes]:
        pieces: dict[int, list[bytes]] = {}
        encoded = encode_columns(found.select(self._metrics), self._metrics)
        for row, goal, (count, columns) in zip(found[ROW].to_list(), found[GOAL].to_list(), encoded, strict=True):
            pieces.setdefault(row, []).append(b"i:%d;a:%d:{%b}" % (goal, count, columns))
        return {row: b"a:%d:{%b}" % (len(goals), b"".join(goals)) for row, goals in pieces.items()}

    def _many(self, found: pl.DataFrame) -> dict[int, bytes]:
        encoded = encode_frame(found.select(self._metrics), self._metrics)
        by_row = (
            encoded.select(found[ROW], pl.format("i:{};a:{}:{{{}}}", found[GOAL], "count", "columns").alias(_TEXT))
            .group_by(ROW)
            .agg(pl.len().alias("count"), pl.col(_TEXT).str.join(""))
        )
        arrays = by_row.select(ROW, pl.format("a:{}:{{{}}}", "count", _TEXT))
        return {row: text.encode() for row, text in arrays.rows()}


def _places(rows: Sequence[int], nodes: Sequence[int]) -> pl.DataFrame:
    return pl.DataFrame({ROW: rows, _NODE: nodes}, schema={ROW: pl.UInt32, _NODE: pl.UInt32})


def _sum(name: str) -> pl.Expr:
    """The sum of a column, null where there is nothing to sum."""
    return pl.when(pl.col(name).count() > 0).then(pl.col(name).sum())
