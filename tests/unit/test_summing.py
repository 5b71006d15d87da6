"""Tables put together, and kept within their limits."""

from footfall.archiving.datatable import DataTable, Row
from footfall.archiving.records import BlobRecord, Combine
from footfall.archiving.summing import TableSum, limit


def row(label: str, visits: int, **columns: object) -> Row:
    return Row({"label": label, "nb_visits": visits, **columns})


def summed(*tables: DataTable, **combine: Combine) -> DataTable:
    total = TableSum(combine)
    for table in tables:
        total.add(table)
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
