"""What is counted about visits by a dimension: the columns that most reports share, conversions by goal included.

Dimensions are aggregated together: the values of several are laid one below the other and grouped at once, which for a
small day costs a tenth of grouping by each, and for a large one no more.

The columns and their rounding are the reference's (conformance `archives`, DevicesDetection_types say): of carts only
the items are known, of orders each part of the revenue, and the totals of a row leave carts out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from footfall.archiving.datatable import DataTable, Row
from footfall.archiving.metrics import ABANDONED_CART, GOAL_COLUMN_IDS, ORDER
from footfall.archiving.records import BlobRecord, Combine

if TYPE_CHECKING:
    from footfall.archiving.daylog import DayLog

# The columns of log_visit and log_conversion that are read here, dimensions aside: for RecordBuilder.reads.
VISIT_READS: Final = ("idvisitor", "user_id", "visit_total_actions", "visit_total_time", "visit_goal_converted")
CONVERSION_READS: Final = (
    "idgoal",
    "revenue",
    "revenue_subtotal",
    "revenue_tax",
    "revenue_shipping",
    "revenue_discount",
    "items",
)
# How visit columns are put together in higher periods and folders: for BlobRecord.combine.
VISIT_COMBINE: Final[Mapping[str, Combine]] = {"max_actions": Combine.MAX}

Keys = Mapping[str, pl.Expr]
Columns = dict[str, Any]

_ROWS_AT_ONCE = 400_000
_DIMENSION, _VALUE, _GOAL = "dimension", "value", "idgoal"

_ACTIONS = pl.col("visit_total_actions").fill_null(0).cast(pl.Int64)
_VISIT_METRICS: Final[Keys] = {
    "nb_uniq_visitors": pl.col("idvisitor").n_unique(),
    "nb_visits": pl.len(),
    "nb_actions": _ACTIONS.sum(),
    "nb_users": pl.col("user_id").drop_nulls().n_unique(),
    "max_actions": _ACTIONS.max(),
    "sum_visit_length": pl.col("visit_total_time").cast(pl.Int64).sum(),
    "bounce_count": (_ACTIONS <= 1).sum(),
    "nb_visits_converted": (pl.col("visit_goal_converted") == 1).sum(),
}
_GOAL_METRICS: Final[Keys] = {
    "nb_conversions": pl.len(),
    "nb_visits_converted": pl.col("idvisit").n_unique(),
    **{name: pl.col(name).sum().round(2) for name in CONVERSION_READS if name.startswith("revenue")},
    "items": pl.col("items").cast(pl.Int64).sum(),
}
# The names of the columns of a row of visits, goals aside.
VISIT_COLUMNS: Final = tuple(_VISIT_METRICS)
_OF_ANY_GOAL = ("nb_conversions", "nb_visits_converted", "revenue")
_OF_GOAL = {ORDER: tuple(_GOAL_METRICS), ABANDONED_CART: (*_OF_ANY_GOAL, "items")}


@dataclass(frozen=True)
class VisitDimension:
    """A table with one row for each value that a dimension of visits has.

    Args:
        record: the table.
        visits: the value for each row of log_visit, null for none.
        conversions: the same for each row of log_conversion; None for a table without goals.
        label: from a value as text, empty for none, to the label of its row.
    """

    record: BlobRecord
    visits: pl.Expr
    conversions: pl.Expr | None = None
    label: Callable[[str], str | int] = str


def visit_record(name: str, max_rows: int = 500, max_subtable_rows: int = 500) -> BlobRecord:
    """The declaration of a table with visit columns; 500 rows are what the reference keeps by default."""
    return BlobRecord(name, max_rows, max_subtable_rows, combine=VISIT_COMBINE)


def joined(*columns: str) -> pl.Expr:
    """The values of several columns as one, a semicolon between them; null is empty."""
    return pl.concat_str([pl.col(column).cast(pl.String).fill_null("") for column in columns], separator=";")


def number_label(value: str) -> str | int:
    """The label in a dimension whose values are whole numbers."""
    return int(value) if value.isdecimal() else value


def tables(log: DayLog, dimensions: Sequence[VisitDimension]) -> dict[str, DataTable]:
    """The tables of several dimensions, by record."""
    visits = {d.record.name: d.visits for d in dimensions}
    conversions = {d.record.name: d.conversions for d in dimensions if d.conversions is not None}
    found = {d.record.name: DataTable() for d in dimensions}
    labels = {d.record.name: d.label for d in dimensions}
    keys = {_DIMENSION: pl.col(_DIMENSION), _VALUE: pl.col(_VALUE)}
    rows = columns_by(
        pl.concat([visits_by(part, keys) for part in _stacked(log.visits, VISIT_READS, visits)]),
        pl.concat(
            [
                conversions_by(part, keys)
                for part in _stacked(log.conversions, ("idvisit", *CONVERSION_READS), conversions)
            ]
        )
        if conversions
        else None,
        *keys,
    )
    for (name, value), columns in rows.items():
        found[name].rows.append(Row({"label": labels[name](value), **columns}))
    return found


def visits_by(visits: pl.DataFrame, keys: Keys, extra: Keys | None = None) -> pl.DataFrame:
    """The visit columns by several dimensions together, in the order of their values.

    Args:
        visits: rows of log_visit.
        keys: the dimensions by the name of their column.
        extra: more columns to aggregate.
    """
    grouped = visits.group_by(*_named(keys)).agg(**_VISIT_METRICS, **(extra or {}))
    return grouped.sort(*keys)


def conversions_by(conversions: pl.DataFrame, keys: Keys) -> pl.DataFrame:
    """The goal columns by several dimensions and `idgoal` together, in the order of their values."""
    grouped = conversions.group_by(*_named(keys), _GOAL).agg(**_GOAL_METRICS)
    return grouped.sort(*keys, _GOAL)


def summed(frame: pl.DataFrame, *keys: str) -> pl.DataFrame:
    """What `visits_by` or `conversions_by` counted by more dimensions, put together by fewer."""
    keys = (*keys, _GOAL) if _GOAL in frame.columns else keys
    metrics = [name for name in (*_VISIT_METRICS, *_GOAL_METRICS) if name in frame.columns]
    columns = dict.fromkeys(metrics)
    combined = [pl.col(c).max() if VISIT_COMBINE.get(c) is Combine.MAX else pl.col(c).sum() for c in columns]
    return frame.group_by(*keys).agg(combined).sort(*keys)


def columns_by(visits: pl.DataFrame, conversions: pl.DataFrame | None, *keys: str) -> dict[tuple[Any, ...], Columns]:
    """The columns of each row, by its values in these dimensions.

    Args:
        visits: made by `visits_by` or `summed`, with these keys.
        conversions: made by `conversions_by` or `summed`, with the same; None for rows without goals.
        keys: the dimensions.
    """
    metrics = visits.select(*_VISIT_METRICS)
    found: dict[tuple[Any, ...], Columns] = dict(
        zip(visits.select(*keys).rows(), metrics.rows(named=True), strict=True)
    )
    if conversions is not None:
        for values, goals in _goals(conversions, keys).items():
            found.setdefault(values, {}).update(goal_columns(goals))
    return found


def goal_columns(goals: Mapping[int, Mapping[int, float]]) -> Columns:
    """The columns of a row about goals: each goal's own, by id of goal and of column, and their totals, carts aside."""
    counted = [goal for idgoal, goal in goals.items() if idgoal != ABANDONED_CART]
    totals = {name: sum(goal[GOAL_COLUMN_IDS[name]] for goal in counted) for name in ("nb_conversions", "revenue")}
    return {"goals": dict(goals), **totals}


