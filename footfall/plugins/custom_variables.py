"""Custom variables: names and values that visits, or the actions of visits, were given in five slots each.

No recorded archive has any; the columns of rows, the label of an empty value and the noted slots are Matomo's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from footfall.archiving.datatable import DataTable, Row
from footfall.archiving.records import BlobRecord, Computed, RecordBuilder
from footfall.archiving.segments import ACTION, VISIT, SegmentName
from footfall.archiving.visit_metrics import (
    CONVERSION_READS,
    VISIT_COMBINE,
    VISIT_READS,
    columns_by,
    conversions_by,
    visits_by,
)
from footfall.plugins import Plugin
from footfall.reports.listings import visits_listing
from footfall.reports.report import TableReport
from footfall.reports.segment_text import condition

if TYPE_CHECKING:
    from footfall.archiving.daylog import DayLog

# Records

_MOST_ROWS: Final = 1_000
_RECORD: Final = BlobRecord("CustomVariables_valueByName", _MOST_ROWS, _MOST_ROWS, combine=VISIT_COMBINE)
_NO_VALUE: Final = "Value not defined"
_SLOTS: Final = range(1, 6)
_NAMES: Final = tuple(f"custom_var_k{slot}" for slot in _SLOTS)
_VALUES: Final = tuple(f"custom_var_v{slot}" for slot in _SLOTS)
_COLUMNS: Final = (*_NAMES, *_VALUES)
_SLOT, _NAME, _VALUE = "slot", "name", "value"
_KEYS: Final = {name: pl.col(name) for name in (_SLOT, _NAME, _VALUE)}
_OF_VISIT, _OF_ACTION = "visit", "page"
_ACTION_COLUMNS: Final = ("nb_uniq_visitors", "nb_visits", "nb_actions")

# A row of the table by its name alone, a row below it by name and value.
Key = tuple[str, ...]
# The slot, name and value of some rows of the log.
Variable = tuple[Any, ...]


def _variable_table(log: DayLog) -> Computed:
    visits = visits_by(_slots(log.visits), _KEYS)
    conversions = conversions_by(_slots(log.conversions), _KEYS)
    actions = _actions_by(_slots(log.actions))
    rows: dict[Key, dict[str, Any]] = dict(columns_by(visits, conversions, *_KEYS, rows=_rows_of))
    only_actions = {key for variable in actions for key in _rows_of(variable)} - rows.keys()
    for variable, counts in actions.items():
        for key in _rows_of(variable):
            columns = rows.setdefault(key, {})
            for name, count in counts.items():
                columns[name] = columns.get(name, 0) + count
    for key in only_actions:
        # Visits of an action's variable cannot be summed: only the actions are kept.
        rows[key] = {"nb_actions": rows[key]["nb_actions"]}
    slots = _slots_of(
        (_OF_VISIT, visits.select(*_KEYS).rows()),
        (_OF_ACTION, list(actions)),
    )
    return {_RECORD.name: _table(rows, slots)}


def _slots(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of the log once for each slot that has something in it, with its name and value."""
    parts = []
    for slot, name, value in zip(_SLOTS, _NAMES, _VALUES, strict=True):
        part = rows.filter(pl.col(name).is_not_null() & (pl.col(name) != ""))
        parts.append(
            part.drop(_COLUMNS).with_columns(
                part[name].alias(_NAME),
                part[value].fill_null("").replace("", _NO_VALUE).alias(_VALUE),
                pl.lit(slot).alias(_SLOT),
            )
        )
    return pl.concat(parts)


def _actions_by(actions: pl.DataFrame) -> dict[Variable, dict[str, int]]:
    counted = (
        actions.group_by(*_KEYS)
        .agg(
            nb_uniq_visitors=pl.col("idvisitor").n_unique(),
            nb_visits=pl.col("idvisit").n_unique(),
            nb_actions=pl.len(),
        )
        .sort(*_KEYS)
    )
    variables = counted.select(*_KEYS).rows()
    return dict(zip(variables, counted.select(_ACTION_COLUMNS).rows(named=True), strict=True))


def _rows_of(variable: Variable) -> tuple[Key, Key]:
    _, name, value = variable
    return (name,), (name, value)


def _slots_of(*scopes: tuple[str, Iterable[Variable]]) -> dict[str, list[dict[str, Any]]]:
    """The slots that each name was seen in, by scope."""
    found: dict[str, dict[tuple[str, int], None]] = {}
    for scope, variables in scopes:
        for slot, name, _ in sorted(variables):
            found.setdefault(name, {})[scope, slot] = None
    return {name: [{"scope": scope, "index": slot} for scope, slot in slots] for name, slots in found.items()}


def _table(rows: dict[Key, dict[str, Any]], slots: dict[str, list[dict[str, Any]]]) -> DataTable:
    tops: dict[str, Row] = {}
    for key, columns in rows.items():
        if len(key) == 1:
            name = key[0]
            tops[name] = Row({"label": name, **columns}, {"slots": slots[name]}, DataTable())
    for key, columns in rows.items():
        if len(key) == 2 and (below := tops[key[0]].subtable) is not None:
            below.rows.append(Row({"label": key[1], **columns}))
    return DataTable(list(tops.values()))


VARIABLES = RecordBuilder(
    records=(_RECORD,),
    reads={
        "log_visit": (*VISIT_READS, *_COLUMNS),
        "log_link_visit_action": ("idvisitor", *_COLUMNS),
        "log_conversion": (*CONVERSION_READS, *_COLUMNS),
    },
    compute=_variable_table,
    occurs=dict.fromkeys(("log_visit", "log_link_visit_action", "log_conversion"), tuple(_NAMES)),
)

# Segments


def _segments() -> Iterator[SegmentName]:
    for table, of in ((VISIT, ""), (ACTION, "Page")):
        for what, columns in (("Name", _NAMES), ("Value", _VALUES)):
            yield SegmentName(f"customVariable{of}{what}", table, columns, category=_CATEGORY)
            for slot, column in zip(_SLOTS, columns, strict=True):
                yield SegmentName(f"customVariable{of}{what}{slot}", table, column, category=_CATEGORY)


_CATEGORY: Final = "Custom Variables"

# Reports


def _name_metadata(row: Row) -> dict[str, Any]:
    return {**condition(("customVariableName", row.label)), **row.metadata}


REPORTS = (
    TableReport(
        "CustomVariables.getCustomVariables",
        record=_RECORD.name,
        dimension="CustomVariables_CustomVariableName",
        below=("CustomVariables_CustomVariableValue",),
        sort_column="nb_actions",
        metadata=_name_metadata,
        listing=visits_listing("Custom Variable name", with_goals=True, subtable="getCustomVariablesValuesFromNameId"),
    ),
    TableReport(
        "CustomVariables.getCustomVariablesValuesFromNameId",
        record=_RECORD.name,
        dimension="CustomVariables_CustomVariableValue",
        sort_column="nb_actions",
    ),
)

PLUGIN = Plugin("CustomVariables", builders=(VARIABLES,), reports=REPORTS, segments=tuple(_segments()))
