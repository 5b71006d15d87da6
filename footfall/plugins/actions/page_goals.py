"""What pages had to do with conversions: those that a visit saw before it converted, and the one it began with.

The formulas are the reference's (conformance `archives`, the goal columns of Actions_actions_url).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from footfall.archiving.metrics import ABANDONED_CART, ORDER
from footfall.archiving.tree_goals import GOAL, ROW
from footfall.plugins.actions.measuring import PAGE_TITLE, PAGE_URL, Kind

if TYPE_CHECKING:
    from footfall.archiving.daylog import DayLog

READS: Final = {
    "log_link_visit_action": ("server_time",),
    "log_conversion": ("idgoal", "server_time", "revenue", "buster"),
}

_TYPES: Final[dict[Kind, int]] = {"url": PAGE_URL, "name": PAGE_TITLE}
# Of several conversions of a goal in a visit one says how many pages came before: the first in the order in which the
# reference's database reads them. For all visits that is by time, for those of a segment by a signed key. The key of an
# order is a hash of its id, that of a goal is random in the reference, so that we take the time here too.
_BY_KEY: Final = (
    pl.when(pl.col(GOAL) == ORDER)
    .then(pl.col("buster").cast(pl.UInt32).reinterpret(signed=True).cast(pl.Int64))
    .otherwise(pl.col("server_time").cast(pl.Int64))
)
_RANK: Final = 2**32  # more than there are page views of a visit: makes one number of a conversion and their count
_PAGE, _CONVERSION, _SEEN, _REVENUE = "idaction", "conversion", "seen", pl.col("revenue")


def goals_of_pages(log: DayLog, kind: Kind, pages: pl.DataFrame) -> pl.DataFrame | None:
    """The goal columns of pages, or of titles, as TreeGoals takes them; None when nothing was converted.

    Args:
        pages: their `idaction` and `entry_nb_visits`, in the order of their rows.
    """
    if log.conversions.is_empty():
        return None
    conversions = (
        log.conversions.select("idvisit", GOAL, "server_time", "revenue", "buster")
        .sort(_BY_KEY if log.is_part else "server_time")
        .drop("buster")
        .with_row_index(_CONVERSION)
    )
    rows = pages.select(_PAGE, "entry_nb_visits").with_row_index(ROW)
    columns = _of_seen(log, kind, conversions, rows).join(
        _of_entries(log, kind, conversions, rows), on=[ROW, GOAL], how="full", coalesce=True
    )
    return columns.sort(ROW, GOAL)


def _of_seen(log: DayLog, kind: Kind, conversions: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Conversions by the pages seen before: each view of a page has the same part in them."""
    types = log.names.filter(pl.col("type") == _TYPES[kind]).select(_PAGE)
    converting = conversions.select("idvisit").unique()
    views = (
        log.actions.select("idvisit", pl.col(f"idaction_{kind}").alias(_PAGE), viewed="server_time")
        .join(converting, on="idvisit", how="semi")
        .join(types, on=_PAGE, how="semi")
    )
    seen = (
        conversions.join(views, on="idvisit")
        .filter(pl.col("viewed") <= pl.col("server_time"))
        .drop("viewed", "server_time")
        .with_columns(pl.len().over(_CONVERSION).alias(_SEEN))
    )
    is_counted = pl.col(GOAL) != ABANDONED_CART
    part = 1 / pl.col(_SEEN)
    by_visit = seen.group_by("idvisit", GOAL, _PAGE).agg(
        pl.len().alias("nb_conversions"),
        _REVENUE.sum().alias("revenue"),
        (_RANK * pl.col(_CONVERSION).cast(pl.UInt64) + pl.col(_SEEN)).min().alias("first"),
        part.round(4).sum().alias("nb_conversions_attrib"),
        (_REVENUE.cast(pl.Float32).cast(pl.Float64) * _cut(part)).sum().round(2).alias("revenue_attrib"),
    )
    by_page = (
        by_visit.with_columns((pl.col("first") % _RANK).alias("first"))
        .group_by(_PAGE, GOAL)
        .agg(
            pl.col("nb_conversions").sum(),
            pl.col("nb_conversions").sum().alias("nb_conversions_page_uniq"),
            pl.col("revenue").sum().round(2),
            pl.col("first").max().alias("nb_conv_pages_before"),
            pl.col("nb_conversions_attrib").sum().round(4),
            pl.lit(0).alias("nb_conversions_page_rate"),
            pl.col("revenue_attrib").sum().round(2),
        )
    )
    shares = ("nb_conv_pages_before", "nb_conversions_attrib", "nb_conversions_page_rate", "revenue_attrib")
    return (
        by_page.with_columns(pl.when(is_counted).then(pl.col(name)).alias(name) for name in shares)
        .join(rows.select(_PAGE, ROW), on=_PAGE)
        .drop(_PAGE)
    )


def _cut(part: pl.Expr) -> pl.Expr:
    """A share as MariaDB has it in further computations: cut after nine digits, which decides how halves round."""
    return (part * 1e9).floor() / 1e9


def _of_entries(log: DayLog, kind: Kind, conversions: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Conversions by the page that their visit began with, carts aside."""
    entries = log.visits.select("idvisit", pl.col(f"visit_entry_idaction_{kind}").alias(_PAGE))
    by_page = (
        conversions.filter(pl.col(GOAL) != ABANDONED_CART)
        .join(entries, on="idvisit")
        .group_by(_PAGE, GOAL)
        .agg(nb_conversions_entry=pl.len(), revenue_entry=_REVENUE.sum().round(2))
    )
    return by_page.join(rows, on=_PAGE).select(
        ROW,
        GOAL,
        "nb_conversions_entry",
        "revenue_entry",
        nb_conversions_entry_rate=_per_entry("nb_conversions_entry"),
        revenue_per_entry=_per_entry("revenue_entry"),
    )


def _per_entry(column: str) -> pl.Expr:
    """A column by visits that began with the page, halves of the third digit rounded up."""
    return (pl.col(column) / pl.col("entry_nb_visits")).round(3, mode="half_away_from_zero")
