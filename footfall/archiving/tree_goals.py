"""The goal columns of a tree's rows: an array from the id of a goal to its columns, in each row that has any.

They come as a frame with a row for each row of the tree (its number under ROW) and goal (GOAL), columns by name, null
where there is none.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from footfall.archiving.encoding import texts_of
from footfall.archiving.metrics import COLUMN_IDS, GOAL_COLUMN_IDS
from footfall.archiving.node_sums import node_sums
from footfall.archiving.paths import NODE
from footfall.archiving.phpserialize import dump_key

ROW, GOAL = "row", "idgoal"
GOALS: Final = "goals"
GOALS_KEY: Final = dump_key(COLUMN_IDS[GOALS]).decode()
Goals = dict[int, dict[int, float]]


def goals_by_row(goals: pl.DataFrame) -> dict[int, Goals]:
    """The array of each row that has one: by id of the goal, then of the column."""
    ids = [GOAL_COLUMN_IDS[name] for name in goals.columns if name not in (ROW, GOAL)]
    found: dict[int, Goals] = {}
    for row, goal, *values in goals.select(ROW, GOAL, pl.exclude(ROW, GOAL)).rows():
        found.setdefault(row, {})[goal] = dict(zip(ids, values, strict=True))
    return found


def shown_goals(goals: Goals) -> Goals:
    """The array in the order of the goals, without columns that have no value."""
    return {
        goal: {number: value for number, value in columns.items() if value is not None}
        for goal, columns in sorted(goals.items())
    }


class NodeGoals:
    """The goal columns of the nodes of a tree, folders having the sum of what is in them.

    Args:
        goals: of rows.
        node_of: the node of each row; null for none.
        nodes: as in Paths.
    """

    def __init__(self, goals: pl.DataFrame, node_of: pl.Series, nodes: pl.DataFrame) -> None:
        goals = goals.rename({name: str(number) for name, number in GOAL_COLUMN_IDS.items()}, strict=False)
        self._metrics = [name for name in goals.columns if name not in (ROW, GOAL)]
        self._sums = [_sum(goals[name]) for name in self._metrics]
        placed = goals.select(node_of.gather(goals[ROW]).alias(NODE), GOAL, *self._metrics).drop_nulls(NODE)
        if node_of.n_unique() < len(node_of):
            placed = placed.group_by(NODE, GOAL).agg(self._sums)
        self._goals = node_sums(placed, nodes, (NODE, GOAL), self._sums)

    def of(self, kept: pl.DataFrame, folded: pl.DataFrame) -> pl.DataFrame:
        """The goals of stored rows (ROW, GOAL).

        Args:
            kept: nodes (NODE) with the stored row that they are.
            folded: nodes with the stored row that they are part of.
        """
        alone = self._goals.join(kept, on=NODE).select(ROW, GOAL, *self._metrics)
        summed = self._goals.join(folded, on=NODE).group_by(ROW, GOAL).agg(self._sums)
        return pl.concat([alone, summed], how="vertical_relaxed")

    def texts(self, goals: pl.DataFrame) -> pl.Series:
        """Goals of rows as they stand in their arrays."""
        return texts_of(
            goals,
            self._metrics,
            self._metrics,
            lambda columns: (
                *(pl.lit("i:"), pl.col(GOAL).cast(pl.String), pl.lit(";a:"), columns.count.cast(pl.String)),
                *(pl.lit(":{"), *columns.texts, pl.lit("}")),
            ),
        )


def _sum(values: pl.Series) -> pl.Expr:
    """The sum of a column, of whole numbers in 64 bits; null where there is nothing to sum."""
    column = pl.col(values.name).cast(pl.Int64) if values.dtype.is_integer() else pl.col(values.name)
    return pl.when(column.count() > 0).then(column.sum()) if values.null_count() else column.sum()
