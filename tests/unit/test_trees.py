"""Tables with subtables from rows with a path each; those of many rows are made as those of few."""

from typing import Any

import polars as pl
from action_rows import read, tree
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from footfall.archiving.blob import stored
from footfall.archiving.hierarchy import make_tree
from footfall.archiving.large_tree import large_tree
from footfall.archiving.paths import Paths
from footfall.archiving.records import BlobRecord, Combine
from footfall.archiving.small_tree import small_tree
from footfall.archiving.tree_goals import GOAL, ROW
from footfall.archiving.tree_rows import TreeRows


def made(visits: list[int], paths: list[list[str]], most: int = 9, most_below: int = 9, **more: Any) -> dict[Any, Any]:
    """The labels of a tree with their visits."""
    rows = TreeRows(pl.DataFrame({"nb_visits": visits}), Paths(paths), **more)
    return tree(read(make_tree(rows, BlobRecord("R", most, most_below))), "nb_visits")


def test_a_folder_has_the_sum_of_what_is_in_it() -> None:
    assert made([5, 2, 1], [["f", "/a"], ["/b"], ["f", "/c"]]) == {
        "f": {"nb_visits": 6, "below": {"/a": {"nb_visits": 5}, "/c": {"nb_visits": 1}}},
        "/b": {"nb_visits": 2},
    }


def test_rows_beyond_the_limit_of_a_folder_become_its_others() -> None:
    found = made([1, 9, 5, 2], [["f", "/a"], ["f", "/b"], ["f", "/c"], ["/d"]], 3, 2)
    assert found["f"] == {"nb_visits": 15, "below": {"/b": {"nb_visits": 9}, -1: {"nb_visits": 6}}}


def test_rows_without_a_path_are_part_of_others() -> None:
    assert made([4, 2, 1], [["/a"]], 3, 2) == {"/a": {"nb_visits": 4}, -1: {"nb_visits": 3}}
    assert made([4, 2, 1], [["/a"], ["/b"]], path_of=pl.Series([1, None, 1])) == {
        "/b": {"nb_visits": 5},
        -1: {"nb_visits": 2},
    }


def test_rows_whose_last_label_is_empty_count_in_their_folder_alone() -> None:
    found = made([4, 2], [["f", ""], ["f", "/a"]])
    assert found == {"f": {"nb_visits": 6, "below": {"/a": {"nb_visits": 2}}}}


def test_the_first_row_in_a_leaf_or_folder_describes_it() -> None:
    urls, sites = pl.Series(["http://x/f/a", "https://x/f/a"]), pl.Series(["http://x", "https://x"])
    rows = TreeRows(
        pl.DataFrame({"nb_visits": [2, 1]}),
        Paths([["f", "/a"], ["f", "/a"]]),
        leaf_notes={"url": urls},
        folder_notes={"folder_url_start": sites},
    )
    (folder,) = read(make_tree(rows, BlobRecord("R", 9, 9))).rows
    assert folder.metadata == {"folder_url_start": "http://x/f"}
    assert folder.subtable is not None
    assert [row.metadata for row in folder.subtable.rows] == [{"url": "http://x/f/a"}]


# Many rows and few

_LABELS = st.sampled_from(["a", "b", "ü", "1"])
_ENDS = st.sampled_from(["/x", "/y", '/ö;"', ""])
_PATHS = st.lists(st.tuples(_LABELS, _ENDS) | st.tuples(_LABELS, _LABELS, _ENDS) | st.tuples(_ENDS), max_size=8)
_COUNTS = st.integers(0, 5) | st.just(3_000_000_000)  # two of which are more than 32 bits hold
_MAYBE = st.none() | _COUNTS
_METRICS = {
    "nb_visits": (pl.UInt32, _COUNTS),
    "nb_uniq_visitors": (pl.UInt32, _COUNTS),
    "entry_nb_visits": (pl.UInt32, _MAYBE),
    "min_time_server": (pl.Float64, st.none() | st.sampled_from([0.25, 1.0, 2.5])),
    "max_time_server": (pl.Float64, st.none() | st.sampled_from([0.5, 4.0])),
}
_GOALS = {
    "nb_conversions": (pl.UInt32, _COUNTS),
    "revenue": (pl.Float64, st.sampled_from([0.0, 0.5, 12.25])),
    "nb_conversions_entry": (pl.UInt32, _MAYBE),
}


@st.composite
def trees(draw: st.DrawFn) -> tuple[TreeRows, BlobRecord]:
    paths = draw(_PATHS)
    path_of = draw(
        st.lists(st.none() | st.integers(0, len(paths) - 1) if paths else st.none(), min_size=1, max_size=12)
    )
    rows = range(len(path_of))
    metrics = {name: pl.Series([draw(values) for _ in rows], dtype=kind) for name, (kind, values) in _METRICS.items()}
    cells = sorted(draw(st.sets(st.tuples(st.sampled_from(rows), st.sampled_from([-1, 0, 3])), max_size=6)))
    goals = pl.DataFrame(cells, schema={ROW: pl.UInt32, GOAL: pl.Int64}, orient="row").with_columns(
        pl.Series(name, [draw(values) for _ in cells], kind) for name, (kind, values) in _GOALS.items()
    )
    texts = pl.Series([f"http://{row}" for row in rows])
    return (
        TreeRows(
            pl.DataFrame(metrics),
            Paths(paths),
            pl.Series(path_of, dtype=pl.UInt32),
            optional=frozenset({"entry_nb_visits"}),
            leaves_only=frozenset({"nb_uniq_visitors"}),
            leaf_notes={"url": texts},
            folder_notes={"folder_url_start": texts},
            goals=draw(st.sampled_from([None, goals])),
            subtable_notes=draw(st.sampled_from([{}, {"column_aggregation_ops": False}])),
        ),
        BlobRecord(
            "R",
            draw(st.integers(2, 6)),
            draw(st.integers(2, 4)),
            combine={"min_time_server": Combine.MIN, "max_time_server": Combine.MAX},
        ),
    )


@given(trees())
@hypothesis_settings(deadline=None)
def test_a_tree_of_many_rows_is_stored_byte_for_byte_as_one_of_few(made: tuple[TreeRows, BlobRecord]) -> None:
    assert list(large_tree(*made).tables) == list(stored(small_tree(*made)).tables)
