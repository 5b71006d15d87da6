"""Sums for the nodes of a tree: a folder has that of all that is in it."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from footfall.archiving.paths import DEPTH, IS_LEAF, NODE, PARENT


def node_sums(rows: pl.DataFrame, nodes: pl.DataFrame, keys: Sequence[str], sums: Sequence[pl.Expr]) -> pl.DataFrame:
    """What leaves and folders have, from what leaves have and folders have beside their leaves.

    Args:
        rows: the node of each under NODE, a leaf once for the same further keys. Those of the root stay by themselves.
        nodes: as in Paths.
        keys: the columns that rows are told apart by, NODE and perhaps more.
        sums: how each other column is put together, under its own name.
    """
    depth, is_leaf = (nodes[name].gather(rows[NODE]) for name in (DEPTH, IS_LEAF))
    found, below = [], rows.clear()
    for level in range(deepest(depth), -1, -1):
        leaves, inside = (rows.filter((depth == level) & kind) for kind in (is_leaf, ~is_leaf))
        folders = pl.concat([inside, below], how="vertical_relaxed")
        if folders.height:
            folders = folders.group_by(keys).agg(sums).select(rows.columns)
        here = pl.concat([leaves, folders], how="vertical_relaxed")
        found.append(here)
        below = here.with_columns(nodes[PARENT].gather(here[NODE]).alias(NODE)) if level > 1 else rows.clear()
    return pl.concat(found, how="vertical_relaxed")


def deepest(depths: pl.Series) -> int:
    """The largest of some depths; 0 for none."""
    return max(depths.unique().to_list(), default=0)
