"""Serializes the metric columns of many rows at once, in polars, instead of value by value."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from footfall.archiving.metrics import COLUMN_IDS
from footfall.archiving.phpserialize import dump_key, dumps, float_text

_TEXT: Final = "text"
# So many are serialized at once, for the sake of memory: each number is a text of its own before they are joined.
_ROWS_AT_ONCE: Final = 20_000
# Within these bounds polars writes a float as PHP does, but for the ".0" of whole numbers.
_SMALLEST, _LARGEST = 1e-3, 1e15


@dataclass(frozen=True)
class Columns:
    """The metric columns of some rows as they stand in stored rows.

    Args:
        count: how many a row has.
        texts: the pieces of text that they are made of, null for what a row does not have.
    """

    count: pl.Expr
    texts: tuple[pl.Expr, ...]


def texts_of(
    rows: pl.DataFrame, metrics: Sequence[str], droppable: Collection[str], text: Callable[[Columns], Sequence[pl.Expr]]
) -> pl.Series:
    """A text of each row with its metrics in it.

    Args:
        metrics: the columns of numbers that are serialized.
        droppable: those of them that a row does not have where they are null; of others, null is stored.
        text: the pieces of the text, over all columns of the rows.
    """
    found = [pl.Series(dtype=pl.String)]
    for part in rows.iter_slices(_ROWS_AT_ONCE):
        pieces = text(_columns(part.select(metrics), droppable))
        found.append(part.with_columns(pl.concat_str(*pieces, ignore_nulls=True).alias(_TEXT))[_TEXT])
    return pl.concat(found)


def _columns(frame: pl.DataFrame, droppable: Collection[str]) -> Columns:
    pieces: list[pl.Expr] = []
    some = [pl.col(name).is_not_null() for name in frame.columns if name in droppable]
    between = ""  # what every row has at this place
    for values in frame.get_columns():
        key = dump_key(COLUMN_IDS.get(values.name, values.name)).decode()
        kind = "d:" if values.dtype.is_float() else "i:"
        nulls = values.null_count()
        if nulls and values.name in droppable:
            pieces += (pl.lit(between), pl.concat_str(pl.lit(key + kind), _digits(values), pl.lit(";")))
            between = ""
        elif nulls in (0, frame.height) and values.min() == values.max():
            between += key + dumps(values[0]).decode()
        elif nulls:
            pieces += (pl.lit(between + key), pl.concat_str(pl.lit(kind), _digits(values)).fill_null("N"))
            between = ";"
        else:
            pieces += (pl.lit(between + key + kind), _digits(values))
            between = ";"
    count = pl.sum_horizontal(pl.lit(frame.width - len(some), pl.UInt32), *some)
    return Columns(count, (*pieces, pl.lit(between)))


def _digits(values: pl.Series) -> pl.Expr:
    column = pl.col(values.name)
    if not values.dtype.is_float():
        return column.cast(pl.String)
    size = values.abs()
    if ((values == 0) | ((size >= _SMALLEST) & (size < _LARGEST))).all():
        return column.cast(pl.String).str.strip_suffix(".0")
    return pl.lit(pl.Series(values.name, [None if v is None else float_text(v) for v in values.to_list()], pl.String))
