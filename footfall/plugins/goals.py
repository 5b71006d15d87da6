"""Goals and orders: how often they were converted, by how many visits, for how much, and how long it took."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from footfall.archiving.datatable import DataTable, Row
from footfall.archiving.gaps import DAYS, Gap, counted, gap_counts, gap_of
from footfall.archiving.metrics import ABANDONED_CART, ORDER
from footfall.archiving.records import BlobRecord, Computed, NumericRecord, RecordBuilder
from footfall.archiving.segments import CONVERSION, VISIT, SegmentName
from footfall.archiving.setup import SiteSetup
from footfall.archiving.visit_metrics import CONVERSION_READS, conversions_by
from footfall.plugins import Plugin
from footfall.reports.errors import ReportError
from footfall.reports.metrics import quotient, ratio
from footfall.reports.report import Listing, NumbersReport, TableReport
from footfall.reports.site import ReportSite
from footfall.reports.source import Source

if TYPE_CHECKING:
    from footfall.archiving.daylog import DayLog

# Records

_DAY_SECONDS = 86_400
_VISITS: Final[tuple[Gap, ...]] = (
    *((count, count) for count in range(1, 9)),
    (9, 14),
    (15, 25),
    (26, 50),
    (51, 100),
    (101, None),
)
_DAYS_UNTIL, _VISITS_UNTIL = "days_until_conv", "visits_until_conv"
# What conversions are counted by, and in which gaps.
_UNTIL: Final[dict[str, tuple[pl.Expr, Sequence[Gap]]]] = {
    _DAYS_UNTIL: (pl.col("visitor_seconds_since_first").fill_null(0) // _DAY_SECONDS, DAYS),
    _VISITS_UNTIL: (pl.col("visitor_count_visits"), _VISITS),
}
_OF_ANY: Final = ("nb_conversions", "nb_visits_converted", "revenue")
_OF_CART: Final = (*_OF_ANY, "items")
_OF_ORDER: Final = (*_OF_CART, "revenue_subtotal", "revenue_tax", "revenue_shipping", "revenue_discount")


def _metrics_of(idgoal: int | None) -> tuple[str, ...]:
    if idgoal == ORDER:
        return _OF_ORDER
    return _OF_CART if idgoal == ABANDONED_CART else _OF_ANY


def _record(idgoal: int | None, name: str) -> str:
    """The name of a record of a goal; None for all goals and orders together."""
    return f"Goal_{name}" if idgoal is None else f"Goal_{idgoal}_{name}"


def goals_of(setup: SiteSetup) -> RecordBuilder:
    """The records of the goals that a site has."""
    goals = (None, ABANDONED_CART, ORDER, *(goal.number for goal in setup.goals))
    numbers = tuple(NumericRecord(_record(goal, name)) for goal in goals for name in _metrics_of(goal))
    tables = tuple(BlobRecord(_record(goal, name), 500, 500, "nb_conversions") for goal in goals for name in _UNTIL)
    names = {record.name for record in numbers} | {record.name for record in tables}

    def compute(log: DayLog) -> Computed:
        if log.conversions.is_empty():
            return {}
        computed: Computed = {**_numbers(log), **_until_conversion(log)}
        return {name: value for name, value in computed.items() if name in names}

    return RecordBuilder(
        records=(*numbers, *tables),
        reads={"log_conversion": (*CONVERSION_READS, "visitor_seconds_since_first", "visitor_count_visits")},
        compute=compute,
    )


def _numbers(log: DayLog) -> dict[str, float]:
    by_goal = conversions_by(log.conversions, {})
    found = {
        _record(row["idgoal"], name): float(row[name] or 0)
        for row in by_goal.rows(named=True)
        for name in _metrics_of(row["idgoal"])
    }
    counted_goals = by_goal.filter(pl.col("idgoal") != ABANDONED_CART)
    visits = log.conversions.filter(pl.col("idgoal") != ABANDONED_CART)["idvisit"].n_unique()
    return found | {
        _record(None, "nb_conversions"): float(counted_goals["nb_conversions"].sum()),
        _record(None, "nb_visits_converted"): float(visits),
        _record(None, "revenue"): float(counted_goals["revenue"].sum()),
    }


def _until_conversion(log: DayLog) -> dict[str, DataTable]:
    """The tables of the goals that were converted, and of all of them together, ecommerce aside."""
    found: dict[str, DataTable] = {}
    for name, (value, gaps) in _UNTIL.items():
        by_goal: dict[int | None, list[tuple[int | None, int]]] = {}
        for idgoal, until, count in log.conversions.group_by("idgoal", value.alias("until")).len().rows():
            by_goal.setdefault(idgoal, []).append((until, count))
            if idgoal > ORDER:
                by_goal.setdefault(None, []).append((until, count))
        found |= {_record(idgoal, name): _gap_table(values, gaps) for idgoal, values in by_goal.items()}
    return found


def _gap_table(values: Iterable[tuple[int | None, int]], gaps: Sequence[Gap]) -> DataTable:
    rows = gap_counts(values, gaps).items()
    return DataTable([Row({"label": label, "nb_conversions": count}) for label, count in rows])


# Segments

_ECOMMERCE_STATUS: Final = {"none": 0, "ordered": 1, "abandonedCart": 2, "orderedThenAbandonedCart": 3}
_SINCE_ORDER: Final = "visitor_seconds_since_order"


def _goal_names(setup: SiteSetup) -> Iterable[SegmentName]:
    names = {goal.number: goal.name for goal in setup.goals}
    name = pl.col("idgoal").cast(pl.Int64).replace_strict(names, default=None, return_dtype=pl.String)
    yield SegmentName("visitConvertedGoalName", CONVERSION, name)


SEGMENTS = (
    SegmentName("visitConvertedGoalId", CONVERSION, "idgoal"),
    _goal_names,
    SegmentName("visitConverted", VISIT, "visit_goal_converted"),
    SegmentName("visitEcommerceStatus", VISIT, "visit_goal_buyer", values=_ECOMMERCE_STATUS),
    SegmentName("daysSinceLastEcommerceOrder", VISIT, pl.col(_SINCE_ORDER) // _DAY_SECONDS, type="metric"),
    SegmentName("secondsSinceLastEcommerceOrder", VISIT, _SINCE_ORDER, type="metric"),
)

# Reports

_ECOMMERCE: Final = {"ecommerceOrder": ORDER, "ecommerceAbandonedCart": ABANDONED_CART}
# The visits that a column of Goals.get is about, by how its name ends.
_KINDS_OF_VISITS: Final = {
    "": "",
    "_new_visit": "visitorType==new",
    "_returning_visit": "visitorType==returning,visitorType==returningCustomer",
}
_AVERAGE_ORDER = "avg_order_revenue"


def _asked_goal(source: Source) -> int | None:
    """The goal that the request's `idGoal` names; None for all of them.

    Raises:
        ReportError: it is neither a number nor a word for a kind of ecommerce.
    """
    text = source.parameters.get("idGoal", "").strip()
    if not text:
        return None
    if text in _ECOMMERCE:
        return _ECOMMERCE[text]
    try:
        return int(text)
    except ValueError:
        words = " or ".join(_ECOMMERCE)
        raise ReportError(f"idGoal must be the number of a goal, {words}, not {text!r}.") from None


def _shown_metrics(source: Source, idgoal: int | None) -> tuple[str, ...]:
    """The columns of a goal; only who asks for orders by name sees what their revenue is made of."""
    if idgoal == ORDER and source.parameters.get("idGoal") not in _ECOMMERCE:
        return _OF_CART
    return _metrics_of(idgoal)


_RATE: Final = "conversion_rate"


def _overview(source: Source) -> dict[str, Any]:
    """The goal's numbers, of all visits and of those of new and of returning visitors."""
    idgoal = _asked_goal(source)
    metrics = _shown_metrics(source, idgoal)
    found: dict[str, Any] = {}
    for suffix, condition in _KINDS_OF_VISITS.items():
        visits = source.of_visits(condition, "Goals") if condition else source
        numbers = visits.numbers(["nb_visits", *(_record(idgoal, name) for name in metrics)])
        if source.several and not numbers and found:
            continue  # as the reference puts the rows of several periods together
        columns = {name: numbers.get(_record(idgoal, name), 0) for name in metrics}
        if source.parameters.get("idGoal") in _ECOMMERCE:
            columns[_AVERAGE_ORDER] = quotient(columns, "revenue", "nb_conversions", 2)
        columns |= {_RATE: 0, "nb_visits": numbers.get("nb_visits", 0)}
        found.update({f"{name}{suffix}": value for name, value in columns.items()})
    return found


