"""Numbers and rows of reports: what is computed, flattened, left out and put in order."""

import json

import pytest

from footfall.archiving.datatable import DataTable, Row
from footfall.plugins import reports
from footfall.reports.answer import Numbers, Table
from footfall.reports.formats.json import JsonFormat
from footfall.reports.metrics import percent, quotient, rounded
from footfall.reports.report import TableReport
from footfall.reports.table import Shape, shaped


@pytest.mark.parametrize(
    ("value", "digits", "expected"), [(0.125, 2, 0.13), (1.005, 2, 1.01), (3.25, 1, 3.3), (43.28, 0, 43), (4.0, 1, 4)]
)
def test_halves_are_rounded_up(value: float, digits: int, expected: float) -> None:
    assert rounded(value, digits) == expected


@pytest.mark.parametrize(("value", "text"), [(0, "0%"), (0.33, "33%"), (0.5588, "55.88%"), (1, "100%")])
def test_a_quotient_reads_as_a_percentage(value: float, text: str) -> None:
    assert percent(value) == text


def test_a_quotient_over_nothing_is_zero() -> None:
    assert quotient({"a": 5}, "a", "b", 2) == 0
    assert quotient({"a": 5, "b": "0"}, "a", "b", 2) == 0


def test_numbers_that_the_archive_holds_as_text_count() -> None:
    assert quotient({"a": "5", "b": "2"}, "a", "b", 1) == 2.5


FLAT = Shape(flat=True)


def page(label: str, visits: int, **columns: object) -> Row:
    return Row({"label": label, "nb_visits": visits, "nb_hits": visits, **columns}, {"url": f"http://x{label}"})


def folder(label: str, *rows: Row, others: Row | None = None) -> Row:
    visits = sum(row.columns["nb_visits"] for row in rows)
    return Row({"label": label, "nb_visits": visits, "nb_hits": visits}, subtable=DataTable(list(rows), others))


def rows_of(method: str, *rows: Row, others: Row | None = None, shape: Shape = FLAT) -> list[Row]:
    report = reports()[method]
    assert isinstance(report, TableReport)
    return list(shaped(DataTable(list(rows), others), report, shape))


def labels(rows: list[Row]) -> list[str]:
    return [row.label for row in rows]


def test_a_flat_page_is_labelled_with_its_path() -> None:
    rows = rows_of("Actions.getPageUrls", folder("docs", folder("api", page("/list", 3)), page("/index", 2)))
    assert labels(rows) == ["/docs/api/list", "/docs/"]
    assert rows[0].metadata["Actions_PageUrl"] == "/docs/api/list"


def test_the_index_of_the_site_is_a_slash() -> None:
    assert labels(rows_of("Actions.getPageUrls", page("/index", 1))) == ["/"]


def test_a_flat_title_is_trimmed() -> None:
    assert labels(rows_of("Actions.getPageTitles", page(" Home", 1))) == ["Home"]


def test_the_summary_row_comes_last_and_reads_others() -> None:
    others = Row({"label": -1, "nb_visits": 100, "nb_hits": 100})
    rows = rows_of("Actions.getPageTitles", page(" Home", 1), others=others, shape=Shape())
    assert labels(rows) == [" Home", "Others"]
    assert labels(rows_of("Actions.getPageTitles", page(" Home", 1), others=others)) == ["Home", "Others"]


def test_the_others_of_a_folder_stay_in_the_folder() -> None:
    others = Row({"label": -1, "nb_visits": 9, "nb_hits": 9})
    rows = rows_of("Actions.getPageUrls", folder("docs", page("/intro", 3), others=others))
    assert labels(rows) == ["/docs/Others", "/docs/intro"]


def test_ties_are_in_the_order_of_labels_with_numbers_by_value() -> None:
    rows = [page(f"/{name}", 1) for name in ("b10", "B9", "a")]
    assert labels(rows_of("Actions.getPageUrls", *rows)) == ["/a", "/B9", "/b10"]


def test_rows_without_the_sort_column_come_last_either_way() -> None:
    rows = [page("/a", 5), page("/b", 1, exit_nb_visits=1), page("/c", 1, exit_nb_visits=0)]
    for descending, expected in ((True, ["/b", "/c", "/a"]), (False, ["/c", "/b", "/a"])):
        shape = Shape(sort_column="exit_nb_visits", descending=descending)
        assert labels(rows_of("Actions.getPageUrls", *rows, shape=shape)) == expected


def test_a_page_where_no_visit_began_is_no_entry_page() -> None:
    rows = [page("/a", 1, entry_nb_visits=1), page("/b", 1)]
    assert labels(rows_of("Actions.getEntryPageUrls", *rows, shape=Shape())) == ["/a"]


def timed(label: str, hits: int, seconds: float) -> Row:
    return page(
        label,
        1,
        nb_hits_with_time_server=hits,
        sum_time_server=seconds,
        min_time_server=None,
        max_time_server=None,
    )


def test_a_measurement_of_some_rows_shows_in_all_and_without_its_sum() -> None:
    rows = rows_of("Actions.getPageUrls", timed("/a", 2, 1.0), timed("/b", 0, 0.0))
    assert [row.columns["avg_time_server"] for row in rows] == [0.5, 0]
    assert [row.columns["avg_page_load_time"] for row in rows] == [0.5, 0]
    assert all("sum_time_server" not in row.columns and "nb_hits_with_time_server" in row.columns for row in rows)


def test_a_measurement_of_no_row_is_not_shown() -> None:
    (row,) = rows_of("Actions.getPageUrls", timed("/a", 0, 0.0))
    assert not {name for name in row.columns if "time_server" in name}
    assert row.columns["avg_page_load_time"] == 0


def test_a_measurement_shows_when_only_rows_beyond_the_limit_have_it() -> None:
    rows = rows_of("Actions.getPageUrls", timed("/a", 0, 0.0), timed("/b", 1, 2.0), shape=Shape(limit=1))
    assert labels(rows) == ["/a"]
    assert rows[0].columns["avg_time_server"] == 0


def test_json_writes_whole_numbers_without_a_point() -> None:
    assert JsonFormat().render(Numbers({"a": 4.0, "b": 2.5})) == b'{"a":4,"b":2.5}'


def test_json_takes_labels_that_are_no_text() -> None:
    answer = Table(DataTable([Row({"label": "caf\udce9"})]))
    assert json.loads(JsonFormat().render(answer)) == [{"label": "caf?"}]
