"""What pages had to do with conversions: those that a visit saw before it converted, and the one it began with.

The formulas are the reference's (conformance `archives`, the goal columns of Actions_actions_url).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
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
_CONVERSIONS_AT_ONCE: Final = 200_000  # with the actions of their visits, for the sake of memory
_SUMS: Final = (
    pl.col("nb_conversions").sum(),
    _REVENUE.sum(),
    pl.col("nb_conv_pages_before").max(),
    pl.col("nb_conversions_attrib").sum(),
    pl.col("revenue_attrib").sum(),
)
_SHARES: Final = ("nb_conv_pages_before", "nb_conversions_attrib", "nb_conversions_page_rate", "revenue_attrib")


def goals_of_pages(log: DayLog, pages: Mapping[Kind, pl.DataFrame]) -> dict[Kind, pl.DataFrame]:
    """The goal columns of pages and of titles, as `tree_goals` describes them; none when nothing was converted.

    Args:
        pages: their `idaction` and `entry_nb_visits`, in the order of their rows.
    """
    if log.conversions.is_empty():
        return {}
    return _PageGoals(log, {kind: rows.with_row_index(ROW) for kind, rows in pages.items()}).columns()


class _PageGoals:
    """The goal columns of pages of all kinds.

    Each cell, a goal of a row, has one number, made of those of the row and of the goal; so has each part that a visit
    has in it. Polars sorts and groups by one number in half the time that it takes for several.

    Args:
        pages: by kind, with the number of their row under ROW.
    """

    def __init__(self, log: DayLog, pages: Mapping[Kind, pl.DataFrame]) -> None:
        self._log = log
        self._pages = pages
        self._conversions = (
            log.conversions.select("idvisit", GOAL, "server_time", "revenue", "buster")
            .sort(_BY_KEY if log.is_part else "server_time", maintain_order=True)
            .drop("buster")
            .with_row_index(_CONVERSION)
            .with_columns(_dense("idvisit").alias(_VISIT), _dense(GOAL).alias(_GOAL_NUMBER))
        )
        self._goals = self._conversions[GOAL].unique().sort()
        self._visits = self._conversions[_VISIT].n_unique()

    def columns(self) -> dict[Kind, pl.DataFrame]:
        """The columns, by kind."""
        seen, entered = self._seen(), self._entered()
        return {kind: self._shown(seen[kind], entered[kind]) for kind in self._pages}

    def _shown(self, seen: pl.DataFrame, entered: pl.DataFrame) -> pl.DataFrame:
        """The columns of all cells, with the row and the goal that each stands for."""
        columns = seen.join(entered, on=_CELL, how="full", coalesce=True, maintain_order="left_right")
        cell, count = columns[_CELL], len(self._goals)
        return columns.select(
            (cell // count).cast(pl.UInt32).alias(ROW),
            self._goals.gather(cell % count).alias(GOAL),
            pl.exclude(_CELL),
        ).with_columns(pl.when(pl.col(GOAL) != ABANDONED_CART).then(pl.col(name)).alias(name) for name in _SHARES)

    def _cell(self) -> pl.Expr:
        return pl.col(ROW).cast(pl.UInt64) * len(self._goals) + pl.col(_GOAL_NUMBER).cast(pl.UInt64)

    # Pages seen before

    def _seen(self) -> dict[Kind, pl.DataFrame]:
        """Conversions by the pages seen before, some visits after the other."""
        total: dict[Kind, pl.DataFrame] = {}
        places = {kind: self._places(kind) for kind in self._pages}
        for views in self._views():
            for kind, found in places.items():
                cells = self._of_seen(views.rename({f"idaction_{kind}": _PAGE}), found)
                total[kind] = _sum(total[kind], cells) if kind in total else cells
        return {kind: _rounded(cells) for kind, cells in total.items()}

    def _places(self, kind: Kind) -> pl.DataFrame:
        """The row of each action of a kind, null for one without a row."""
        names = self._log.names
        actions = names.filter(pl.col("type") == _TYPES[kind]).select(_PAGE)
        return actions.join(self._pages[kind].select(_PAGE, ROW), on=_PAGE, how="left")

    def _views(self) -> Iterator[pl.DataFrame]:
        """The actions before each conversion, in the order of conversions."""
        actions = self._log.actions.select("idvisit", "idaction_url", "idaction_name", viewed="server_time")
        count = -(-self._conversions.height // _CONVERSIONS_AT_ONCE)
        if count == 1:
            yield _before(self._conversions, actions)
            return
        # Visits are cut by their ids, so that all that belongs to one is seen at once.
        ids = self._conversions["idvisit"].unique().sort()
        firsts = [ids[len(ids) * number // count] for number in range(count)]
        for first, end in zip_longest(firsts, firsts[1:]):
            is_inside = pl.col("idvisit") >= first
            if end is not None:
                is_inside &= pl.col("idvisit") < end
            yield _before(self._conversions.filter(is_inside), actions.filter(is_inside))

    def _of_seen(self, views: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
        """The cells of conversions by the pages seen before: each view of a page has the same part in them."""
        share = 1 / pl.col(_SEEN)
        seen = (
            views.select(_CONVERSION, _PAGE)
            .join(places, on=_PAGE, maintain_order="left")
            .with_columns(pl.len().over(_CONVERSION).alias(_SEEN))
            .filter(pl.col(ROW).is_not_null())
        )
        parts = (
            seen.with_columns(
                self._conversions[name].gather(seen[_CONVERSION]) for name in (_VISIT, _GOAL_NUMBER, "revenue")
            )
            .select((self._cell() * self._visits + pl.col(_VISIT).cast(pl.UInt64)).alias(_PART), _SEEN, "revenue")
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
            .agg(_SUMS)
        )

    # Pages that visits began with

    def _entered(self) -> dict[Kind, pl.DataFrame]:
        """Conversions by the page that their visit began with, carts aside."""
        entries = (
            self._conversions.lazy()
            .filter(pl.col(GOAL) != ABANDONED_CART)
            .join(
                self._log.visits.lazy().select("idvisit", "visit_entry_idaction_url", "visit_entry_idaction_name"),
                on="idvisit",
            )
            .select(_GOAL_NUMBER, "revenue", "visit_entry_idaction_url", "visit_entry_idaction_name")
            .collect()
        )
        return {kind: self._of_entries(kind, entries, rows) for kind, rows in self._pages.items()}

    def _of_entries(self, kind: Kind, entries: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
        return (
            entries.select(pl.col(f"visit_entry_idaction_{kind}").alias(_PAGE), _GOAL_NUMBER, "revenue")
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


def _before(conversions: pl.DataFrame, actions: pl.DataFrame) -> pl.DataFrame:
    """The actions that the visits of conversions had seen by then (_CONVERSION and the ids of an action)."""
    return (
        conversions.lazy()
        .select(_CONVERSION, "idvisit", "server_time")
        .join(actions.lazy(), on="idvisit", maintain_order="left")
        .filter(pl.col("viewed") <= pl.col("server_time"))
        .select(_CONVERSION, "idaction_url", "idaction_name")
        .collect()
    )


def _sum(first: pl.DataFrame, second: pl.DataFrame) -> pl.DataFrame:
    """The cells of all visits from those of some and of the others."""
    return pl.concat([first, second]).group_by(_CELL, maintain_order=True).agg(_SUMS)


def _rounded(cells: pl.DataFrame) -> pl.DataFrame:
    """The columns of cells as they are stored."""
    return cells.select(
        _CELL,
        "nb_conversions",
        pl.col("nb_conversions").alias("nb_conversions_page_uniq"),
        _REVENUE.round(2),
        "nb_conv_pages_before",
        pl.col("nb_conversions_attrib").round(4),
        pl.lit(0).alias("nb_conversions_page_rate"),
        pl.col("revenue_attrib").round(2),
    )


def _dense(column: str) -> pl.Expr:
    """The values of a column numbered from 0, in their order."""
    return pl.col(column).rank("dense") - 1


def _cut(share: pl.Expr) -> pl.Expr:
    """A share as MariaDB has it in further computations: cut after nine digits, which decides how halves round."""
    return (share * 1e9).floor() / 1e9


def _per_entry(column: str) -> pl.Expr:
    """A column by visits that began with the page, halves of the third digit rounded up."""
    return (pl.col(column) / pl.col("entry_nb_visits")).round(3, mode="half_away_from_zero")
