"""The records of pages, computed from a few log rows."""

import action_rows
import polars as pl
import pytest

from footfall.archiving.datatable import DataTable
from footfall.archiving.daylog import DayLog
from footfall.plugins.actions.records import ACTIONS
from footfall.plugins.visits_summary import SUMMARY

HTTPS = 2


def log_of(urls: list[str | None], titles: list[str | None] | None = None, **columns: list[object]) -> DayLog:
    """A day with one visit that saw these pages one after the other."""
    titles = titles if titles is not None else [None] * len(urls)
    names: dict[tuple[str, int], int] = {}

    def number(name: str | None, kind: int) -> int | None:
        return None if name is None else names.setdefault((name, kind), len(names) + 1)

    url_ids, title_ids = [number(url, 1) for url in urls], [number(title, 4) for title in titles]
    count = len(urls)
    actions: dict[str, object] = {
        "idvisit": [1] * count,
        "idvisitor": [7] * count,
        "idaction_url": url_ids,
        "idaction_name": title_ids,
        "idaction_url_ref": [None, *url_ids[:-1]],
        "idaction_name_ref": [None, *title_ids[:-1]],
        "time_spent_ref_action": [0] + [10] * (count - 1),
        "idaction_event_category": [None] * count,
        **{c: [None] * count for c in ACTIONS.reads["log_link_visit_action"][7:]},
        **columns,
    }
    visits = {
        "idvisit": [1],
        "idvisitor": [7],
        "user_id": [None],
        "visit_total_actions": [count],
        "visit_total_time": [10 * count - 9],
        "visit_goal_converted": [0],
        "visit_entry_idaction_url": url_ids[:1],
        "visit_exit_idaction_url": url_ids[-1:],
        "visit_entry_idaction_name": title_ids[:1],
        "visit_exit_idaction_name": title_ids[-1:],
    }
    integers = {c: pl.Int64 for c in (*actions, *visits) if c not in ("user_id", "custom_float", "search_cat")}
    types = {**integers, "user_id": pl.String, "search_cat": pl.String, "custom_float": pl.Float64}
    return DayLog.of(
        {
            "log_visit": pl.DataFrame(visits, schema_overrides=types),
            "log_link_visit_action": pl.DataFrame(actions, schema_overrides=types),
        },
        pl.DataFrame(
            {
                "idaction": list(names.values()),
                "name": [name for name, _ in names],
                "type": [kind for _, kind in names],
                "url_prefix": [HTTPS if kind == 1 else None for _, kind in names],
            },
            schema={"idaction": pl.Int64, "name": pl.String, "type": pl.Int64, "url_prefix": pl.Int64},
        ),
    )


def table(log: DayLog, record: str = "Actions_actions_url") -> DataTable:
    return action_rows.table(ACTIONS, log, record)


def paths(found: DataTable, above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The labels from the root to each leaf."""
    return [
        path
        for row in found
        for path in (paths(row.subtable, (*above, row.label)) if row.subtable else [(*above, row.label)])
    ]


@pytest.mark.parametrize(
    ("url", "labels"),
    [
        ("x.example/", ("/index",)),
        ("x.example", ("/index",)),
        ("x.example/about", ("/about",)),
        ("x.example/docs/", ("docs", "/index")),
        ("x.example/docs/api/v1/list?q=1", ("docs", "api", "v1", "/list?q=1")),
        ("x.example//a// b ", ("a", "/b")),
        ("x.example/a#part/two", ("a#part", "/two")),
        ("x.example/1/2/3/4/5/6/7/8/9/10/11", ("1", "2", "3", "4", "5", "6", "7", "8", "9", "/10/11")),
    ],
)
def test_the_path_of_a_url_is_folders_and_a_page(url: str, labels: tuple[str, ...]) -> None:
    assert paths(table(log_of([url]))) == [labels]


def test_a_page_and_a_folder_of_the_same_name_are_two_rows() -> None:
    assert sorted(paths(table(log_of(["x.example/docs", "x.example/docs/a"])))) == [("/docs",), ("docs", "/a")]


def test_a_folder_has_the_sum_of_its_pages_but_no_unique_visitors() -> None:
    found = table(log_of(["x.example/docs/a", "x.example/docs/b", "x.example/docs/a"]))
    folder = found.rows[0]
    assert folder.columns["nb_hits"] == 3
    assert folder.columns["nb_visits"] == 2
    assert folder.columns["sum_time_spent"] == 20
    assert not {"nb_uniq_visitors", "entry_nb_uniq_visitors", "exit_nb_uniq_visitors"} & folder.columns.keys()
    assert folder.metadata == {"folder_url_start": "https://x.example/docs"}
    assert folder.subtable is not None
    assert folder.subtable.rows[0].metadata == {"url": "https://x.example/docs/a"}


def test_only_pages_where_a_visit_begins_or_ends_have_entry_or_exit_metrics() -> None:
    found = {row.label: row.columns for row in table(log_of(["x.example/a", "x.example/b", "x.example/c"]))}
    assert found["/a"]["entry_nb_actions"] == 3
    assert "exit_nb_visits" not in found["/a"]
    assert not [name for name in found["/b"] if name.startswith(("entry_", "exit_"))]
    assert found["/c"]["exit_nb_visits"] == 1


def test_titles_are_not_split_and_begin_with_a_space() -> None:
    found = table(log_of(["x.example/a"], ["Shoes / Red"]), "Actions_actions")
    assert [(row.label, row.metadata) for row in found] == [(" Shoes / Red", {"page_title_path": "Shoes / Red"})]


def test_events_are_no_page_views() -> None:
    log = log_of(["x.example/a", "x.example/a"], idaction_event_category=[None, 5])
    assert ACTIONS.compute(log)["Actions_nb_pageviews"] == 1


def test_timings_are_seconds_over_the_hits_that_were_measured() -> None:
    log = log_of(["x.example/a"] * 3, time_server=[100, None, 250])
    columns = table(log).rows[0].columns
    assert columns["sum_time_server"] == 0.35
    assert columns["nb_hits_with_time_server"] == 2
    assert (columns["min_time_server"], columns["max_time_server"]) == (0.1, 0.25)
    assert (columns["sum_time_network"], columns["min_time_network"]) == (0, None)


def test_a_visit_of_one_action_is_a_bounce() -> None:
    assert SUMMARY.compute(log_of(["x.example/a"]))["bounce_count"] == 1
    assert SUMMARY.compute(log_of(["x.example/a", "x.example/b"]))["bounce_count"] == 0
