"""Users who told the site who they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from footfall.archiving.datatable import DataTable, Row
from footfall.archiving.records import Computed, RecordBuilder
from footfall.archiving.segments import VISIT, SegmentName
from footfall.archiving.visit_metrics import VISIT_READS, columns_by, visit_record, visits_by
from footfall.plugins import Plugin
from footfall.reports.listings import visits_listing
from footfall.reports.report import Listing, TableReport
from footfall.reports.segment_text import condition

if TYPE_CHECKING:
    from footfall.archiving.daylog import DayLog

# Records

_USERS = visit_record("UserId_users", 50_000)


def _user_table(log: DayLog) -> Computed:
    visits = log.visits.filter(pl.col("user_id") != "")
    found = visits_by(visits, {"user": pl.col("user_id")}, {"visitor": pl.col("idvisitor").max()})
    visitors = found["visitor"].to_list()
    rows = columns_by(found, None, "user").items()
    return {
        _USERS.name: DataTable(
            [
                Row({"label": user, **columns}, {"idvisitor": f"{visitor:016x}"})
                for ((user,), columns), visitor in zip(rows, visitors, strict=True)
            ]
        )
    }


USERS = RecordBuilder(
    records=(_USERS,),
    reads={"log_visit": VISIT_READS},
    compute=_user_table,
    occurs={"log_visit": ("user_id",)},
)

# Reports


def _metadata(row: Row) -> dict[str, Any]:
    return row.metadata | condition(("userId", row.label))


REPORTS = (
    TableReport(
        "UserId.getUsers",
        record=_USERS.name,
        metadata=_metadata,
        listing=Listing(
            "UserId", ("label", "nb_visits", "nb_actions", "nb_visits_converted"), visits_listing("").processed
        ),
    ),
)

# Segments

SEGMENTS = (SegmentName("userId", VISIT, "user_id"),)

PLUGIN = Plugin("UserId", builders=(USERS,), reports=REPORTS, segments=SEGMENTS)
