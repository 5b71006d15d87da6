"""A day's log for tests of records of actions: what matters to a test, actions by name, nulls for the rest."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import polars as pl

from footfall.archiving.blob import StoredTable, stored, to_blobs
from footfall.archiving.datatable import DataTable
from footfall.archiving.daylog import DayLog
from footfall.archiving.reader import table_of
from footfall.archiving.records import Computed, RecordBuilder

PAGE_URL, OUTLINK, DOWNLOAD, PAGE_TITLE, SKU, PRODUCT, CATEGORY, SEARCH = 1, 2, 3, 4, 5, 6, 7, 8
EVENT_CATEGORY, EVENT_ACTION, EVENT_NAME, CONTENT, PIECE, TARGET, INTERACTION = 10, 11, 12, 13, 14, 15, 16
HTTPS = 2
Rows = Sequence[dict[str, Any]]


class Name(NamedTuple):
    """An action by its type and name, where the log has its id."""

    kind: int
    text: str


def log(
    builder: RecordBuilder, *, visits: Rows = (), actions: Rows = (), conversions: Rows = (), items: Rows = ()
) -> DayLog:
    """A day with these rows, the columns that the builder reads; of visit 1 and visitor 1, unless a row says so."""
    given = {
        "log_visit": visits,
        "log_link_visit_action": actions,
        "log_conversion": conversions,
        "log_conversion_item": items,
    }
    names: dict[Name, int] = {}
    tables = {}
    for table, columns in builder.reads.items():
        rows = [{"idvisit": 1, "idvisitor": 1, **row} for row in given[table]]
        tables[table] = pl.DataFrame(
            {column: [_stored(row.get(column), names) for row in rows] for column in ("idvisit", *columns)},
            schema={column: _type(column) for column in ("idvisit", *columns)},
        )
    return DayLog.of(
        tables,
        pl.DataFrame(
            {
                "idaction": list(names.values()),
                "name": [name.text for name in names],
                "type": [name.kind for name in names],
                "url_prefix": [HTTPS if name.kind == PAGE_URL else None for name in names],
            },
            schema={"idaction": pl.Int64, "name": pl.String, "type": pl.Int64, "url_prefix": pl.Int64},
        ),
    )


def table(builder: RecordBuilder, day: DayLog, record: str) -> DataTable:
    """A record of the day, its subtables in place."""
    found = builder.compute(day)[record]
    assert not isinstance(found, float)
    return read(found) if isinstance(found, StoredTable) else found


def read(made: DataTable | StoredTable) -> DataTable:
    """A table as it is read when it was stored, its subtables in place."""
    return table_of(to_blobs("R", made if isinstance(made, StoredTable) else stored(made)), "R", expanded=True)


def stored_tables(computed: Computed) -> dict[str, Any]:
    """What is stored of each record."""
    return {
        name: value
        if isinstance(value, float)
        else to_blobs(name, value if isinstance(value, StoredTable) else stored(value))
        for name, value in computed.items()
    }


def tree(found: DataTable, *columns: str) -> dict[Any, Any]:
    """Some columns of each row by its label, and the rows below under `below`."""
    return {
        row.columns["label"]: {c: row.columns.get(c) for c in columns}
        | ({"below": tree(row.subtable, *columns)} if row.subtable is not None else {})
        for row in found
    }


def _stored(value: Any, names: dict[Name, int]) -> Any:
    return names.setdefault(value, len(names) + 1) if isinstance(value, Name) else value


def _type(column: str) -> type[pl.DataType]:
    if column in ("custom_float", "price", "product_price") or column.startswith("revenue"):
        return pl.Float64
    is_text = column in ("user_id", "search_cat", "idorder") or column.startswith(("custom_var_", "custom_dimension_"))
    return pl.String if is_text else pl.Int64
