"""The goal columns of a tree's rows: an array from the id of a goal to its columns, in each row that has any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from footfall.archiving.encoding import Encoded, encode_columns
from footfall.archiving.metrics import COLUMN_IDS, GOAL_COLUMN_IDS
from footfall.archiving.phpserialize import dump_key

ROW, GOAL = "row", "idgoal"
_NODE = "__node"
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
        self._metrics = [str(GOAL_COLUMN_IDS[name]) for name in goals.columns if name not in (ROW, GOAL)]
        self._sums = [pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()) for name in self._metrics]
        places = pl.DataFrame(
            {
                ROW: [*range(len(leaf_of)), *row_numbers],
                _NODE: [*leaf_of, *folder_of],
            },
            schema={ROW: pl.UInt32, _NODE: pl.UInt32},
        )
        placed = (
            goals.rename({name: str(number) for name, number in GOAL_COLUMN_IDS.items()}, strict=False)
            .with_columns(pl.col(ROW).cast(pl.UInt32))
            .join(places, on=ROW)
        )
        self._goals = placed.group_by(_NODE, GOAL).agg(self._sums).sort(_NODE, GOAL)

    def of(self, nodes: Mapping[int, int]) -> dict[int, bytes]:
        """The column as it stands in stored rows, for those that have it.

        Args:
            nodes: from node to the row whose column it is part of.
        """
        members = pl.DataFrame(
            {_NODE: list(nodes), ROW: list(nodes.values())}, schema={_NODE: pl.UInt32, ROW: pl.UInt32}
        )
        found = self._goals.join(members, on=_NODE).group_by(ROW, GOAL).agg(self._sums).sort(ROW, GOAL)
        pieces: dict[int, list[bytes]] = {}
        encoded = encode_columns(found.select(self._metrics), self._metrics)
        for row, goal, columns in zip(found[ROW].to_list(), found[GOAL].to_list(), encoded, strict=True):
            pieces.setdefault(row, []).append(_goal(goal, columns))
        return {row: b"%ba:%d:{%b}" % (_KEY, len(goals), b"".join(goals)) for row, goals in pieces.items()}


def _goal(idgoal: int, encoded: Encoded) -> bytes:
    count, columns = encoded
    return b"i:%d;a:%d:{%b}" % (idgoal, count, columns)
