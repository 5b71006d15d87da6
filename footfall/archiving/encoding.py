"""Serializes the metric columns of many rows at once, in polars, instead of value by value."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import polars as pl

from footfall.archiving.blob import column_bytes
from footfall.archiving.metrics import COLUMN_IDS
from footfall.archiving.phpserialize import dump_key, float_text

Encoded = tuple[int, bytes]  # the number of columns, and the columns one after the other

# A plan of forty columns costs polars 3 ms whatever the rows; up to so many rows Python is faster.
FEW_ROWS = 200
# So many are serialized at once, for the sake of memory: each number is a text of its own before they are joined.
_ROWS_AT_ONCE = 10_000
# Within these bounds polars writes a float as PHP does, but for the ".0" of whole numbers.
_SMALLEST, _LARGEST = 1e-3, 1e15


def encode_columns(frame: pl.DataFrame, droppable: Collection[str]) -> Iterable[Encoded]:
    """The rows' columns as they stand in stored rows.

    Args:
        frame: numbers only.
        droppable: columns that a row does not have where they are null; of others, null is stored.
    """
    return _one_by_one(frame, droppable) if frame.height <= FEW_ROWS else _at_once(frame, droppable)


def _one_by_one(frame: pl.DataFrame, droppable: Collection[str]) -> Iterable[Encoded]:
    names = frame.columns
    for values in frame.iter_rows():
        columns = [
            column_bytes(name, value)
            for name, value in zip(names, values, strict=True)
            if value is not None or name not in droppable
        ]
        yield len(columns), b"".join(columns)


def _at_once(frame: pl.DataFrame, droppable: Collection[str]) -> Iterable[Encoded]:
    for part in frame.iter_slices(_ROWS_AT_ONCE):
        for count, columns in _encoded(part, droppable).rows():
            yield count, columns.encode()


def encode_frame(frame: pl.DataFrame, droppable: Collection[str]) -> pl.DataFrame:
    """The rows' columns as they stand in stored rows: how many under `count`, one after the other under `columns`.

    Args:
        frame: numbers only.
        droppable: columns that a row does not have where they are null; of others, null is stored.
    """
    return pl.concat(_encoded(part, droppable) for part in frame.iter_slices(_ROWS_AT_ONCE))


def _encoded(frame: pl.DataFrame, droppable: Collection[str]) -> pl.DataFrame:
    pieces = frame.select(_piece(frame[name], name in droppable) for name in frame.columns)
    return pieces.select(
        count=pl.sum_horizontal(pl.all().is_not_null()),
        columns=pl.concat_str(pl.all(), ignore_nulls=True),
    )


def _piece(values: pl.Series, is_droppable: bool) -> pl.Expr:
    """Key and value of one column; null where the row does not have it."""
    key = dump_key(COLUMN_IDS.get(values.name, values.name)).decode()
    kind = "d" if values.dtype.is_float() else "i"
    text = pl.concat_str(pl.lit(f"{key}{kind}:"), _digits(values), pl.lit(";")).alias(values.name)
    return text if is_droppable else text.fill_null(f"{key}N;")


def _digits(values: pl.Series) -> pl.Expr:
    column = pl.col(values.name)
    if not values.dtype.is_float():
        return column.cast(pl.String)
    size = values.abs()
    if ((values == 0) | ((size >= _SMALLEST) & (size < _LARGEST))).all():
        return column.cast(pl.String).str.strip_suffix(".0")
    return pl.lit(pl.Series(values.name, [None if v is None else float_text(v) for v in values.to_list()], pl.String))
