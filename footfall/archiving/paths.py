"""The paths of labels by which rows belong into a tree, and the nodes that these paths lead through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain
from typing import Final

import polars as pl

Path = Sequence[str]

ROOT: Final = 0
NODE, PARENT, LABEL, IS_LEAF, DEPTH, WAY = "node", "parent", "label", "is_leaf", "depth", "way"
_NUMBER, _LENGTH = "number", "length"
_ROOT_NODE: Final = pl.DataFrame(
    {PARENT: [ROOT], LABEL: [""], IS_LEAF: [False], DEPTH: [0], WAY: [""]},
    schema={PARENT: pl.UInt32, LABEL: pl.String, IS_LEAF: pl.Boolean, DEPTH: pl.UInt32, WAY: pl.String},
)


class Paths:
    """Paths from the root of a tree to a leaf each, numbered from 0.

    Args:
        labels: of each path, from below the root on; one whose last label is empty ends in the folder above.
    """

    def __init__(self, labels: Sequence[Path]) -> None:
        self.labels = labels

    @property
    def nodes(self) -> pl.DataFrame:
        """By the number of a node its `parent`, its `label`, whether it `is_leaf`, its `depth` (1 below the root), and
        its `way`: the labels from the root to it, a slash before each. Node 0 is the root.
        """
        return self._nodes_and_ends[0]

    @property
    def ends(self) -> pl.Series:
        """By the number of a path the node in which it ends; null where it has no label but an empty one."""
        return self._nodes_and_ends[1]

    @cached_property
    def _nodes_and_ends(self) -> tuple[pl.DataFrame, pl.Series]:
        numbers = pl.select(pl.int_range(len(self.labels), dtype=pl.UInt32).alias(_NUMBER))
        here = numbers.with_columns(pl.lit(ROOT, pl.UInt32).alias(PARENT), pl.lit("").alias(WAY))
        count, levels, reached = 1, [_ROOT_NODE], [pl.DataFrame(schema={_NUMBER: pl.UInt32, NODE: pl.UInt32})]
        for steps in self._steps(numbers):
            steps = here.join(steps, on=_NUMBER)
            level = steps.unique([PARENT, LABEL], keep="first", maintain_order=True).select(
                PARENT, LABEL, IS_LEAF, DEPTH, pl.concat_str(WAY, pl.lit("/"), LABEL)
            )
            nodes = level.select(PARENT, LABEL, WAY).with_row_index(NODE, offset=count)
            here = (
                steps.select(_NUMBER, PARENT, LABEL)
                .join(nodes, on=[PARENT, LABEL])
                .select(_NUMBER, pl.col(NODE).alias(PARENT), WAY)
            )
            levels.append(level)
            reached.append(here.select(_NUMBER, pl.col(PARENT).alias(NODE)))
            count += level.height
        # Nodes further down have larger numbers.
        last = pl.concat(reached).group_by(_NUMBER).agg(pl.col(NODE).max())
        return pl.concat(levels), numbers.join(last, on=_NUMBER, how="left", maintain_order="left")[NODE]

    def _steps(self, numbers: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """For each depth the labels of the paths that go so far; an empty label at the end is none."""
        steps = (
            numbers.with_columns(pl.Series(_LENGTH, [len(path) for path in self.labels], pl.UInt32))
            .select(
                pl.col(_NUMBER, _LENGTH).repeat_by(_LENGTH).explode(),
                pl.int_ranges(1, pl.col(_LENGTH) + 1, dtype=pl.UInt32).explode().alias(DEPTH),
            )
            .with_columns(
                pl.Series(LABEL, list(chain.from_iterable(self.labels)), pl.String),
                (pl.col(DEPTH) == pl.col(_LENGTH)).alias(IS_LEAF),
            )
        )
        yield from steps.filter(~pl.col(IS_LEAF) | (pl.col(LABEL) != "")).partition_by(DEPTH, maintain_order=True)
