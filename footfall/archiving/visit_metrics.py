"""What is counted about visits by a dimension: the columns that most reports share, conversions by goal included.

Dimensions are aggregated together: the labels of several are laid one below the other and grouped at once, which for a
small day costs a tenth of a group for each, and for a large one no more. Labels are text.

The columns and their rounding are the reference's (conformance `archives`, DevicesDetection_types say): of carts
(`idgoal` -1) only the items are known, of orders (`idgoal` 0) each part of the revenue, and the sums of a row leave
carts out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from footfall.archiving.datatable import DataTable, Row
from footfall.archiving.metrics import GOAL_COLUMN_IDS
from footfall.archiving.records import BlobRecord, Combine

if TYPE_CHECKING:
    from footfall.archiving.daylog import DayLog

ABANDONED_CART: Final = -1
ORDER: Final = 0

# What the functions here read of each log table, dimensions aside.
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

_ROWS_AT_ONCE = 400_000
_DIMENSION, _LABEL, _GOAL = "__dimension", "__label", "idgoal"

_ACTIONS = pl.col("visit_total_actions").fill_null(0)
_VISIT_METRICS: Final[Mapping[str, pl.Expr]] = {
    "nb_uniq_visitors": pl.col("idvisitor").n_unique(),
    "nb_visits": pl.len(),
    "nb_actions": _ACTIONS.cast(pl.Int64).sum(),
    "nb_users": pl.col("user_id").drop_nulls().n_unique(),
    "max_actions": _ACTIONS.max(),
    "sum_visit_length": pl.col("visit_total_time").cast(pl.Int64).sum(),
    "bounce_count": (_ACTIONS <= 1).sum(),
    "nb_visits_converted": (pl.col("visit_goal_converted") == 1).sum(),
}
_GOAL_METRICS: Final[Mapping[str, pl.Expr]] = {
    "nb_conversions": pl.len(),
    "nb_visits_converted": pl.col("idvisit").n_unique(),
    "revenue": pl.col("revenue").sum().round(2),
    "revenue_subtotal": pl.col("revenue_subtotal").sum().round(2),
    "revenue_tax": pl.col("revenue_tax").sum().round(2),
    "revenue_shipping": pl.col("revenue_shipping").sum().round(2),
    "revenue_discount": pl.col("revenue_discount").sum().round(2),
    "items": pl.col("items").cast(pl.Int64).sum(),
}
_OF_EACH_GOAL = ("nb_conversions", "nb_visits_converted", "revenue")


@dataclass(frozen=True)
class VisitDimension:
    """A table with one row for each value that a dimension of visits has.

    Args:
        record: the table.
        visits: the value of each row of log_visit, null for none.
        conversions: the same of each row of log_conversion; None for a table without goals.
        label: from a value, empty for none, to the label of its row.
    """

    record: BlobRecord
    visits: pl.Expr
    conversions: pl.Expr | None = None
    label: Callable[[str], str | int] = str


def visit_record(name: str, max_rows: int = 500, max_subtable_rows: int = 500) -> BlobRecord:
    """The declaration of a table with these columns; 500 rows are the reference's standard."""
    return BlobRecord(name, max_rows, max_subtable_rows, combine=VISIT_COMBINE)


def number_label(value: str) -> str | int:
    """The label of a dimension whose values are whole numbers."""
    return int(value) if value.isdecimal() else value


def tables(log: DayLog, dimensions: Sequence[VisitDimension]) -> dict[str, DataTable]:
    """The tables of several dimensions, by record."""
    visits = _grouped(log.visits, VISIT_READS, {d.record.name: d.visits for d in dimensions}, (), _VISIT_METRICS)
    converted = {d.record.name: d.conversions for d in dimensions if d.conversions is not None}
    conversions = _grouped(
        log.conversions, ("idvisit", *CONVERSION_READS[1:]), converted, (_GOAL,), _GOAL_METRICS
    )
    visits_of = _by_dimension(visits)
    conversions_of = _by_dimension(conversions)
    return {
        d.record.name: table(visits_of.get(d.record.name, ()), conversions_of.get(d.record.name, ()), d.label)
        for d in dimensions
    }


def visits_by(visits: pl.DataFrame, *keys: pl.Expr, extra: Iterable[pl.Expr] = ()) -> pl.DataFrame:
    """The visit columns by several dimensions together.

    Args:
        visits: rows of log_visit.
        keys: the dimensions, named.
        extra: more columns to aggregate.
    """
    return visits.group_by(*keys).agg(**_VISIT_METRICS).sort(_names(keys)) if not extra else (
        visits.group_by(*keys).agg(*(e.alias(n) for n, e in _VISIT_METRICS.items()), *extra).sort(_names(keys))
    )
