"""Tables in their stored form: Matomo's rows, column numbers and chunks."""

import zlib
from contextlib import suppress

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from footfall.archiving.blob import column_bytes, stored, to_blobs
from footfall.archiving.datatable import DataTable, Row
from footfall.archiving.encoding import texts_of
from footfall.archiving.phpserialize import NotSerialized, dumps, loads
from footfall.archiving.reader import table_of


def leaf(label: str, visits: int = 1) -> Row:
    return Row({"label": label, "nb_visits": visits})


def folder(label: str, *rows: Row) -> Row:
    return Row({"label": label, "nb_visits": len(rows)}, subtable=DataTable(list(rows)))


def raw(blob: bytes) -> object:
    return loads(zlib.decompress(blob))


def test_a_row_is_stored_with_column_numbers_metadata_and_subtable_id() -> None:
    page = Row({"label": "/a", "nb_visits": 2, "own_metric": 0.5}, {"url": "http://x/a"})
    blobs = to_blobs("R", stored(DataTable([page], Row({"label": -1, "nb_hits": 7}))))
    assert raw(blobs["R"]) == {
        0: {0: {"label": "/a", 2: 2, "own_metric": 0.5}, 1: {"url": "http://x/a"}, 3: None},
        -1: {0: {"label": -1, 12: 7}, 1: {}, 3: None},
    }


def test_subtables_are_numbered_from_one_a_table_before_those_below_it() -> None:
    table = DataTable([folder("a", folder("b", leaf("c"))), leaf("x"), folder("d", leaf("e"))])
    blobs = to_blobs("R", stored(table))
    assert set(blobs) == {"R", "R_chunk_0_99"}
    chunk = raw(blobs["R_chunk_0_99"])
    assert isinstance(chunk, dict)
    labels = {number: [row[0]["label"] for row in loads(data.encode()).values()] for number, data in chunk.items()}
    assert labels == {1: ["b"], 2: ["c"], 3: ["e"]}


def test_a_hundred_subtables_share_a_chunk() -> None:
    blobs = to_blobs("R", stored(DataTable([folder(str(n), leaf("x")) for n in range(205)])))
    assert sorted(blobs) == ["R", "R_chunk_0_99", "R_chunk_100_199", "R_chunk_200_299"]


def test_what_is_stored_is_read_again() -> None:
    table = DataTable(
        [folder("a", folder("b", leaf("c", 3)), leaf("é\x00")), leaf("")], Row({"label": -1, "nb_hits": 2})
    )
    found = table_of(to_blobs("R", stored(table)), "R", expanded=True)
    assert [row.label for row in found] == ["a", "", "-1"]
    below = found.rows[0].subtable
    assert below is not None and below.rows[1].label == "é\x00"
    assert below.rows[0].subtable is not None and below.rows[0].subtable.rows[0].columns["nb_visits"] == 3


def test_one_subtable_is_read_by_its_id() -> None:
    blobs = to_blobs("R", stored(DataTable([folder("a", leaf("b")), folder("c", leaf("d"))])))
    assert [row.label for row in table_of(blobs, "R", subtable_id=2)] == ["d"]
    assert len(table_of(blobs, "R", subtable_id=77)) == 0


def test_numbers_that_matomo_stored_as_text_are_numbers() -> None:
    row = Row({"label": "12", "nb_visits": "3", "min_time_server": "0.0020"})
    columns = table_of(to_blobs("R", stored(DataTable([row]))), "R").rows[0].columns
    assert columns == {"label": "12", "nb_visits": 3, "min_time_server": 0.002}


@pytest.mark.parametrize("blob", [b"", b"no zlib", zlib.compress(b"i:1;"), zlib.compress(b"a:1:{i:0;i:1;}")])
def test_a_damaged_blob_is_refused(blob: bytes) -> None:
    with pytest.raises(NotSerialized, match="archive it again"):
        table_of({"R": blob}, "R")


def test_a_record_that_unfolds_to_more_than_any_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("footfall.archiving.blob._MOST_BYTES", 1_000_000)
    bomb = zlib.compress(b's:2000000:"' + b"a" * 2_000_000 + b'";')
    with pytest.raises(NotSerialized, match="larger"):
        table_of({"R": bomb}, "R")


@pytest.mark.parametrize("pairs", [{1: 1}, {1: 2, 2: 1}, {1: 3, 2: 3}])
def test_subtables_in_a_circle_are_refused(pairs: dict[int, int]) -> None:
    def rows(below: list[int]) -> dict[int, object]:
        return {place: {0: {"label": "x"}, 1: {}, 3: number} for place, number in enumerate(below)}

    tables = {number: dumps(rows([below])).decode() for number, below in pairs.items()} | {3: dumps({}).decode()}
    blobs = {"R": zlib.compress(dumps(rows(list(pairs)))), "R_chunk_0_99": zlib.compress(dumps(tables))}
    with pytest.raises(NotSerialized, match="two rows"):
        table_of(blobs, "R", expanded=True)


anything = st.recursive(
    st.none() | st.integers(-3, 5) | st.floats(allow_nan=False) | st.text("ab01.e", max_size=4),
    lambda inner: st.dictionaries(st.integers(-3, 4) | st.sampled_from(["label", "nb_visits"]), inner, max_size=4),
    max_leaves=15,
)


@given(anything, anything)
def test_whatever_a_record_holds_it_is_a_table_or_refused(value: object, chunk: object) -> None:
    blobs = {"R": zlib.compress(dumps(value)), "R_chunk_0_99": zlib.compress(dumps(chunk))}
    with suppress(NotSerialized):
        table_of(blobs, "R", expanded=True)


@given(st.data())
def test_a_record_with_a_changed_byte_is_a_table_or_refused(data: st.DataObject) -> None:
    table = DataTable([folder("a", folder("b", leaf("c"))), leaf("x")], Row({"label": -1, "nb_hits": 2}))
    blobs = to_blobs("R", stored(table))
    name = data.draw(st.sampled_from(sorted(blobs)))
    damaged = bytearray(zlib.decompress(blobs[name]))
    damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with suppress(NotSerialized):
        table_of(blobs | {name: zlib.compress(bytes(damaged))}, "R", expanded=True)


numbers = st.none() | st.integers(0, 2**40)
floats = st.none() | st.floats(allow_nan=False, allow_infinity=False).filter(lambda value: str(value) != "-0.0")


@given(st.lists(st.tuples(numbers, floats, numbers), min_size=1, max_size=6), st.booleans())
def test_columns_of_many_rows_are_encoded_as_each_alone(rows: list[tuple[int, float, int]], droppable: bool) -> None:
    names = ["nb_visits", "sum_time_server", "max_actions"]
    schema = dict(zip(names, (pl.Int64, pl.Float64, pl.UInt64), strict=True))
    dropped = {"nb_visits", "sum_time_server"} if droppable else set()
    expected = [
        [column_bytes(n, v) for n, v in zip(names, row, strict=True) if v is not None or n not in dropped]
        for row in rows
    ]
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    found = texts_of(
        frame, names, dropped, lambda columns: (columns.count.cast(pl.String), pl.lit(":"), *columns.texts)
    )
    assert found.to_list() == [f"{len(columns)}:{b''.join(columns).decode()}" for columns in expected]
