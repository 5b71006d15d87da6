"""What pages had to do with conversions: those that a visit saw before it converted, and the one it began with.

The formulas are the reference's (conformance `archives`, the goal columns of Actions_actions_url).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

import polars as pl

from footfall.archiving.daylog import total
from footfall.archiving.metrics import ABANDONED_CART, ORDER
from footfall.archiving.tree_goals import GOAL, ROW
from footfall.plugins.actions.measuring import PAGE_TITLE, PAGE_URL, Kind

if TYPE_CHECKING:
    from footfall.archiving.daylog import DayLog

READS: Final = {
    "log_link_visit_action": ("server_time",),
    "log_conversion": ("idgoal", "server_time", "revenue", "buster"),
}

_READ: Final = ["idvisit", GOAL, "server_time", "revenue", "buster"]
_VIEW: Final = ["idvisit", "idaction_url", "idaction_name", "server_time"]
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
_GOAL_NUMBER, _PAGE_NUMBER, _CELL, _PART = "goal_number", "page_number", "cell", "part"
_RANK, _RANKED, _BEFORE, _BEFORE_OF_SEGMENT = "rank", "ranked", "nb_conv_pages_before", "before_of_segment"
# For the sake of memory: a day with more conversions is worked some at a time, with the actions of their visits.
_FEW_CONVERSIONS: Final = 200_000
_CONVERSIONS_AT_ONCE: Final = 100_000
_SUMS: Final = (
    total("nb_conversions"),
    _REVENUE.sum(),
    pl.col(_BEFORE).max(),
    pl.col("nb_conversions_attrib").sum(),
    pl.col("revenue_attrib").sum(),
)
_SHARES: Final = (_BEFORE, "nb_conversions_attrib", "nb_conversions_page_rate", "revenue_attrib")


def goals_of_pages(log: DayLog, pages: Mapping[Kind, pl.DataFrame]) -> dict[Kind, pl.DataFrame]:
    """The goal columns of pages and of titles, as `tree_goals` describes them; none when nothing was converted.

    Args:
        pages: their `idaction` and `entry_nb_visits`, in the order of their rows.
    """
    if log.conversions.is_empty():
        return {}
    cells = log.of_day(_Cells.of)
    seen = _seen(log, cells)
    entries = _entries(log, cells)
    found = {}
    for kind, rows in pages.items():
        row_of = cells.pages[kind].join(rows.with_row_index(ROW), on=_PAGE, how="left", maintain_order="left")
        columns = _rounded(seen[kind]).join(
            _entered(kind, entries, cells, row_of), on=_CELL, how="full", coalesce=True, maintain_order="left_right"
        )
        found[kind] = cells.described(columns, row_of[ROW])
    return found


@dataclass(frozen=True)
class _Cells:
    """The numbers of cells, a goal of a page each; made of the numbers of the page and of the goal.

    Polars sorts and groups by one number in half the time that it takes for several.

    Args:
        pages: by kind, `idaction` in the order of their numbers (_PAGE_NUMBER).
        goals: in the order of their numbers.
    """

    pages: Mapping[Kind, pl.DataFrame]
    goals: pl.Series

    @classmethod
    def of(cls, log: DayLog) -> _Cells:
        """Of all pages and goals of a day."""
        pages = {
            kind: log.names.filter(pl.col("type") == number).select(_PAGE).with_row_index(_PAGE_NUMBER)
            for kind, number in _TYPES.items()
        }
        return cls(pages, log.conversions[GOAL].unique().sort())

    def numbered(self, conversions: pl.DataFrame) -> pl.DataFrame:
        """The conversions with the number of their goal."""
        return conversions.with_columns(self.goals.search_sorted(conversions[GOAL]).alias(_GOAL_NUMBER))

    @property
    def number(self) -> pl.Expr:
        """Of a cell, from those of page and goal."""
        return pl.col(_PAGE_NUMBER).cast(pl.UInt64) * len(self.goals) + pl.col(_GOAL_NUMBER)

    def described(self, columns: pl.DataFrame, row_of: pl.Series) -> pl.DataFrame:
        """The columns of cells by ROW and GOAL; those of pages without a row are left out.

        Args:
            row_of: by the number of a page.
        """
        cell, count = columns[_CELL], len(self.goals)
        return (
            columns.select(
                row_of.gather(cell // count).alias(ROW), self.goals.gather(cell % count).alias(GOAL), pl.exclude(_CELL)
            )
            .filter(pl.col(ROW).is_not_null())
            .with_columns(pl.when(pl.col(GOAL) != ABANDONED_CART).then(pl.col(name)).alias(name) for name in _SHARES)
        )


# Pages seen before


def _seen(log: DayLog, cells: _Cells) -> dict[Kind, pl.DataFrame]:
    """Conversions by the pages seen before."""
    before = _BEFORE_OF_SEGMENT if log.day else _BEFORE
    found: dict[Kind, pl.DataFrame] = {}
    for parts in _parts(log, cells):
        for kind, of_visits in parts.items():
            own = _summed(of_visits.with_columns(pl.col(before).alias(_BEFORE)))
            found[kind] = _summed(pl.concat([found[kind], own])) if kind in found else own
    return found


def _summed(cells: pl.DataFrame) -> pl.DataFrame:
    """The sums of what there is of each cell, in their order: halves are rounded alike in all archives."""
    return cells.group_by(_CELL, maintain_order=True).agg(_SUMS)


def _parts(log: DayLog, cells: _Cells) -> Iterator[dict[Kind, pl.DataFrame]]:
    """The parts that visits have in cells, some visits after the other.

    Those of a day with few conversions are kept for its segments: what a visit has part in is the same in all of them.
    """
    if (log.day or log).conversions.height > _FEW_CONVERSIONS:
        for conversions, actions in _slices(log):
            yield _VisitParts.of(conversions, actions, cells).by_kind
        return
    of_day = log.of_day(_parts_of_day)
    yield of_day.by_kind if log.day is None else of_day.of_visits(log.conversions["idvisit"])


def _parts_of_day(log: DayLog) -> _VisitParts:
    return _VisitParts.of(log.conversions, log.actions, log.of_day(_Cells.of))


def _slices(log: DayLog) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Conversions with the actions of their visits, some visits after the other."""
    count = -(-log.conversions.height // _CONVERSIONS_AT_ONCE)
    ids = log.conversions["idvisit"].sort()
    firsts = list(dict.fromkeys(ids[len(ids) * number // count] for number in range(count)))
    for first, end in zip_longest(firsts, firsts[1:]):
        is_inside = pl.col("idvisit") >= first
        if end is not None:
            is_inside &= pl.col("idvisit") < end
        yield log.conversions[_READ].filter(is_inside), log.actions[_VIEW].filter(is_inside)


@dataclass(frozen=True)
class _VisitParts:
    """The parts that visits have in cells.

    Args:
        visits: the ids of visits, in the order of their numbers.
        by_kind: for each kind of page a row for each cell (_CELL) and visit (_VISIT).
    """

    visits: pl.Series
    by_kind: dict[Kind, pl.DataFrame]

    @classmethod
    def of(cls, conversions: pl.DataFrame, actions: pl.DataFrame, cells: _Cells) -> _VisitParts:
        """Of conversions and all actions of their visits: each view of a page before one has the same part in it."""
        conversions = cells.numbered(
            conversions[_READ]
            .sort("server_time", maintain_order=True)
            .with_columns(_BY_KEY.rank("ordinal").alias(_RANK), (pl.col("idvisit").rank("dense") - 1).alias(_VISIT))
            .with_row_index(_CONVERSION)
        )
        visits = conversions["idvisit"].unique().sort()
        views = _before(conversions, actions)
        by_kind = {}
        for kind, pages in cells.pages.items():
            column = f"idaction_{kind}"
            seen = views[[_CONVERSION, column]].join(pages, left_on=column, right_on=_PAGE, maintain_order="left")
            by_kind[kind] = _parts_of_views(seen, conversions, cells, len(visits))
        return cls(visits, by_kind)

    def of_visits(self, ids: pl.Series) -> dict[Kind, pl.DataFrame]:
        """The parts of some of the visits."""
        is_chosen = self.visits.is_in(ids.unique().implode())
        return {kind: parts.filter(is_chosen.gather(parts[_VISIT])) for kind, parts in self.by_kind.items()}


def _parts_of_views(views: pl.DataFrame, conversions: pl.DataFrame, cells: _Cells, visits: int) -> pl.DataFrame:
    """The parts, from the pages viewed before each conversion."""
    share = 1 / pl.col(_SEEN)
    of_conversion = (_VISIT, _GOAL_NUMBER, "revenue", _RANK)
    parts = (
        views.with_columns(
            pl.len().over(_CONVERSION).alias(_SEEN),
            *(conversions[name].gather(views[_CONVERSION]) for name in of_conversion),
        )
        .select(
            (cells.number * visits + pl.col(_VISIT)).alias(_PART),
            (pl.col(_RANK).cast(pl.UInt64) * 2**32 + pl.col(_SEEN)).alias(_RANKED),
            *(_SEEN, "revenue"),
        )
        .sort(_PART, maintain_order=True)
        .group_by(_PART, maintain_order=True)
        .agg(
            pl.len().alias("nb_conversions"),
            _REVENUE.sum(),
            pl.col(_SEEN).first().alias(_BEFORE),
            (pl.col(_RANKED).min() % 2**32).cast(pl.UInt32).alias(_BEFORE_OF_SEGMENT),
            share.round(4).sum().alias("nb_conversions_attrib"),
            (_REVENUE.cast(pl.Float32).cast(pl.Float64) * _cut(share)).sum().round(2).alias("revenue_attrib"),
        )
    )
    cell, visit = pl.col(_PART) // visits, (pl.col(_PART) % visits).cast(pl.UInt32)
    return parts.select(cell.alias(_CELL).set_sorted(), visit.alias(_VISIT), pl.exclude(_PART))


def _before(conversions: pl.DataFrame, actions: pl.DataFrame) -> pl.DataFrame:
    """The actions that the visits of conversions had seen by then (_CONVERSION and the ids of an action), in the order
    of conversions.
    """
    return (
        conversions.lazy()
        .select(_CONVERSION, "idvisit", "server_time")
        .join(
            actions.lazy().select("idvisit", "idaction_url", "idaction_name", viewed="server_time"),
            on="idvisit",
            maintain_order="left",
        )
        .filter(pl.col("viewed") <= pl.col("server_time"))
        .select(_CONVERSION, "idaction_url", "idaction_name")
        .collect()
    )


def _rounded(cells: pl.DataFrame) -> pl.DataFrame:
    """The columns of cells as they are stored."""
    return cells.select(
        _CELL,
        "nb_conversions",
        pl.col("nb_conversions").alias("nb_conversions_page_uniq"),
        _REVENUE.round(2),
        _BEFORE,
        pl.col("nb_conversions_attrib").round(4),
        pl.lit(0).alias("nb_conversions_page_rate"),
        pl.col("revenue_attrib").round(2),
    )


# Pages that visits began with


def _entries(log: DayLog, cells: _Cells) -> pl.DataFrame:
    """Conversions with the pages that their visit began with, carts aside."""
    pages = ("visit_entry_idaction_url", "visit_entry_idaction_name")
    return (
        cells.numbered(log.conversions[["idvisit", GOAL, "revenue"]])
        .lazy()
        .filter(pl.col(GOAL) != ABANDONED_CART)
        .join(log.visits.lazy().select("idvisit", *pages), on="idvisit")
        .select(_GOAL_NUMBER, "revenue", *pages)
        .collect()
    )


def _entered(kind: Kind, entries: pl.DataFrame, cells: _Cells, rows: pl.DataFrame) -> pl.DataFrame:
    """The cells of conversions by the page that their visit began with.

    Args:
        rows: by the number of a page.
    """
    return (
        entries.select(pl.col(f"visit_entry_idaction_{kind}").alias(_PAGE), _GOAL_NUMBER, "revenue")
        .join(rows.select(_PAGE, _PAGE_NUMBER, "entry_nb_visits"), on=_PAGE)
        .group_by(cells.number.alias(_CELL))
        .agg(
            pl.len().alias("nb_conversions_entry"),
            _REVENUE.sum().round(2).alias("revenue_entry"),
            pl.col("entry_nb_visits").first(),
        )
        .select(
            *(_CELL, "nb_conversions_entry", "revenue_entry"),
            nb_conversions_entry_rate=_per_entry("nb_conversions_entry"),
            revenue_per_entry=_per_entry("revenue_entry"),
        )
    )


def _cut(share: pl.Expr) -> pl.Expr:
    """A share as MariaDB has it in further computations: cut after nine digits, which decides how halves round."""
    return (share * 1e9).floor() / 1e9


def _per_entry(column: str) -> pl.Expr:
    """A column by visits that began with the page, halves of the third digit rounded up."""
    return (pl.col(column) / pl.col("entry_nb_visits")).round(3, mode="half_away_from_zero")
