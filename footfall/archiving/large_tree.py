"""Makes a table with subtables from many rows, in columns from the first to the last: no row becomes a Python object.

The tree is made level by level: sums from the leaves up, then what the limits keep from the root down. Each row that is
kept becomes a text, and the texts of a table's rows are put together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl
from polars import selectors

from footfall.archiving.blob import CHUNK_SIZE, SUMMARY_KEY, StoredTable, column_bytes, notes_row
from footfall.archiving.encoding import texts_of
from footfall.archiving.node_sums import deepest, node_sums
from footfall.archiving.paths import DEPTH, IS_LEAF, LABEL, NODE, PARENT, ROOT, WAY
from footfall.archiving.phpserialize import dump_key, dumps
from footfall.archiving.records import BlobRecord, Combine
from footfall.archiving.summing import SUMMARY_LABEL
from footfall.archiving.tree_goals import GOAL, GOALS_KEY, ROW, NodeGoals
from footfall.archiving.tree_rows import TreeRows

_FIRST, _WEIGHT, _IS_CROWDED = "__first", "__weight", "__is_crowded"
_RANK, _TABLE, _BELOW = "__rank", "__table", "__below"
_GOALS, _GOALS_END, _METADATA, _TEXT = "__goals", "__goals_end", "__metadata", "__text"
_LABEL_KEY: Final = dump_key("label").decode()
_SUMMARY_LABEL: Final = column_bytes("label", SUMMARY_LABEL).decode()
_NOTHING: Final = dumps({})


def large_tree(rows: TreeRows, record: BlobRecord) -> StoredTable:
    """The table of these rows, at least one, within its limits."""
    return _LargeTree(rows, record).table()


def combined(column: str, how: Combine, *, optional: bool = False) -> pl.Expr:
    """The expression that puts the values of a group together; a sum of nothing is null where `optional`."""
    values = pl.col(column)
    if how is Combine.MIN:
        return values.min()
    if how is Combine.MAX:
        return values.max()
    return pl.when(values.count() > 0).then(values.sum()).alias(column) if optional else values.sum()


class _LargeTree:
    def __init__(self, rows: TreeRows, record: BlobRecord) -> None:
        self._rows, self._record = rows, record
        self._nodes = rows.paths.nodes
        self._metrics = rows.metrics.columns
        self._sums = [
            combined(c, record.combine.get(c, Combine.SUM), optional=c in rows.optional) for c in self._metrics
        ]

    def table(self) -> StoredTable:
        node_of = self._rows.row_nodes()
        values = self._values(node_of)
        chosen = self._chosen(values)
        stored = _stored_rows(chosen)
        kept, folded = _members(chosen, stored)
        rows = self._described(stored).with_columns(*self._columns(values, kept, folded))
        texts = self._texts(rows, self._goals(node_of, kept, folded))
        noted = self._rows.subtable_notes
        return StoredTable(_Tables(_row_counts(stored), texts, notes_row(noted) if noted else b""))

    # What nodes have

    def _values(self, node_of: pl.Series) -> pl.DataFrame:
        """The metrics of each node, and the first of the rows in it (_FIRST); of ROOT those of rows without a path."""
        sums = [pl.col(_FIRST).min(), *self._sums]
        # In 64 bits, for the sake of sums.
        metrics = self._rows.metrics.with_columns(selectors.integer().cast(pl.Int64))
        placed = metrics.with_columns(node_of.alias(NODE)).with_row_index(_FIRST).drop_nulls(NODE)
        if node_of.n_unique() < len(node_of):
            placed = placed.group_by(NODE).agg(sums).select(placed.columns)
        found = node_sums(placed, self._nodes, (NODE,), sums)
        is_folder = ~self._nodes[IS_LEAF].gather(found[NODE]) & (found[NODE] != ROOT)
        return found.with_columns(pl.when(~is_folder).then(pl.col(c)).alias(c) for c in self._rows.leaves_only)

    # What is kept of them

    def _chosen(self, values: pl.DataFrame) -> pl.DataFrame:
        """The nodes in kept folders: PARENT, and _RANK among its rows; null for one that its summary row stands for.

        What ROOT itself has is part of the root's summary row.
        """
        places = values.select(
            NODE,
            _FIRST,
            pl.col(self._record.sort_column).fill_null(0).alias(_WEIGHT),
            *(self._nodes[name].gather(values[NODE]).alias(name) for name in (PARENT, DEPTH, IS_LEAF)),
        )
        outside = places.filter(pl.col(NODE) == ROOT)
        found = [outside.with_columns(pl.lit(None, pl.Int64).alias(_RANK))]
        folders = pl.DataFrame({PARENT: [ROOT]}, schema_overrides={PARENT: pl.UInt32})
        most, taken = self._record.max_rows, outside.height
        for depth in range(1, 1 + deepest(places[DEPTH])):
            level = places.filter(pl.col(DEPTH) == depth).join(folders, on=PARENT, how="semi")
            found.append(_ranked(level, most, taken))
            is_kept_folder = pl.col(_RANK).is_not_null() & ~pl.col(IS_LEAF)
            folders = found[-1].filter(is_kept_folder).select(pl.col(NODE).alias(PARENT))
            most, taken = self._record.max_subtable_rows, 0
        return pl.concat(found)

    # What is stored of them

    def _columns(self, values: pl.DataFrame, kept: pl.DataFrame, folded: pl.DataFrame) -> pl.DataFrame:
        """The metrics of the stored rows, in their order."""
        alone = kept.join(values, on=NODE).select(ROW, *self._metrics)
        summed = folded.join(values, on=NODE).group_by(ROW).agg(self._sums)
        return pl.concat([alone, summed], how="vertical_relaxed").sort(ROW).drop(ROW)

    def _goals(self, node_of: pl.Series, kept: pl.DataFrame, folded: pl.DataFrame) -> pl.DataFrame:
        """The goals of the stored rows as they stand in their arrays (ROW, GOAL, _TEXT)."""
        if self._rows.goals is None:
            return pl.DataFrame(schema={ROW: pl.UInt32, GOAL: pl.Int64, _TEXT: pl.String})
        goals = NodeGoals(self._rows.goals, node_of, self._nodes)
        found = goals.of(kept, folded)
        return found.select(ROW, GOAL, goals.texts(found).alias(_TEXT))

    def _texts(self, rows: pl.DataFrame, goals: pl.DataFrame) -> pl.DataFrame:
        """What stands in the tables (_TABLE, _TEXT): of each row a beginning, its goals one by one, and an end."""
        counts = goals.group_by(ROW).len(_GOALS).with_columns(pl.lit("}").alias(_GOALS_END))
        rows = rows.join(counts, on=ROW, how="left", maintain_order="left")
        begin = texts_of(
            rows,
            self._metrics,
            self._rows.optional | self._rows.leaves_only,
            lambda columns: (
                *(pl.lit("i:"), pl.col(_RANK).fill_null(SUMMARY_KEY).cast(pl.String), pl.lit(";a:3:{i:0;a:")),
                (columns.count + 1 + pl.col(_GOALS).is_not_null()).cast(pl.String),
                *(pl.lit(":{"), pl.col(LABEL), *columns.texts),
                pl.format(f"{GOALS_KEY}a:{{}}:{{{{", _GOALS),
            ),
        )
        end = pl.concat_str(
            *(_GOALS_END, pl.lit("}i:1;"), _METADATA, pl.lit("i:3;")),
            pl.format("i:{};", _BELOW).fill_null("N;"),
            pl.lit("}"),
            ignore_nulls=True,
        )
        # The place of each as one number: that of the row, then 0 for its beginning, the goals, and its end.
        goal = goals[GOAL] - goals[GOAL].min() + 1
        width = 2 + max(goal.unique(), default=0)
        place = pl.col(ROW).cast(pl.Int64) * width
        parts = (
            rows.select(place, begin.alias(_TEXT)),
            goals.select(place + goal, _TEXT),
            rows.select(place + width - 1, end.alias(_TEXT)),
        )
        return pl.concat(parts).sort(ROW).select(pl.lit(rows[_TABLE]).gather(pl.col(ROW) // width), _TEXT)

    def _described(self, stored: pl.DataFrame) -> pl.DataFrame:
        """The stored rows with their LABEL and _METADATA, serialized."""
        label = pl.concat_str(pl.lit(_LABEL_KEY), _quoted(self._nodes[LABEL].gather(stored[NODE])))
        return stored.with_columns(
            label.fill_null(_SUMMARY_LABEL).alias(LABEL), self._metadata(stored).alias(_METADATA)
        )

    def _metadata(self, stored: pl.DataFrame) -> pl.Series:
        """What describes each stored row, as an array."""
        node, first, rows = stored[NODE], stored[_FIRST], self._rows
        way = self._nodes[WAY].gather(node)
        of_leaf = _array({name: texts.gather(first) for name, texts in rows.leaf_notes.items()})
        of_folder = _array({name: texts.gather(first) + way for name, texts in rows.folder_notes.items()})
        is_leaf = self._nodes[IS_LEAF].gather(node)
        return pl.select(
            pl.when(is_leaf).then(of_leaf).when(~is_leaf).then(of_folder).otherwise(pl.lit(_NOTHING.decode()))
        ).to_series()


@dataclass(frozen=True)
class _Tables:
    """The serialized tables in the order of their ids; they are made a chunk at a time, for the sake of memory.

    Args:
        counts: how many rows each has; a folder without anything in it has none.
        texts: what stands in them (_TABLE, _TEXT), in order.
        notes: the row with what is noted about each subtable; empty for none.
    """

    counts: Sequence[int]
    texts: pl.DataFrame
    notes: bytes

    def __iter__(self) -> Iterator[bytes]:
        tables = range(len(self.counts))
        ends = [self.texts[_TABLE].search_sorted(table) for table in tables[::CHUNK_SIZE]]
        for first, begin, end in zip(tables[::CHUNK_SIZE], ends, [*ends[1:], self.texts.height], strict=True):
            joined = self.texts[begin:end].group_by(_TABLE).agg(pl.col(_TEXT).str.join("").cast(pl.Binary))
            contents = dict(joined.rows())
            for table in tables[first : first + CHUNK_SIZE]:
                notes = self.notes if table else b""
                yield b"a:%d:{%b%b}" % (self.counts[table] + bool(notes), contents.pop(table, b""), notes)


def _ranked(level: pl.DataFrame, most: int, taken: int) -> pl.DataFrame:
    """The nodes of a level with their _RANK in their folder's table; null where it has no room.

    The largest stay where there are more than `most`, of which `taken` are there already; else all, as they came.
    """
    return (
        level.with_columns((pl.len().over(PARENT) + taken > most).alias(_IS_CROWDED))
        .sort(
            PARENT,
            pl.when(_IS_CROWDED).then(_WEIGHT).otherwise(pl.lit(0)),
            _FIRST,
            descending=[False, True, False],
        )
        .with_columns(pl.int_range(pl.len()).over(PARENT).alias(_RANK))
        .with_columns(pl.when(~pl.col(_IS_CROWDED) | (pl.col(_RANK) < most - 1)).then(_RANK))
        .drop(_IS_CROWDED)
    )


def _stored_rows(chosen: pl.DataFrame) -> pl.DataFrame:
    """The rows that are stored, numbered (ROW) in the order of their tables, the summary row of each last.

    Of each its _TABLE and its NODE (null for a summary row), and of a folder the id of the table below it (_BELOW).
    """
    kept = chosen.filter(pl.col(_RANK).is_not_null())
    ids = _table_ids(kept.filter(~pl.col(IS_LEAF)))
    summaries = chosen.filter(pl.col(_RANK).is_null()).select(PARENT).unique()
    return (
        pl.concat([kept.select(PARENT, _RANK, NODE, _FIRST), summaries], how="diagonal")
        .join(ids.select(pl.col(NODE).alias(PARENT), _TABLE), on=PARENT)
        .join(ids.select(NODE, pl.col(_TABLE).alias(_BELOW)), on=NODE, how="left")
        .sort(_TABLE, _RANK, nulls_last=True)
        .with_row_index(ROW)
    )


def _row_counts(stored: pl.DataFrame) -> list[int]:
    """How many rows each table has, by its id."""
    counts: dict[int, int] = dict(stored.group_by(_TABLE).len().rows())
    return [counts.get(table, 0) for table in range(1 + stored[_BELOW].count())]


def _table_ids(folders: pl.DataFrame) -> pl.DataFrame:
    """The id of each folder's table (_TABLE), the root's first, a table before those below it."""
    inside: dict[int, list[int]] = {}
    for parent, node in folders.sort(_RANK).select(PARENT, NODE).rows():
        inside.setdefault(parent, []).append(node)
    found, waiting = [], [ROOT]
    while waiting:
        found.append(waiting.pop())
        waiting += reversed(inside.get(found[-1], ()))
    return pl.DataFrame({NODE: found}, schema_overrides={NODE: folders.schema[NODE]}).with_row_index(_TABLE)


def _members(chosen: pl.DataFrame, stored: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The nodes with the stored row (ROW) that they are, and those with the summary row that they are part of."""
    kept = stored.select(NODE, ROW).drop_nulls(NODE)
    summaries = stored.filter(pl.col(NODE).is_null()).select(PARENT, ROW)
    folded = chosen.filter(pl.col(_RANK).is_null()).join(summaries, on=PARENT).select(NODE, ROW)
    return kept, folded


def _quoted(text: pl.Series) -> pl.Expr:
    """Texts as PHP serializes them."""
    return pl.format('s:{}:"{}";', text.str.len_bytes(), text)


def _array(texts: Mapping[str, pl.Series]) -> pl.Expr:
    """Arrays of texts by name, as PHP serializes them."""
    items = [piece for name, text in texts.items() for piece in (pl.lit(dump_key(name).decode()), _quoted(text))]
    return pl.concat_str(pl.lit(f"a:{len(texts)}:{{"), *items, pl.lit("}"))