_VISIT_COLUMNS: Final = frozenset(f"nb_visits{suffix}" for suffix in _KINDS_OF_VISITS)
_RATES: Final = tuple(
    replace(
        ratio(f"{_RATE}{suffix}", f"nb_visits_converted{suffix}", f"nb_visits{suffix}", 4, "percent"),
        needs=f"nb_visits{suffix}",
    )
    for suffix in _KINDS_OF_VISITS
)


def _parameters(site: ReportSite) -> Iterable[dict[str, Any]]:
    """What names each kind of conversion that the site has: ecommerce, then all, then goal by goal."""
    if site.ecommerce:
        yield from ({"idGoal": word} for word in _ECOMMERCE)
    yield {}
    if site.ecommerce:
        yield {"idGoal": ORDER}
    yield from ({"idGoal": goal.idgoal} for goal in site.goals)


def _overview_listings(site: ReportSite) -> Iterable[Listing]:
    for parameters in _parameters(site):
        match parameters.get("idGoal"):
            case "ecommerceOrder":
                metrics: tuple[str, ...] = (
                    *("nb_conversions", "nb_visits_converted", "conversion_rate", "revenue", "revenue_subtotal"),
                    *("revenue_tax", "revenue_shipping", "revenue_discount", "items"),
                )
                processed = (_AVERAGE_ORDER,)
            case "ecommerceAbandonedCart":
                metrics, processed = ("nb_conversions", "conversion_rate", "revenue", "items"), (_AVERAGE_ORDER,)
            case _:
                metrics, processed = _OF_ANY, ("conversion_rate",)
        yield Listing(None, metrics, processed, parameters=parameters)


