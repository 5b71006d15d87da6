"""Serializes the metric columns of many rows at once, in polars, instead of value by value."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import polars as pl

from footfall.archiving.metrics import COLUMN_IDS
from footfall.archiving.phpserialize import dump_key, dumps, float_text

COUNT, TEXT = "count", "text"

# So many are serialized at once, for the sake of memory: each number is a text of its own before they are joined.
_ROWS_AT_ONCE: Final = 20_000
# Within these bounds polars writes a float as PHP does, but for the ".0" of whole numbers.
_SMALLEST, _LARGEST = 1e-3, 1e15
_NOTHING: Final = pl.DataFrame(schema={COUNT: pl.UInt32, TEXT: pl.String})


def encode_columns(frame: pl.DataFrame, droppable: Collection[str]) -> pl.DataFrame:
    """The rows' columns as they stand in stored rows: how many under `count`, one after the other under `text`.

    Args:
        frame: numbers only.
        droppable: columns that a row does not have where they are null; of others, null is stored.
    """
    return pl.concat([_NOTHING, *(_encoded(part, droppable) for part in frame.iter_slices(_ROWS_AT_ONCE))])


def _encoded(frame: pl.DataFrame, droppable: Collection[str]) -> pl.DataFrame:
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
    pieces.append(pl.lit(between))
    return frame.with_columns(
        pl.sum_horizontal(pl.lit(frame.width - len(some), pl.UInt32), *some).alias(COUNT),
        pl.concat_str(pieces, ignore_nulls=True).alias(TEXT),
    ).select(COUNT, TEXT)


def _digits(values: pl.Series) -> pl.Expr:
    column = pl.col(values.name)
    if not values.dtype.is_float():
        return column.cast(pl.String)
    size = values.abs()
    if ((values == 0) | ((size >= _SMALLEST) & (size < _LARGEST))).all():
        return column.cast(pl.String).str.strip_suffix(".0")
    return pl.lit(pl.Series(values.name, [None if v is None else float_text(v) for v in values.to_list()], pl.String))
