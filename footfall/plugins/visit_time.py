"""When visits happen: by the hour at the visitor's place, by the hour of the site's day, by the day of the week."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from footfall.archiving.datatable import DataTable, Row
from footfall.archiving.daylog import HOURS, site_hours
from footfall.archiving.records import RecordBuilder
from footfall.archiving.segments import ACTION, BEHAVIOUR, VISIT, SegmentName
from footfall.archiving.visit_metrics import (
    CONVERSION_READS,
    VISIT_COLUMNS,
    VISIT_READS,
    DimensionTables,
    VisitDimension,
    number_label,
    visit_record,
)
from footfall.plugins import Plugin
from footfall.reports.listings import visits_listing
from footfall.reports.report import TableReport
from footfall.reports.rows import noted, only_zeroes
from footfall.reports.segment_text import condition
from footfall.reports.source import Source
from footfall.timezones import site_zone

if TYPE_CHECKING:
    from footfall.archiving.daylog import DayLog

# Records

_LOCAL = visit_record("VisitTime_localTime")
_AT_SITE = visit_record("VisitTime_serverTime")
_SECONDS_PER_HOUR = 3600


def _hour(column: str) -> pl.Expr:
    return pl.col(column) // _SECONDS_PER_HOUR % len(HOURS)


def _dimensions(log: DayLog) -> tuple[VisitDimension, ...]:
    def at_site(column: str) -> pl.Expr:
        return _hour(column).replace_strict(list(HOURS), list(log.hours))

    return (
        VisitDimension(_LOCAL, _hour("visitor_localtime"), label=number_label),
        VisitDimension(_AT_SITE, at_site("visit_first_action_time"), at_site("server_time"), number_label),
    )


def _with_all_hours(tables: dict[str, DataTable]) -> dict[str, DataTable]:
    return {name: _all_hours(table) for name, table in tables.items()}


def _all_hours(table: DataTable) -> DataTable:
    """The table with a row for every hour; one that has goals alone has no visits (conformance `shapes`)."""
    present = {row.columns["label"]: row for row in table.rows}
    for row in table.rows:
        row.columns.setdefault("nb_visits", 0)
    nothing = dict.fromkeys(VISIT_COLUMNS, 0)
    return DataTable([present.get(hour) or Row({"label": hour, **nothing}) for hour in HOURS])


TIMES = RecordBuilder(
    records=(_LOCAL, _AT_SITE),
    reads={
        "log_visit": (*VISIT_READS, "visitor_localtime", "visit_first_action_time"),
        "log_conversion": (*CONVERSION_READS, "server_time"),
    },
    compute=DimensionTables(_dimensions, _with_all_hours),
)

# Reports

_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_OF_A_DAY: Final = (
    "nb_visits",
    "nb_uniq_visitors",
    "nb_actions",
    "nb_users",
    "sum_visit_length",
    "bounce_count",
    "nb_visits_converted",
)


def _in_order(table: DataTable, source: Source) -> DataTable:
    table.rows.sort(key=lambda row: int(row.label))
    return table


def _two_digits(label: str) -> str:
    return label.zfill(2)


def _local_metadata(row: Row) -> dict[str, Any]:
    return condition(("visitLocalHour", row.label))


def _at_site_in_order(table: DataTable, source: Source) -> DataTable:
    """The hours in order; their segment counts hours in UTC.

    Asked about several sites, the reference takes the hours of all of them for UTC (conformance `shapes`).
    """
    is_of_one_site = source.parameters.get("idSite", "").strip().isdecimal()
    hours = site_hours(source.period.first, site_zone(source.site.timezone)) if is_of_one_site else HOURS
    in_utc = {hour: utc for utc, hour in enumerate(hours)}
    for row in _in_order(table, source).rows:
        row.metadata = condition(("visitStartServerHour", str(in_utc.get(int(row.label), row.label))))
    return table


def _days_of_the_week(source: Source) -> DataTable:
    """A row for each day of the week, the sum of such days in the period; without any, it has no visits."""
    rows = [only_zeroes(name) for name in _DAYS]
    for day, found in source.numbers_of_days(_OF_A_DAY).items():
        if found:
            columns = rows[day.weekday()].columns
            columns |= {name: columns.get(name, 0) + found.get(name, 0) for name in _OF_A_DAY}
    return DataTable(rows)


def _day_metadata(row: Row) -> dict[str, Any]:
    return {"day_of_week": _DAYS.index(row.label) + 1}


REPORTS = (
    TableReport(
        "VisitTime.getVisitInformationPerLocalTime",
        record=_LOCAL.name,
        dimension="VisitTime_LocalTime",
        prepare=_in_order,
        metadata=_local_metadata,
        shown_label=_two_digits,
        sort_column="",
        listing=visits_listing("Local time — hour (start of visit)", constant_rows=True),
    ),
    TableReport(
        "VisitTime.getVisitInformationPerServerTime",
        record=_AT_SITE.name,
        dimension="CoreHome_VisitFirstActionTime",
        prepare=_at_site_in_order,
        metadata=noted,
        shown_label=_two_digits,
        sort_column="",
        listing=visits_listing("Site time — hour (start of visit)", with_goals=True, constant_rows=True),
    ),
    TableReport(
        "VisitTime.getByDayOfWeek",
        dimension="VisitTime_DayOfTheWeek",
        load=_days_of_the_week,
        metadata=_day_metadata,
        sort_column="",
        listing=visits_listing("Day of the week", constant_rows=True),
    ),
)

# Segments: times of the server are in UTC

_MINUTE = 60
_END = pl.from_epoch(pl.col("visit_last_action_time"))


def _minute(column: str) -> pl.Expr:
    return pl.col(column) // _MINUTE % _MINUTE


SEGMENTS = (
    SegmentName("visitLocalHour", VISIT, _hour("visitor_localtime")),
    SegmentName("visitLocalMinute", VISIT, _minute("visitor_localtime"), type="metric"),
    SegmentName("visitStartServerHour", VISIT, _hour("visit_first_action_time")),
    SegmentName("visitStartServerMinute", VISIT, _minute("visit_first_action_time")),
    SegmentName("visitServerHour", VISIT, _hour("visit_last_action_time")),
    SegmentName("visitEndServerMinute", VISIT, _minute("visit_last_action_time")),
    SegmentName("visitEndServerSecond", VISIT, pl.col("visit_last_action_time") % _MINUTE),
    SegmentName("visitEndServerDate", VISIT, _END.dt.strftime("%Y-%m-%d")),
    SegmentName("visitEndServerDayOfMonth", VISIT, _END.dt.day()),
    SegmentName("visitEndServerDayOfWeek", VISIT, _END.dt.weekday()),
    SegmentName("visitEndServerDayOfYear", VISIT, _END.dt.ordinal_day()),
    SegmentName("visitEndServerWeekOfYear", VISIT, _END.dt.week()),
    SegmentName("visitEndServerMonth", VISIT, _END.dt.month()),
    SegmentName("visitEndServerQuarter", VISIT, _END.dt.quarter()),
    SegmentName("visitEndServerYear", VISIT, _END.dt.year()),
    SegmentName("actionServerHour", ACTION, _hour("server_time"), category=BEHAVIOUR),
    SegmentName("actionServerMinute", ACTION, _minute("server_time"), category=BEHAVIOUR),
)

PLUGIN = Plugin("VisitTime", builders=(TIMES,), reports=REPORTS, segments=SEGMENTS)