def _named(keys: Keys) -> list[pl.Expr]:
    return [key.alias(name) for name, key in keys.items()]


def _goals(conversions: pl.DataFrame, keys: Sequence[str]) -> dict[tuple[Any, ...], dict[int, dict[int, float]]]:
    found: dict[tuple[Any, ...], dict[int, dict[int, float]]] = {}
    rows = zip(
        conversions.select(*keys).rows(),
        conversions[_GOAL].to_list(),
        conversions.select(*_GOAL_METRICS).rows(named=True),
        strict=True,
    )
    for values, idgoal, metrics in rows:
        names = _OF_GOAL.get(idgoal, _OF_ANY_GOAL)
        found.setdefault(values, {})[idgoal] = {GOAL_COLUMN_IDS[name]: metrics[name] for name in names}
    return found


def _stacked(rows: pl.DataFrame, columns: Sequence[str], dimensions: Keys) -> list[pl.DataFrame]:
    """The rows once for each dimension, its name and value beside them; some dimensions at a time."""
    at_once = max(1, _ROWS_AT_ONCE // max(1, rows.height))
    names = list(dimensions)
    batches = [names[start : start + at_once] for start in range(0, len(names), at_once)]
    return [
        rows.select(*columns, **{name: dimensions[name].cast(pl.String).fill_null("") for name in batch}).unpivot(
            on=batch, index=list(columns), variable_name=_DIMENSION, value_name=_VALUE
        )
        for batch in batches
    ]
