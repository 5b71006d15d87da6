"""What is counted about visits by a dimension: the columns that most reports share, conversions by goal included.

On a small day dimensions are aggregated together: the values of several are laid one below the other and grouped at
once, which costs a tenth of grouping by each.

The columns and their rounding are the reference's (conformance `archives`, DevicesDetection_types say): of carts only
the items are known, of orders each part of the revenue, and the totals of a row leave carts out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import add
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from footfall.archiving.datatable import DataTable, Row
from footfall.archiving.daylog import total
from footfall.archiving.metrics import ABANDONED_CART, GOAL_COLUMN_IDS, ORDER
from footfall.archiving.records import BlobRecord, Combine, RecordBuilder, columns_read

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
Key = tuple[Any, ...]
Columns = dict[str, Any]

_FEW_ROWS = 20_000
_DIMENSION, _VALUE, _GOAL = "dimension", "value", "idgoal"

_ACTIONS = pl.col("visit_total_actions").fill_null(0)
_VISIT_METRICS: Final[Keys] = {
    "nb_uniq_visitors": pl.col("idvisitor").n_unique(),
    "nb_visits": pl.len(),
    "nb_actions": total("visit_total_actions"),
    "nb_users": pl.col("user_id").drop_nulls().n_unique(),
    "max_actions": _ACTIONS.max(),
    "sum_visit_length": total("visit_total_time"),
    "bounce_count": (_ACTIONS <= 1).sum(),
    "nb_visits_converted": (pl.col("visit_goal_converted") == 1).sum(),
}
_GOAL_METRICS: Final[Keys] = {
    "nb_conversions": pl.len(),
    "nb_visits_converted": pl.col("idvisit").n_unique(),
    **{name: pl.col(name).sum().round(2) for name in CONVERSION_READS if name.startswith("revenue")},
    "items": total("items"),
}
# The names of the columns of a row of visits, goals aside.
VISIT_COLUMNS: Final = tuple(_VISIT_METRICS)
_MAX_ACTIONS = VISIT_COLUMNS.index("max_actions")
_TOTALLED = ("nb_conversions", "revenue")
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
    if log.conversions.is_empty():
        conversions = {}
    rows = columns_by(
        _each_by(visits_by, log.visits, VISIT_READS, visits),
        _each_by(conversions_by, log.conversions, ("idvisit", *CONVERSION_READS), conversions) if conversions else None,
        _DIMENSION,
        _VALUE,
    )
    found = {d.record.name: DataTable() for d in dimensions}
    labels = {d.record.name: d.label for d in dimensions}
    for (name, value), columns in rows.items():
        found[name].rows.append(Row({"label": labels[name](value), **columns}))
    return found


@dataclass(frozen=True)
class DimensionTables:
    """What computes the tables of some dimensions, for RecordBuilder.compute.

    Args:
        dimensions: for the log of a day.
        finish: makes what is archived from the tables by record.
    """

    dimensions: Callable[[DayLog], Sequence[VisitDimension]]
    finish: Callable[[dict[str, DataTable]], dict[str, DataTable]] = dict

    def __call__(self, log: DayLog) -> dict[str, DataTable]:
        return self.finish(tables(log, self.dimensions(log)))


def together(builders: Iterable[RecordBuilder]) -> tuple[RecordBuilder, ...]:
    """The same builders, those of dimensions as one: most of the time of a small day goes into the groupings."""
    found, members, parts = [], [], []
    for builder in builders:
        if isinstance(builder.compute, DimensionTables):
            members.append(builder)
            parts.append(builder.compute)
        else:
            found.append(builder)

    def compute(log: DayLog) -> dict[str, DataTable]:
        dimensions = [part.dimensions(log) for part in parts]
        computed = tables(log, [dimension for own in dimensions for dimension in own])
        finished = (
            part.finish({dimension.record.name: computed[dimension.record.name] for dimension in own})
            for part, own in zip(parts, dimensions, strict=True)
        )
        return {name: table for own in finished for name, table in own.items()}

    records = tuple(record for builder in members for record in builder.records)
    return (*found, RecordBuilder(records, columns_read(members), compute)) if members else tuple(found)


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


def columns_by(
    visits: pl.DataFrame,
    conversions: pl.DataFrame | None,
    *keys: str,
    rows: Callable[[Key], Iterable[Key]] = lambda values: (values,),
    rows_of_goals: Callable[[Key], Iterable[Key]] | None = None,
) -> dict[Key, Columns]:
    """The columns of each row, by its key: its values in these dimensions.

    Args:
        visits: made by `visits_by` with these keys.
        conversions: made by `conversions_by` with the same; None for rows without goals.
        keys: the dimensions.
        rows: the keys of the rows that the counts of these values belong to, where that is another or several.
            Visitors are summed with the rest; the most actions of a visit stay the most.
        rows_of_goals: the same for goals, where that differs.
    """
    width = len(keys)
    counted: dict[Key, list[float]] = {}
    for row in visits[[*keys, *_VISIT_METRICS]].rows():
        for key in rows(row[:width]):
            present = counted.get(key)
            counted[key] = list(row[width:]) if present is None else _visit_sum(present, row[width:])
    found: dict[Key, Columns] = {key: dict(zip(_VISIT_METRICS, counts, strict=True)) for key, counts in counted.items()}
    if conversions is not None:
        for key, goals in _goals_by(conversions, keys, rows_of_goals or rows).items():
            found.setdefault(key, {}).update(_goal_columns(goals))
    return found


def _visit_sum(present: Sequence[float], counts: Sequence[float]) -> list[float]:
    total = list(map(add, present, counts))
    total[_MAX_ACTIONS] = max(present[_MAX_ACTIONS], counts[_MAX_ACTIONS])
    return total


def _goals_by(
    conversions: pl.DataFrame, keys: Sequence[str], rows: Callable[[Key], Iterable[Key]]
) -> dict[Key, dict[int, list[float]]]:
    """The counts of each goal of each row."""
    width = len(keys)
    found: dict[Key, dict[int, list[float]]] = {}
    for row in conversions[[*keys, _GOAL, *_GOAL_METRICS]].rows():
        idgoal, counts = row[width], row[width + 1 :]
        for key in rows(row[:width]):
            goals = found.setdefault(key, {})
            goals[idgoal] = list(map(add, goals[idgoal], counts)) if idgoal in goals else list(counts)
    return found


def _goal_columns(goals: Mapping[int, Sequence[float]]) -> Columns:
    """The columns of a row about goals: each goal's own, by id of goal and of column, and their totals, carts aside."""
    columns: dict[int, dict[int, float]] = {}
    totals = dict.fromkeys(_TOTALLED, 0.0)
    for idgoal, counts in goals.items():
        values = dict(zip(_GOAL_METRICS, counts, strict=True))
        columns[idgoal] = {GOAL_COLUMN_IDS[name]: values[name] for name in _OF_GOAL.get(idgoal, _OF_ANY_GOAL)}
        if idgoal != ABANDONED_CART:
            for name in _TOTALLED:
                totals[name] += values[name]
    return {"goals": columns, **totals}


def _named(keys: Keys) -> list[pl.Expr]:
    return [key.alias(name) for name, key in keys.items()]


def _each_by(
    count: Callable[[pl.DataFrame, Keys], pl.DataFrame], rows: pl.DataFrame, columns: Sequence[str], dimensions: Keys
) -> pl.DataFrame:
    """What there is to count by each of the dimensions, its name and value beside it."""
    values = {name: value.cast(pl.String).fill_null("") for name, value in dimensions.items()}
    if rows.height * len(values) > _FEW_ROWS:
        parts = [(name, count(rows, {_VALUE: value})) for name, value in values.items()]
        return pl.concat([part.select(pl.lit(name).alias(_DIMENSION), pl.all()) for name, part in parts])
    stacked = rows.select(*columns, **values).unpivot(
        on=list(values), index=list(columns), variable_name=_DIMENSION, value_name=_VALUE
    )
    return count(stacked, {_DIMENSION: pl.col(_DIMENSION), _VALUE: pl.col(_VALUE)})