def _until_report(method: str, dimension: str, record: str, shown_label: Callable[[str], str]) -> TableReport:
    """A report about how long conversions took; goal 0 is all goals here, and orders are asked for by name."""

    def listings(site: ReportSite) -> Iterable[Listing]:
        for parameters in _parameters(site):
            yield Listing(dimension, ("nb_conversions",), constant_rows=True, parameters=parameters)

    return TableReport(
        f"Goals.{method}",
        record=lambda source: _record(_asked_goal(source) if source.parameters.get("idGoal") != "0" else None, record),
        dimension=f"Goals_{method.removeprefix('get')}",
        sort_column="",
        shown_label=shown_label,
        listing=listings,
    )


REPORTS = (
    NumbersReport(
        "Goals.get",
        load=_overview,
        hidden=_VISIT_COLUMNS,
        not_merged=_VISIT_COLUMNS - {"nb_visits"},
        processed=_RATES,
        listing=_overview_listings,
    ),
    _until_report(
        "getDaysToConversion",
        "Days to Conversion",
        _DAYS_UNTIL,
        lambda label: counted(gap_of(label), "day", "days"),
    ),
    _until_report(
        "getVisitsUntilConversion",
        "Visits to Conversion",
        _VISITS_UNTIL,
        lambda label: counted(gap_of(label), "visit", "visits"),
    ),
)

PLUGIN = Plugin("Goals", builders=(goals_of,), reports=REPORTS, segments=SEGMENTS)
