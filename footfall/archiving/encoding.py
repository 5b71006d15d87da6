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
    for run in _runs(frame, droppable):
        lacks = _lacks(run[0], droppable)
        texts = _texts(run, all_have=not lacks)
        pieces += [pl.concat_str(texts)] if lacks else texts
    some = [pl.col(name).is_not_null() for name in frame.columns if name in droppable]
    return Columns(pl.sum_horizontal(pl.lit(frame.width - len(some), pl.UInt32), *some), tuple(pieces))


def _lacks(values: pl.Series, droppable: Collection[str]) -> bool:
    """Whether some rows do not have a column."""
    return values.name in droppable and values.null_count() > 0


def _runs(frame: pl.DataFrame, droppable: Collection[str]) -> list[list[pl.Series]]:
    """The columns, those together that follow each other and that the same rows have."""
    runs: list[list[pl.Series]] = []
    for values in frame.get_columns():
        lacks, before = _lacks(values, droppable), runs[-1][0] if runs else None
        if (
            before is not None
            and lacks == _lacks(before, droppable)
            and (not lacks or bool((values.is_null() == before.is_null()).all()))
        ):
            runs[-1].append(values)
        else:
            runs.append([values])
    return runs


def _texts(columns: Sequence[pl.Series], *, all_have: bool) -> list[pl.Expr]:
    """The pieces of text of columns in the rows that have them.

    Args:
        all_have: whether all rows have them: then null is a value.
    """
    pieces: list[pl.Expr] = []
    between = ""  # what every row has at this place
    for values in columns:
        key = dump_key(COLUMN_IDS.get(values.name, values.name)).decode()
        kind = "d:" if values.dtype.is_float() else "i:"
        nulls = values.null_count()
        if all_have and nulls in (0, len(values)) and values.min() == values.max():
            between += key + dumps(values[0]).decode()
        elif all_have and nulls:
            pieces += (pl.lit(between + key), pl.concat_str(pl.lit(kind), _digits(values)).fill_null("N"))
            between = ";"
        else:
            pieces += (pl.lit(between + key + kind), _digits(values))
            between = ";"
    return [*pieces, pl.lit(between)]


def _digits(values: pl.Series) -> pl.Expr:
    column = pl.col(values.name)
    if not values.dtype.is_float():
        return column.cast(pl.String)
    size = values.abs()
    if ((values == 0) | ((size >= _SMALLEST) & (size < _LARGEST))).all():
        return column.cast(pl.String).str.strip_suffix(".0")
    return pl.lit(pl.Series(values.name, [None if v is None else float_text(v) for v in values.to_list()], pl.String))
