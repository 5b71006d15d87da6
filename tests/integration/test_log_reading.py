"""The log as it is read into columns: every value as it is, however many rows there are and wherever they lie."""

from datetime import datetime, timedelta

import polars as pl
import pytest
from log_rows import add_site, add_visit
from polars.testing import assert_frame_equal

from footfall.archiving import logreader
from footfall.archiving.daylog import DayLog
from footfall.archiving.logreader import LogReader, Reading
from footfall.database import Database

BEGIN, END = datetime(2026, 8, 10), datetime(2026, 8, 11)
READING = Reading(
    {
        "log_visit": ("idvisit", "idvisitor", "user_id", "visit_first_action_time"),
        "log_link_visit_action": ("idvisit", "custom_var_k1", "server_time", "search_cat", "idaction_url"),
        "log_conversion": ("idvisit", "revenue_tax", "idgoal", "server_time", "revenue"),
    }
)


@pytest.fixture
def read(database: Database) -> DayLog:
    """A day of 40 visits, read in one go."""
    for idsite in (1, 2):
        add_site(database, idsite)
    for number in range(40):
        begin = BEGIN + timedelta(minutes=7 * (number * 13 % 40))
        add_visit(database, 1 + number // 30, begin, ["a", "b"], visitor=number, user=["ann", "", None][number % 3])
        database.execute(
            "INSERT INTO log_conversion (idvisit, idsite, idvisitor, server_time, idgoal, buster, url, revenue) "
            "SELECT idvisit, idsite, idvisitor, visit_last_action_time, 1, 0, '', 2.5 FROM log_visit "
            "WHERE idvisit = (SELECT MAX(idvisit) FROM log_visit)"
        )
    for number, text in enumerate(('say "no",\n', "", "a;b", "é")):
        database.execute(
            "UPDATE log_link_visit_action SET custom_var_k1 = %s, search_cat = %s WHERE idlink_va = %s",
            (text, text if number % 2 else None, 10 + 3 * number),
        )
    return LogReader(database).read(READING, 1, BEGIN, END)


def test_texts_empty_ones_and_missing_ones_arrive_as_they_are(read: DayLog) -> None:
    assert sorted(read.actions["custom_var_k1"].drop_nulls()) == ["", "a;b", 'say "no",\n', "é"]
    assert sorted(read.actions["search_cat"].drop_nulls()) == ["", "é"]
    assert read.visits["user_id"].null_count() == 10
    assert read.visits.filter(pl.col("user_id") == "").height == 10
    assert read.conversions.select("revenue", "revenue_tax").unique().rows() == [(2.5, None)]


@pytest.mark.parametrize("sparse", [3, 0])
def test_many_rows_are_read_as_few_are(
    read: DayLog, database: Database, monkeypatch: pytest.MonkeyPatch, sparse: int
) -> None:
    monkeypatch.setattr(logreader, "_FEW_ROWS", 5)
    monkeypatch.setattr(logreader, "_SPARSE", sparse)
    monkeypatch.setattr(logreader, "_ROWS_PER_FETCH", 7)
    many = LogReader(database).read(READING, 1, BEGIN, END)
    for table in ("visits", "actions", "conversions"):
        assert_frame_equal(getattr(many, table), getattr(read, table), check_row_order=False)
