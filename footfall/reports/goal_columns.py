"""The columns about goals inside the rows of other reports: `goals`, by goal (`idgoal=3`)."""

from collections.abc import Mapping
from typing import Any, Final

from footfall.archiving.datatable import DataTable
from footfall.archiving.metrics import ABANDONED_CART, GOAL_COLUMN_IDS, ORDER
from footfall.reports.numbers import number, rounded
from footfall.reports.source import Source

GOALS: Final = "goals"

_NAMES: Final = {number: name for name, number in GOAL_COLUMN_IDS.items()}
# The reference's order, which lines of CSV show.
_ORDER: Final = (
    *("nb_conversions", "nb_visits_converted", "revenue", "revenue_subtotal", "revenue_tax", "revenue_shipping"),
    *("revenue_discount", "items", "nb_conv_pages_before", "nb_conversions_attrib", "nb_conversions_page_rate"),
    *("nb_conversions_page_uniq", "revenue_attrib", "revenue_entry", "nb_conversions_entry_rate"),
    *("revenue_per_entry", "nb_conversions_entry"),
)
_PLACES: Final = {name: place for place, name in enumerate(_ORDER)}
_PAGE_RATE, _PAGE_CONVERSIONS = "nb_conversions_page_rate", "nb_conversions_page_uniq"


def goal_name(idgoal: int) -> str:
    """What a goal is called in requests and answers: its number, or the word for a kind of ecommerce."""
    return {ORDER: "ecommerceOrder", ABANDONED_CART: "ecommerceAbandonedCart"}.get(idgoal, str(idgoal))


def name_goals(table: DataTable, source: Source) -> None:
    """Name the goals and their columns in all rows of a table, in place.

    The share of a goal's conversions that a page had a part in is computed for the rows of the top level, and is at
    most 1 (conformance `reports`: Actions.getPageUrls).
    """
    totals: dict[int, float] = {}
    for row in table:
        goals = row.columns.get(GOALS)
        if not isinstance(goals, Mapping):
            continue
        named = row.columns[GOALS] = {}
        for idgoal in sorted(map(int, goals)):
            columns = _named(goals.get(idgoal) or goals.get(str(idgoal)) or {})
            if _PAGE_CONVERSIONS in columns:
                if idgoal not in totals:
                    totals[idgoal] = source.numbers([record := f"Goal_{idgoal}_nb_conversions"]).get(record, 0)
                columns[_PAGE_RATE] = _share(columns[_PAGE_CONVERSIONS], totals[idgoal])
            named[f"idgoal={goal_name(idgoal)}"] = columns
    _name_below(table)


def _name_below(table: DataTable) -> None:
    for row in table:
        if row.subtable is None:
            continue
        for below in row.subtable:
            goals = below.columns.get(GOALS)
            if isinstance(goals, Mapping):
                below.columns[GOALS] = {
                    f"idgoal={goal_name(int(idgoal))}": _named(columns)
                    for idgoal, columns in sorted(goals.items(), key=lambda item: int(item[0]))
                }
        _name_below(row.subtable)


def _named(columns: Mapping[int | str, Any]) -> dict[str, Any]:
    """The columns by name, whether they are stored by number or by name, in the reference's order."""
    named = {_NAMES.get(int(key), str(key)) if str(key).isdigit() else str(key): v for key, v in columns.items()}
    return dict(sorted(named.items(), key=lambda column: _PLACES.get(column[0], len(_PLACES))))


def _share(part: Any, whole: float) -> float:
    return min(1, rounded(number(part) / whole, 3)) if whole else 0
