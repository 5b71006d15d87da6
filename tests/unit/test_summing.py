"""Tables put together, and kept within their limits."""

import zlib
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footfall.archiving.blob import stored, to_blobs
from footfall.archiving.datatable import DataTable, Row
from footfall.archiving.phpserialize import NotSerialized, dumps
from footfall.archiving.records import BlobRecord, Combine
from footfall.archiving.summing import add_columns, limit
from footfall.archiving.table_sum import TableSum


def row(label: str, visits: int, **columns: object) -> Row:
    return Row({"label": label, "nb_visits": visits, **columns})


def summed(*tables: DataTable, **combine: Combine) -> DataTable:
    total = TableSum(combine)
    for table in tables:
        total.add(to_blobs("R", stored(table)), "R")
    return total.table()


def shown(table: DataTable) -> dict[str, int]:
    return {one.label: one.columns["nb_visits"] for one in table}


def test_rows_of_the_same_label_are_added_in_every_subtable() -> None:
    def day(visits: int) -> DataTable:
        return DataTable([Row({"label": "docs", "nb_visits": visits}, subtable=DataTable([row("/a", visits)]))])

    week = summed(day(1), day(2), DataTable([row("/b", 5)]))
    assert shown(week) == {"docs": 3, "/b": 5}
    assert week.rows[0].subtable is not None
    assert shown(week.rows[0].subtable) == {"/a": 3}


def test_largest_and_smallest_values_are_kept_and_null_is_no_value() -> None:
    days = [DataTable([row("a", 1, high=value, low=value)]) for value in (None, 3, 0.5, None)]
    columns = summed(*days, high=Combine.MAX, low=Combine.MIN).rows[0].columns
    assert (columns["high"], columns["low"]) == (3, 0.5)


def test_distinct_visitors_of_days_become_a_sum_that_says_so() -> None:
    week = summed(*(DataTable([row("a", 1, nb_uniq_visitors=2)]) for _ in range(3)))
    assert week.rows[0].columns == {"label": "a", "nb_visits": 3, "sum_daily_nb_uniq_visitors": 6}


def test_metadata_of_the_first_row_that_has_it_is_kept() -> None:
    days = [DataTable([Row({"label": "a"}, metadata)]) for metadata in ({}, {"url": "x"}, {"url": "y"})]
    assert summed(*days).rows[0].metadata == {"url": "x"}


def test_rows_beyond_the_limit_become_others() -> None:
    record = BlobRecord("R", max_rows=3, max_subtable_rows=2)
    table = DataTable([row("a", 1), row("b", 9), row("c", 5), row("d", 2)])
    assert shown(limit(table, record)) == {"b": 9, "c": 5, "-1": 3}


def test_a_table_of_just_the_limit_stays_as_it_is() -> None:
    record = BlobRecord("R", max_rows=3, max_subtable_rows=2)
    assert shown(limit(DataTable([row("a", 1), row("b", 9), row("c", 5)]), record)) == {"a": 1, "b": 9, "c": 5}


def test_others_of_days_are_part_of_the_others_of_the_week() -> None:
    record = BlobRecord("R", max_rows=2, max_subtable_rows=2)
    days = [limit(DataTable([row("a", 5), row("b", 1), row("c", 1)]), record) for _ in range(2)]
    week = limit(summed(*days, DataTable([row("d", 7)])), record)
    assert shown(week) == {"a": 10, "-1": 11}


def test_subtables_have_their_own_limit() -> None:
    record = BlobRecord("R", max_rows=9, max_subtable_rows=2)
    below = DataTable([row("/a", 1), row("/b", 2), row("/c", 3)])
    limited = limit(DataTable([Row({"label": "docs", "nb_visits": 6}, subtable=below)]), record)
    assert limited.rows[0].subtable is not None
    assert shown(limited.rows[0].subtable) == {"/c": 3, "-1": 3}


# Any tables

