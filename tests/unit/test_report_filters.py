"""What requests leave of the rows of a table (conformance `shapes`), and what they find."""

import pytest

from footfall.archiving.datatable import DataTable, Row
from footfall.reports.errors import ReportError
from footfall.reports.metrics import ratio
from footfall.reports.numbers_row import shaped_row
from footfall.reports.report import TableReport, dashed_label
from footfall.reports.request import parse_shape
from footfall.reports.shape import Shape
from footfall.reports.table import shaped

REPORT = TableReport(
    "Fruit.get",
    record="Fruit_fruit",
    dimension="Fruit_Kind",
    below=("Fruit_Sort",),
    processed=(ratio("bounce_rate", "bounce_count", "nb_visits", 2, "percent"),),
    metadata=lambda row: {"url": f"http://x/{row.label}"} if row.label == "apple" else {},
    shown_label=lambda label: label.capitalize(),
)


def row(label: str, visits: int, *below: Row, **columns: object) -> Row:
    made = Row({"label": label, "nb_visits": visits, "bounce_count": 1, **columns})
    if below:
        made.subtable, made.subtable_id = DataTable(list(below)), 1
    return made


def fruit(**parameters: str) -> list[Row]:
    table = DataTable(
        [row("apple", 10, row("cox", 6), row("boskop", 4)), row("pear", 5), row("plum", 2), row("fig", 1)],
        Row({"label": -1, "nb_visits": 3, "bounce_count": 0}),
    )
    return list(shaped(table, REPORT, parse_shape(parameters)))


def labels(rows: list[Row]) -> list[str]:
    return [row.label for row in rows]


def test_rows_come_as_the_report_has_them() -> None:
    assert labels(fruit()) == ["Apple", "Pear", "Plum", "Fig", "Others"]


def test_a_pattern_finds_rows_in_any_case() -> None:
    assert labels(fruit(filter_pattern="^P")) == ["Pear", "Plum"]
    assert labels(fruit(filter_pattern="5", filter_column="nb_visits")) == ["Pear"]


def test_a_recursive_pattern_keeps_what_stands_above_a_find() -> None:
    (apple,) = fruit(filter_pattern_recursive="cox", expanded="1")
    assert apple.label == "Apple"
    assert labels(list(apple.subtable)) == ["cox"]


def test_a_pattern_that_cannot_be_read_or_is_too_long_is_told() -> None:
    with pytest.raises(ReportError, match="not a regular expression"):
        fruit(filter_pattern="(")
    with pytest.raises(ReportError, match="at most 500 characters"):
        fruit(filter_pattern="a" * 501)


def test_a_pattern_takes_no_longer_for_being_cunning() -> None:
    table = DataTable([row("a" * 5000, 1)])
    assert len(shaped(table, REPORT, parse_shape({"filter_pattern": "(a+)+$x"}))) == 0


def test_rows_below_a_number_are_left_out() -> None:
    small = {"filter_excludelowpop": "nb_visits", "filter_excludelowpop_value": "3"}
    assert labels(fruit(**small)) == ["Apple", "Pear", "Others"]


def test_without_a_number_two_hundredths_of_the_sum_are_small() -> None:
    table = DataTable([row("many", 98), row("two", 2), row("one", 1)])
    assert labels(list(shaped(table, REPORT, parse_shape({"filter_excludelowpop": "nb_visits"})))) == ["Many"]


def test_truncation_sums_the_further_rows() -> None:
    *_, others = rows = fruit(filter_truncate="1")
    assert labels(rows) == ["Apple", "Others"]
    assert (others.columns["nb_visits"], others.columns["bounce_rate"]) == (11, "27%")


def test_truncation_leaves_a_single_further_row_itself() -> None:
    assert labels(fruit(filter_truncate="4")) == ["Apple", "Pear", "Plum", "Fig", "Others"]


def test_extremes_stay_extremes_when_rows_are_summed() -> None:
    rows = [row(name, 1, min_time=least, max_time=least + 1) for name, least in (("a", 3), ("b", 2), ("c", 5))]
    (others,) = shaped(DataTable(rows), REPORT, Shape(truncate=0))
    assert (others.columns["min_time"], others.columns["max_time"]) == (2, 6)


