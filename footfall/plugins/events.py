"""Events: their categories, actions and names, each with the others below it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from footfall.archiving.datatable import Row
from footfall.archiving.hierarchy import make_tree
from footfall.archiving.paths import Paths
from footfall.archiving.records import BlobRecord, Combine, Computed, RecordBuilder
from footfall.archiving.segments import ACTION, VISIT, SegmentName
from footfall.archiving.segments import EVENTS as EVENTS_CATEGORY
from footfall.archiving.tree_rows import TreeRows
from footfall.plugins import Plugin
from footfall.reports.metrics import ratio
from footfall.reports.report import Listing, TableReport
from footfall.reports.segment_text import condition
from footfall.reports.source import Source

if TYPE_CHECKING:
    from footfall.archiving.daylog import DayLog

# Records

_CATEGORY, _ACTION, _NAME = "category", "action", "name"
_COLUMNS: Final = {
    _CATEGORY: "idaction_event_category",
    _ACTION: "idaction_event_action",
    _NAME: "idaction_name",
}
_NO_NAME = "Piwik_EventNameNotSet"
_EXTREMES: Final = {"min_event_value": Combine.MIN, "max_event_value": Combine.MAX}


def _record_name(level: str, below: str) -> str:
    return f"Events_{level}_{below}"


_RECORDS: Final = {
    (level, below): BlobRecord(_record_name(level, below), 500, 500, combine=_EXTREMES)
    for level in _COLUMNS
    for below in _COLUMNS
    if below != level
}


def _event_tables(log: DayLog) -> Computed:
    value = pl.col("custom_float")
    events = (
        log.actions.filter(pl.col("idaction_event_category").is_not_null())
        .group_by(*_COLUMNS.values())
        .agg(
            nb_uniq_visitors=pl.col("idvisitor").n_unique(),
            nb_visits=pl.col("idvisit").n_unique(),
            nb_events=pl.len(),
            nb_events_with_value=value.count(),
            sum_event_value=value.sum().round(2),
            min_event_value=value.min(),
            max_event_value=value.max(),
        )
        .sort("nb_events", *_COLUMNS.values(), descending=[True, False, False, False])
    )
    texts = {level: log.names_of(events[column]).fill_null(_NO_NAME).to_list() for level, column in _COLUMNS.items()}
    metrics = events.drop(_COLUMNS.values())
    return {
        record.name: make_tree(TreeRows(metrics, Paths(list(zip(texts[level], texts[below], strict=True)))), record)
        for (level, below), record in _RECORDS.items()
    }


EVENTS = RecordBuilder(
    records=tuple(_RECORDS.values()),
    reads={"log_link_visit_action": ("idvisitor", "custom_float", *_COLUMNS.values())},
    compute=_event_tables,
    occurs={"log_link_visit_action": ("idaction_event_category",)},
)

# Segments

_CATEGORY_TYPE, _ACTION_TYPE, _NAME_TYPE = 10, 11, 12  # of log_action; a page on which an event was has the first


def _text(name: str, column: str, kind: int, *, is_url: bool = False) -> SegmentName:
    return SegmentName(name, ACTION, column, category=EVENTS_CATEGORY, action_types=(kind,), is_url=is_url)


SEGMENTS = (
    SegmentName("events", VISIT, "visit_total_events", type="metric"),
    SegmentName(
        "eventValue",
        ACTION,
        pl.when(pl.col(_COLUMNS[_CATEGORY]).is_not_null()).then(pl.col("custom_float")),
        type="metric",
        category=EVENTS_CATEGORY,
    ),
    _text("eventAction", _COLUMNS[_ACTION], _ACTION_TYPE),
    _text("eventCategory", _COLUMNS[_CATEGORY], _CATEGORY_TYPE),
    _text("eventName", _COLUMNS[_NAME], _NAME_TYPE),
    _text("eventUrl", "idaction_url", _CATEGORY_TYPE, is_url=True),
)

# Reports

_DIMENSIONS: Final = {_CATEGORY: "Event Category", _ACTION: "Event Action", _NAME: "Event Name"}
_METRICS: Final = ("nb_events", "sum_event_value", "min_event_value", "max_event_value", "nb_events_with_value")
_AVERAGE = ratio("avg_event_value", "sum_event_value", "nb_events_with_value", 2)
# What is below each unless the request's `secondaryDimension` says otherwise.
_BELOW: Final = {_CATEGORY: _ACTION, _ACTION: _NAME, _NAME: _ACTION}
_SECONDARY: Final = {"eventCategory": _CATEGORY, "eventAction": _ACTION, "eventName": _NAME}


def _dimension(level: str) -> str:
    return f"Events_{_DIMENSIONS[level].replace(' ', '')}"


def _event_report(level: str) -> TableReport:
    segment = next(name for name, of in _SECONDARY.items() if of == level)

    def record(source: Source) -> str:
        below = _SECONDARY.get(source.parameters.get("secondaryDimension", ""), _BELOW[level])
        return _RECORDS[level, below if below != level else _BELOW[level]].name

    def metadata(row: Row) -> dict[str, Any]:
        return condition((segment, row.label))

    return TableReport(
        f"Events.get{level.capitalize()}",
        record=record,
        dimension=_dimension(level),
        below=(_dimension(_BELOW[level]),),
        shown_label=_shown_label,
        processed=(_AVERAGE,),
        metadata=metadata,
        listing=Listing(
            _DIMENSIONS[level],
            _METRICS,
            (_AVERAGE.name,),
            f"get{_BELOW[level].capitalize()}From{level.capitalize()}Id",
        ),
    )


def _subtable_report(level: str, below: str) -> TableReport:
    return TableReport(
        f"Events.get{below.capitalize()}From{level.capitalize()}Id",
        record=_RECORDS[level, below].name,
        dimension=_dimension(below),
        shown_label=_shown_label,
        processed=(_AVERAGE,),
    )


def _shown_label(label: str) -> str:
    return "Event Name not defined" if label == _NO_NAME else label


REPORTS = (
    *(_event_report(level) for level in _COLUMNS),
    *(_subtable_report(level, below) for level, below in _RECORDS),
)

PLUGIN = Plugin("Events", builders=(EVENTS,), reports=REPORTS, segments=SEGMENTS)