_COMBINE = {"high": Combine.MAX, "low": Combine.MIN, "kept": Combine.SKIP}
_numbers = st.none() | st.integers(-5, 9) | st.sampled_from([0.5, -2.0, 1e20])
_columns = st.fixed_dictionaries(
    {"nb_visits": st.integers(0, 9)},
    optional={
        **dict.fromkeys(("revenue", "high", "low", "kept", "nb_actions", 'a";b}i:1;', "77"), _numbers),
        "nb_uniq_visitors": st.integers(0, 3),
        "goals": st.dictionaries(st.integers(0, 2), st.dictionaries(st.integers(1, 3), st.integers(0, 9)), max_size=2),
    },
)
_metadata = st.dictionaries(st.sampled_from(["url", "x"]), st.sampled_from(["/a", '";}i:3;N;}', "é"]), max_size=2)
_labels = st.sampled_from(["a", "docs", 'b";i:2;i:9;', "", "é}", 5, -7])


def _tables(below: st.SearchStrategy[DataTable | None]) -> st.SearchStrategy[DataTable]:
    def made(label: Any, columns: dict[str, Any], metadata: dict[str, Any], inside: DataTable | None) -> Row:
        return Row({"label": label, **columns}, metadata, inside)

    row_of = st.builds(made, _labels, _columns, _metadata, below)
    rows = st.lists(row_of, max_size=4, unique_by=lambda one: one.label)
    others = st.none() | st.builds(lambda columns: Row({"label": -1, **columns}), _columns)
    return st.builds(DataTable, rows, others)


def added(tables: list[DataTable]) -> dict[str, Any]:
    """The sum, value by value."""
    rows: dict[str, Any] = {}
    for table in tables:
        for one in table:
            key = "others" if one is table.summary else f"row {one.label}"
            daily = {"nb_uniq_visitors": "sum_daily_nb_uniq_visitors"}
            columns = {daily.get(name, name): value for name, value in one.columns.items() if name != "label"}
            total = rows.setdefault(key, {"columns": {}, "metadata": {}, "below": []})
            add_columns(total["columns"], columns, _COMBINE)
            if key != "others":
                total["metadata"] = one.metadata | total["metadata"]
                total["below"] += [one.subtable] if one.subtable is not None else []
    return {key: {**total, "below": added(total["below"])} for key, total in rows.items()}


def described(table: DataTable | None) -> dict[str, Any]:
    """A table as `added` gives it."""
    rows = [] if table is None else [(f"row {one.label}", one) for one in table.rows]
    rows += [] if table is None or table.summary is None else [("others", table.summary)]
    return {
        key: {
            "columns": {name: value for name, value in one.columns.items() if name != "label"},
            "metadata": one.metadata,
            "below": described(one.subtable),
        }
        for key, one in rows
    }


@given(st.lists(_tables(st.none() | _tables(st.none())), max_size=4))
def test_a_sum_of_stored_tables_has_the_sums_of_their_rows(tables: list[DataTable]) -> None:
    blobs = [to_blobs("R", stored(table)) for table in tables]
    total = TableSum(_COMBINE)
    for part in blobs:
        total.add(part, "R")
    assert described(total.table()) == added(tables)


@given(st.data())
def test_a_sum_with_a_changed_byte_is_a_table_or_refused(data: st.DataObject) -> None:
    below = DataTable([row("/a", 1), Row({"label": "/b", "nb_visits": 2}, {"url": "x/b"})])
    blobs = to_blobs("R", stored(DataTable([Row({"label": "docs", "nb_visits": 3, "revenue": 1.5}, {}, below)])))
    name = data.draw(st.sampled_from(sorted(blobs)))
    damaged = bytearray(zlib.decompress(blobs[name]))
    damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with suppress(NotSerialized):
        TableSum({}).add(blobs | {name: zlib.compress(bytes(damaged))}, "R")


def test_subtables_that_belong_to_two_rows_are_refused() -> None:
    rows = {place: {0: {"label": str(place)}, 1: {}, 3: 1} for place in range(2)}
    blobs = {"R": zlib.compress(dumps(rows)), "R_chunk_0_99": zlib.compress(dumps({1: dumps({}).decode()}))}
    with pytest.raises(NotSerialized, match="two rows"):
        TableSum({}).add(blobs, "R")
