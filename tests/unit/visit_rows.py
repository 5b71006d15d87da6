"""A day's log for tests of records of visits: rows from what matters to a test, and defaults for the rest."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from footfall.archiving.daylog import HOURS, DayLog
from footfall.archiving.records import RecordBuilder

_VISIT: dict[str, Any] = {
    "user_id": None,
    "visit_total_actions": 2,
    "visit_total_time": 30,
    "visit_goal_converted": 0,
    "visitor_returning": 0,
    "visitor_count_visits": 1,
    "visitor_seconds_since_last": 0,
    "visit_first_action_time": 0,
    "visitor_localtime": 0,
    "referer_type": 1,
}
_CONVERSION: dict[str, Any] = {
    "idvisit": 1,
    "idgoal": 1,
    "revenue": 0.0,
    "revenue_subtotal": None,
    "revenue_tax": None,
    "revenue_shipping": None,
    "revenue_discount": None,
    "items": None,
    "server_time": 0,
    "referer_type": 1,
}
_FLOATS = ("revenue", "location_latitude", "location_longitude")


def log(builder: RecordBuilder, visits: list[dict[str, Any]], conversions: Sequence[dict[str, Any]] = ()) -> DayLog:
    """A day with these rows, the columns that the builder reads; a visit's visitor is its number unless it says so."""
    numbered = [
        {"idvisit": number, "idvisitor": number, **_VISIT, **visit} for number, visit in enumerate(visits, start=1)
    ]
    tables = {"log_visit": numbered, "log_conversion": [_CONVERSION | row for row in conversions]}
    return DayLog.of(
        {
            table: _frame(tables[table], ("idvisit", *(c for c in columns if c != "idvisit")))
            for table, columns in builder.reads.items()
        },
        pl.DataFrame(),
        HOURS,
    )


def _frame(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> pl.DataFrame:
    return pl.DataFrame(
        {column: [row.get(column) for row in rows] for column in columns},
        schema={column: _type(column) for column in columns},
    )


def _type(column: str) -> type[pl.DataType]:
    if column.startswith(_FLOATS):
        return pl.Float64
    if column == "idvisitor":
        return pl.UInt64
    texts = ("user_id", "referer_name", "referer_keyword", "referer_url", "location_", "config_")
    return pl.String if column.startswith(texts) and column != "config_device_type" else pl.Int64