def test_the_limit_may_keep_others() -> None:
    assert labels(fruit(filter_limit="2")) == ["Apple", "Pear"]
    assert labels(fruit(filter_limit="2", keep_summary_row="1")) == ["Apple", "Pear", "Others"]
    assert labels(fruit(filter_limit="2", filter_offset="3")) == ["Fig", "Others"]


def test_columns_are_shown_and_hidden_and_labels_stay() -> None:
    assert fruit(showColumns="nb_visits")[0].columns == {"label": "Apple", "nb_visits": 10}
    assert fruit(hideColumns="nb_visits,bounce_rate")[0].columns == {"label": "Apple", "bounce_count": 1}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("apple", ["Apple"]),
        ("Apple", ["Apple"]),
        ("apple > cox", ["Cox"]),
        ("apple>boskop", ["Boskop"]),
        ("@pear", ["Pear"]),
        ("@apple", []),
        ("apple > pear", []),
        ("nothing", []),
    ],
)
def test_one_row_is_asked_for_by_its_label(wanted: str, found: list[str]) -> None:
    assert labels(fruit(label=wanted, filter_limit="1")) == found


def test_a_label_may_hold_what_separates_labels() -> None:
    table = DataTable([row("a > b", 1), row("a", 1)])
    assert labels(list(shaped(table, REPORT, parse_shape({"label": "a+%3E+b"})))) == ["A > b"]


def test_a_flat_row_names_its_levels_and_has_what_stands_beside_those_above() -> None:
    cox = fruit(flat="1")[0]
    assert cox.label == dashed_label(["Apple", "cox"])
    assert cox.metadata == {"url": "http://x/apple", "Fruit_Kind": "apple", "Fruit_Sort": "cox"}


def test_a_flat_answer_may_have_the_rows_above_too() -> None:
    rows = fruit(flat="1", include_aggregate_rows="1")
    assert [(row.label, row.metadata.get("is_aggregate")) for row in rows[:2]] == [("Apple", 1), ("Apple - cox", 0)]


@pytest.mark.parametrize(("word", "value"), [("", "10%"), ("1", "10%"), ("all", "10%"), ("0", 0.1)])
def test_percentages_are_formatted_unless_told_otherwise(word: str, value: object) -> None:
    assert fruit(format_metrics=word)[0].columns["bounce_rate"] == value


def test_times_are_formatted_when_told_so() -> None:
    spent = TableReport(
        "Fruit.time",
        processed=(
            ratio("avg_time", "sum_time", "nb_visits", 2, "seconds"),
            ratio("avg_clock", "sum_time", "nb_visits", 0, "clock"),
        ),
    )
    for seconds, sentence, clock in ((162, "2 min 42s", "00:02:42"), (0.04, "0.04s", "00:00:00")):
        table = DataTable([row("a", 1, sum_time=seconds)])
        (shown,) = shaped(table, spent, parse_shape({"format_metrics": "1"}))
        assert (shown.columns["avg_time"], shown.columns["avg_clock"]) == (sentence, clock)


@pytest.mark.parametrize(
    "parameters",
    [
        {"filter_pattern": "o"},
        {"label": "docs"},
        {"filter_offset": "1"},
        {"filter_excludelowpop": "nb_visits", "filter_excludelowpop_value": "5"},
        {"filter_excludelowpop": "nothing"},
        {"showColumns": "nothing"},
    ],
)
def test_a_row_of_numbers_is_left_out_where_a_row_would_be(parameters: dict[str, str]) -> None:
    assert shaped_row({"nb_visits": 4, "nb_actions": 9}, parse_shape(parameters)) == {}


def test_a_row_of_numbers_has_the_columns_asked_for() -> None:
    assert shaped_row({"nb_visits": 4, "nb_actions": 9}, parse_shape({"showColumns": "nb_visits"})) == {"nb_visits": 4}
