"""How involved visitors are: how long and how far visits go, how often and how soon visitors come back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from footfall.archiving.datatable import DataTable, Row
from footfall.archiving.gaps import DAYS, Gap, counted, gap_counts, gap_of, gap_text
from footfall.archiving.records import BlobRecord, Computed, RecordBuilder
from footfall.archiving.segments import VISIT, SegmentName
from footfall.plugins import Plugin
from footfall.reports.metrics import number, ratio
from footfall.reports.report import Listing, TableReport
from footfall.reports.source import Source

if TYPE_CHECKING:
    from footfall.archiving.daylog import DayLog

# Records

_DAY_SECONDS = 86_400
_NEW_VISITS = "General_NewVisits"
_NEW, _RETURNING = 0, 1  # visitor_returning; a customer who comes back (2) is left out, as in the reference

# The bounds of some durations meet, as the reference's do: a visit of exactly 60 seconds counts in both.
_DURATIONS: Final[tuple[Gap, ...]] = (
    (0, 10),
    (11, 30),
    (31, 60),
    (60, 120),
    (120, 240),
    (240, 420),
    (420, 600),
    (600, 900),
    (900, 1800),
    (1801, None),
)
_PAGES: Final[tuple[Gap, ...]] = (
    (1, 1),
    (2, 2),
    (3, 3),
    (4, 4),
    (5, 5),
    (6, 7),
    (8, 10),
    (11, 14),
    (15, 20),
    (21, None),
)
_VISITS: Final[tuple[Gap, ...]] = (
    *((count, count) for count in range(1, 9)),
    (9, 14),
    (15, 25),
    (26, 50),
    (51, 100),
    (101, 200),
    (201, None),
)
_DURATION = "VisitorInterest_timeGap"
_PAGE = "VisitorInterest_pageGap"
_COUNT = "VisitorInterest_visitsByVisitCount"
_DAYS_SINCE = "VisitorInterest_daysSinceLastVisit"

_GAPS: Final = {_DURATION: _DURATIONS, _PAGE: _PAGES, _COUNT: _VISITS, _DAYS_SINCE: DAYS}


def _interest_tables(log: DayLog) -> Computed:
    visits = log.visits
    returns = visits.filter(pl.col("visitor_returning") == _RETURNING)["visitor_seconds_since_last"]
    values = {
        _DURATION: visits["visit_total_time"],
        _PAGE: visits["visit_total_actions"],
        _COUNT: visits["visitor_count_visits"],
        _DAYS_SINCE: returns // _DAY_SECONDS,
    }
    counts = {record: gap_counts(values[record].value_counts().rows(), gaps) for record, gaps in _GAPS.items()}
    counts[_DAYS_SINCE] = {_NEW_VISITS: int((visits["visitor_returning"] == _NEW).sum())} | counts[_DAYS_SINCE]
    return {
        record: DataTable([Row({"label": label, "nb_visits": count}) for label, count in rows.items()])
        for record, rows in counts.items()
    }


INTEREST = RecordBuilder(
    records=tuple(BlobRecord(name, 500, 500) for name in _GAPS),
    reads={
        "log_visit": (
            "visit_total_time",
            "visit_total_actions",
            "visitor_count_visits",
            "visitor_returning",
            "visitor_seconds_since_last",
        )
    },
    compute=_interest_tables,
)

# Reports

_ALL_VISITS = "all_visits"
_MINUTE = 60


def _among_all(table: DataTable, source: Source) -> DataTable:
    """The table with the sum of its visits in each row, which its share is of."""
    visits = sum(number(row.columns.get("nb_visits")) for row in table)
    for row in table:
        row.columns[_ALL_VISITS] = visits
    return table


def _shown_duration(label: str) -> str:
    """Seconds, or minutes where both ends are whole ones: `0–10s`, `1-2 min`, `30+ min`."""
    low, high = gap_of(label)
    if low < _MINUTE:
        return f"{low}–{high}s"
    return f"{gap_text((low // _MINUTE, None if high is None else high // _MINUTE))} min"


def _counted(one: str, many: str) -> Callable[[str], str]:
    """`1-1` is 1 page, `6-7` is 6-7 pages."""

    def shown(label: str) -> str:
        return "New visits" if label == _NEW_VISITS else counted(gap_of(label), one, many)

    return shown


def _between(segment: str) -> Callable[[Row], dict[str, Any]]:
    """The segment of the visits in a row's gap."""

    def metadata(row: Row) -> dict[str, Any]:
        if row.label == _NEW_VISITS:
            return {"segment": "visitorType==new"}
        low, high = gap_of(row.label)
        if low == high:
            return {"segment": f"{segment}=={low}"}
        upper = "" if high is None else f";{segment}<={high}"
        return {"segment": f"{segment}>={low}{upper}"}

    return metadata


REPORTS = (
    TableReport(
        "VisitorInterest.getNumberOfVisitsPerVisitDuration",
        record=_DURATION,
        dimension="VisitorInterest_VisitDuration",
        metadata=_between("visitDuration"),
        shown_label=_shown_duration,
        sort_column="",
        listing=Listing("Visit duration", ("nb_visits",), constant_rows=True),
    ),
    TableReport(
        "VisitorInterest.getNumberOfVisitsPerPage",
        record=_PAGE,
        dimension="VisitorInterest_PagesPerVisit",
        metadata=_between("actions"),
        shown_label=_counted("page", "pages"),
        sort_column="",
        listing=Listing("Pages per visit", ("nb_visits",), constant_rows=True),
    ),
    TableReport(
        "VisitorInterest.getNumberOfVisitsByVisitCount",
        record=_COUNT,
        dimension="VisitorInterest_VisitsbyVisitNumber",
        prepare=_among_all,
        metadata=_between("visitCount"),
        shown_label=_counted("visit", "visits"),
        sort_column="",
        processed=(ratio("nb_visits_percentage", "nb_visits", _ALL_VISITS, 2, "percent"),),
        hidden=(_ALL_VISITS,),
        listing=Listing("Visits by visit number", ("nb_visits",), ("nb_visits_percentage",), constant_rows=True),
    ),
    TableReport(
        "VisitorInterest.getNumberOfVisitsByDaysSinceLast",
        record=_DAYS_SINCE,
        dimension="VisitorInterest_VisitorDaysSinceLast",
        metadata=_between("daysSinceLastVisit"),
        shown_label=_counted("day", "days"),
        sort_column="",
        listing=Listing("Days since last visit", ("nb_visits",), constant_rows=True),
    ),
)

# Segments


def _metric(name: str, fact: str | pl.Expr) -> SegmentName:
    return SegmentName(name, VISIT, fact, type="metric")


SEGMENTS = (
    _metric("actions", "visit_total_actions"),
    _metric("interactions", "visit_total_interactions"),
    _metric("searches", "visit_total_searches"),
    _metric("visitCount", "visitor_count_visits"),
    _metric("visitDuration", "visit_total_time"),
    _metric("daysSinceFirstVisit", pl.col("visitor_seconds_since_first") // _DAY_SECONDS),
    _metric("daysSinceLastVisit", pl.col("visitor_seconds_since_last") // _DAY_SECONDS),
    _metric("secondsSinceFirstVisit", "visitor_seconds_since_first"),
    _metric("secondsSinceLastVisit", "visitor_seconds_since_last"),
)

PLUGIN = Plugin("VisitorInterest", builders=(INTEREST,), reports=REPORTS, segments=SEGMENTS)
