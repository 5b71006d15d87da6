"""Visits, visitors, users and what they did in total."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING

import polars as pl

from footfall.archiving.daylog import total
from footfall.archiving.records import Combine, Computed, NumericRecord, RecordBuilder
from footfall.archiving.segments import VISIT, SegmentName
from footfall.errors import InvalidInput
from footfall.plugins import Plugin
from footfall.reports.metrics import ratio
from footfall.reports.report import Listing, NumbersReport, Report, ValueReport

if TYPE_CHECKING:
    from footfall.archiving.daylog import DayLog

# Records


def _summary(log: DayLog) -> Computed:
    actions = pl.col("visit_total_actions").fill_null(0)
    return log.visits.select(
        nb_visits=pl.len(),
        nb_uniq_visitors=pl.col("idvisitor").n_unique(),
        nb_users=pl.col("user_id").drop_nulls().n_unique(),
        nb_actions=total("visit_total_actions"),
        max_actions=actions.max().fill_null(0),
        sum_visit_length=total("visit_total_time"),
        bounce_count=(actions <= 1).sum(),
        nb_visits_converted=(pl.col("visit_goal_converted") == 1).sum(),
    ).row(0, named=True)


SUMMARY = RecordBuilder(
    records=(
        NumericRecord("nb_visits"),
        NumericRecord("nb_uniq_visitors", distinct="idvisitor"),
        NumericRecord("nb_users", distinct="user_id"),
        NumericRecord("nb_actions"),
        NumericRecord("max_actions", Combine.MAX),
        NumericRecord("sum_visit_length"),
        NumericRecord("bounce_count"),
        NumericRecord("nb_visits_converted"),
    ),
    reads={
        "log_visit": ("idvisitor", "user_id", "visit_total_actions", "visit_total_time", "visit_goal_converted"),
    },
    compute=_summary,
)

# Reports

_SHOWN = (
    "nb_uniq_visitors",
    "nb_users",
    "nb_visits",
    "nb_actions",
    "nb_visits_converted",
    "bounce_count",
    "sum_visit_length",
    "max_actions",
)

_SUMMARY = NumbersReport(
    "VisitsSummary.get",
    metrics={name: name for name in _SHOWN},
    visitors=frozenset({"nb_uniq_visitors", "nb_users"}),
    processed=(
        ratio("bounce_rate", "bounce_count", "nb_visits", 2, "percent"),
        ratio("nb_actions_per_visit", "nb_actions", "nb_visits", 1),
        ratio("avg_time_on_site", "sum_visit_length", "nb_visits", 0, "seconds"),
    ),
    listing=Listing(
        None,
        ("nb_uniq_visitors", "nb_visits", "nb_users", "nb_actions", "max_actions"),
        ("bounce_rate", "nb_actions_per_visit", "avg_time_on_site"),
    ),
)
_SINGLE = {
    "getVisits": "nb_visits",
    "getUniqueVisitors": "nb_uniq_visitors",
    "getUsers": "nb_users",
    "getActions": "nb_actions",
    "getMaxActions": "max_actions",
    "getBounceCount": "bounce_count",
    "getVisitsConverted": "nb_visits_converted",
    "getSumVisitsLength": "sum_visit_length",
}

REPORTS: tuple[Report, ...] = (
    _SUMMARY,
    *(ValueReport(f"VisitsSummary.{method}", _SUMMARY, metric) for method, metric in _SINGLE.items()),
)

# Segments

_ID = re.compile(r"[0-9A-Fa-f]{16}")


def _eight_bytes(text: str) -> int:
    """An id of eight bytes, written in hexadecimal digits, as the number that DayLog has."""
    if not _ID.fullmatch(text):
        raise InvalidInput(f"A visitor's id and a fingerprint have 16 hexadecimal digits: {text[:100]!r} is neither.")
    return int(text, 16)


def _address(text: str) -> str:
    """An address as the hexadecimal text that DayLog has."""
    try:
        return ip_address(text.strip()).packed.hex().upper()
    except ValueError:
        raise InvalidInput(f"{text[:100]!r} is not an IP address.") from None


SEGMENTS = (
    SegmentName("visitId", VISIT, "idvisit"),
    SegmentName("visitorId", VISIT, "idvisitor", values=_eight_bytes),
    SegmentName("fingerprint", VISIT, "config_id", values=_eight_bytes),
    SegmentName("visitIp", VISIT, "location_ip", type="metric", values=_address),
    SegmentName("profilable", VISIT, "profilable"),
)

PLUGIN = Plugin("VisitsSummary", builders=(SUMMARY,), reports=REPORTS, segments=SEGMENTS)
