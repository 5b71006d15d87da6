"""What pages had to do with conversions: those that a visit saw before it converted, and the one it began with.

The formulas are the reference's (conformance `archives`, the goal columns of Actions_actions_url).
"""

from __future__ import annotations

from collections.abc import Mapping
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
_PAGE, _CONVERSION, _VISIT, _SEEN, _REVENUE = "idaction", "conversion", "visit", "seen", pl.col("revenue")
_GOAL_NUMBER, _CELL, _PART = "goal_number", "cell", "part"
_SHARES: Final = ("nb_conv_pages_before", "nb_conversions_attrib", "nb_conversions_page_rate", "revenue_attrib")


def goals_of_pages(log: DayLog, pages: Mapping[Kind, pl.DataFrame]) -> dict[Kind, pl.DataFrame]:
    """The goal columns of pages and of titles, as `tree_goals` describes them; none when nothing was converted.

    Args:
        pages: their `idaction` and `entry_nb_visits`, in the order of their rows.
    """
    if log.conversions.is_empty():
        return {}
    goals = _PageGoals(log)
    return {kind: goals.of(kind, rows.with_row_index(ROW)) for kind, rows in pages.items()}


class _PageGoals:
    """The goal columns of pages of any kind.

    Each cell, a goal of a row, has one number, made of those of the row and of the goal; so has each part that a visit
    has in it. Polars sorts and groups by one number in half the time that it takes for several.
    """

    def __init__(self, log: DayLog) -> None:
        self._names = log.names
        self._conversions = (
            log.conversions.select("idvisit", GOAL, "server_time", "revenue", "buster")
            .sort(_BY_KEY if log.is_part else "server_time", maintain_order=True)
            .with_row_index(_CONVERSION)
            .with_columns(_dense("idvisit").alias(_VISIT), _dense(GOAL).alias(_GOAL_NUMBER))
        )
        self._goals = self._conversions[GOAL].unique().sort()
        self._visits = self._conversions[_VISIT].n_unique()
        self._views = (
            self._conversions.select(_CONVERSION, "idvisit", "server_time")
            .join(
                log.actions.select("idvisit", "idaction_url", "idaction_name", viewed="server_time"),
                on="idvisit",
                maintain_order="left",
            )
            .filter(pl.col("viewed") <= pl.col("server_time"))
        )
        self._entries = self._conversions.filter(pl.col(GOAL) != ABANDONED_CART).join(
            log.visits.select("idvisit", "visit_entry_idaction_url", "visit_entry_idaction_name"), on="idvisit"
        )

    def of(self, kind: Kind, rows: pl.DataFrame) -> pl.DataFrame:
        """The goal columns of the pages of a kind, which have the number of their row under ROW."""
        seen, entered = self._of_seen(kind, rows), self._of_entries(kind, rows)
        columns = seen.join(entered, on=_CELL, how="full", coalesce=True, maintain_order="left_right")
        cell, count = columns[_CELL], len(self._goals)
        return columns.select(
            (cell // count).cast(pl.UInt32).alias(ROW),
            self._goals.gather(cell % count).alias(GOAL),
            pl.exclude(_CELL),
        ).with_columns(pl.when(pl.col(GOAL) != ABANDONED_CART).then(pl.col(name)).alias(name) for name in _SHARES)

    def _cell(self) -> pl.Expr:
        return pl.col(ROW).cast(pl.UInt64) * len(self._goals) + pl.col(_GOAL_NUMBER)

    def _of_seen(self, kind: Kind, rows: pl.DataFrame) -> pl.DataFrame:
        """Conversions by the pages seen before: each view of a page has the same part in them."""
        pages = self._names.filter(pl.col("type") == _TYPES[kind]).select(_PAGE)
        share = 1 / pl.col(_SEEN)
        views = (
            self._views.select(_CONVERSION, pl.col(f"idaction_{kind}").alias(_PAGE))
            .join(pages.join(rows.select(_PAGE, ROW), on=_PAGE, how="left"), on=_PAGE, maintain_order="left")
            .with_columns(pl.len().over(_CONVERSION).alias(_SEEN))
            .filter(pl.col(ROW).is_not_null())
        )
        parts = (
            views.with_columns(
                self._conversions[name].gather(views[_CONVERSION]) for name in (_VISIT, _GOAL_NUMBER, "revenue")
            )
            .select((self._cell() * self._visits + pl.col(_VISIT)).alias(_PART), _SEEN, "revenue")
            .sort(_PART, maintain_order=True)
            .group_by(_PART, maintain_order=True)
            .agg(
                pl.len().alias("nb_conversions"),
                _REVENUE.sum(),
                pl.col(_SEEN).first().alias("nb_conv_pages_before"),
                share.round(4).sum().alias("nb_conversions_attrib"),
                (_REVENUE.cast(pl.Float32).cast(pl.Float64) * _cut(share)).sum().round(2).alias("revenue_attrib"),
            )
        )
        return (
            parts.with_columns((pl.col(_PART) // self._visits).alias(_CELL).set_sorted())
            .group_by(_CELL, maintain_order=True)
            .agg(
                pl.col("nb_conversions").sum(),
                pl.col("nb_conversions").sum().alias("nb_conversions_page_uniq"),
                _REVENUE.sum().round(2),
                pl.col("nb_conv_pages_before").max(),
                pl.col("nb_conversions_attrib").sum().round(4),
                pl.lit(0).alias("nb_conversions_page_rate"),
                pl.col("revenue_attrib").sum().round(2),
            )
        )

    def _of_entries(self, kind: Kind, rows: pl.DataFrame) -> pl.DataFrame:
        """Conversions by the page that their visit began with, carts aside."""
        return (
            self._entries.select(pl.col(f"visit_entry_idaction_{kind}").alias(_PAGE), _GOAL_NUMBER, "revenue")
            .join(rows.select(_PAGE, ROW, "entry_nb_visits"), on=_PAGE)
            .group_by(self._cell().alias(_CELL))
            .agg(
                pl.len().alias("nb_conversions_entry"),
                _REVENUE.sum().round(2).alias("revenue_entry"),
                pl.col("entry_nb_visits").first(),
            )
            .select(
                _CELL,
                "nb_conversions_entry",
                "revenue_entry",
                nb_conversions_entry_rate=_per_entry("nb_conversions_entry"),
                revenue_per_entry=_per_entry("revenue_entry"),
            )
        )


def _dense(column: str) -> pl.Expr:
    """The values of a column numbered from 0, in their order."""
    return pl.col(column).rank("dense").cast(pl.UInt64) - 1


def _cut(share: pl.Expr) -> pl.Expr:
    """A share as MariaDB has it in further computations: cut after nine digits, which decides how halves round."""
    return (share * 1e9).floor() / 1e9


def _per_entry(column: str) -> pl.Expr:
    """A column by visits that began with the page, halves of the third digit rounded up."""
    return (pl.col(column) / pl.col("entry_nb_visits")).round(3, mode="half_away_from_zero")
