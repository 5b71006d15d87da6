"""What segments say: the reference's grammar, encodings and escapes, and what cannot be read."""

from __future__ import annotations

import time
from urllib.parse import quote

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from footfall.archiving.daylog import DayLog
from footfall.archiving.scope import done_flag
from footfall.archiving.segment import Segment
from footfall.archiving.segment_definition import LONGEST, MOST_CONDITIONS, Condition, Operator, parse
from footfall.archiving.segments import ACTION, VISIT, SegmentName
from footfall.errors import InvalidInput

NAMES = {"a", "b", "c", "pageUrl"}


def conditions(text: str) -> list[list[tuple[str, str, str]]]:
    return [[(c.name, c.operator.value, c.value) for c in clause] for clause in parse(text, NAMES)]


def test_or_binds_tighter_than_and() -> None:
    assert conditions("a==1,b==2;c==3") == [[("a", "==", "1"), ("b", "==", "2")], [("c", "==", "3")]]


@pytest.mark.parametrize("operator", ["==", "!=", "<=", ">=", "<", ">", "=@", "!@", "=^", "=$"])
def test_every_operator_is_read(operator: str) -> None:
    assert conditions(f"a{operator}1") == [[("a", operator, "1")]]


def test_the_first_operator_ends_the_name_and_the_rest_is_the_value() -> None:
    assert conditions("pageUrl=@id==3&x<=4") == [[("pageUrl", "=@", "id==3&x<=4")]]


def test_a_backslash_makes_a_separator_part_of_the_value() -> None:
    assert conditions(r"a==1\,2\;3,b==4") == [[("a", "==", "1,2;3"), ("b", "==", "4")]]


@pytest.mark.parametrize("text", ["a==x,b==y;c==z", "pageUrl==https%3A%2F%2Fexample.com%2Fab", "a==Mobile+Safari"])
def test_a_definition_may_be_encoded_as_a_whole(text: str) -> None:
    assert parse(quote(text, safe=""), NAMES) == parse(text, NAMES)


def test_values_are_decoded() -> None:
    assert conditions("a==Mobile+Safari%20X") == [[("a", "==", "Mobile Safari X")]]
    assert conditions("a==https%253A%252F%252Fx") == [[("a", "==", "https://x")]]  # twice: links in reports are
    assert conditions("a==50%2525") == [[("a", "==", "50%")]]


def test_an_encoded_separator_inside_a_value_stays_there() -> None:
    assert conditions("a==1%2C2") == [[("a", "==", "1,2")]]


@pytest.mark.parametrize("operator", ["==", "!="])
def test_a_value_may_be_missing_where_it_asks_for_nothing_at_all(operator: str) -> None:
    assert conditions(f"a{operator}") == [[("a", operator, "")]]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no condition"),
        ("a", "no condition"),
        ("a=1", "no condition"),
        ("==1", "no condition"),
        ("a==1;", "no condition"),
        (",a==1", "no condition"),
        ("z==1", "'z' is not a name"),
        ("a>", "has no value"),
        ("a=@", "has no value"),
        ("a==" + "1" * LONGEST, "at most 10,000 characters"),
        (",".join(["a==1"] * (MOST_CONDITIONS + 1)), "at most 300 conditions"),
    ],
)
def test_what_cannot_be_read_is_told(text: str, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        parse(text, NAMES)


def test_done_flags_are_named_as_the_reference_names_them() -> None:
    """The hashes are those of conformance `archives`."""
    assert done_flag("countryCode==de") == "done8ed8a79e4fab70fb95c781aa3c6b327e"
    assert done_flag("pageUrl=@docs") == "done39145541eeffa27ca93b6aa470bb73bb"
    assert done_flag(quote("pageUrl=@docs", safe="")) == done_flag("pageUrl=@docs")


SEGMENT_NAMES = {
    name.name: name
    for name in (
        SegmentName("a", VISIT, "number"),
        SegmentName("b", VISIT, "text"),
        SegmentName("c", VISIT, "number", values={"one": 1, "two": (2, 3)}),
        SegmentName("pageUrl", ACTION, "idaction_url", action_types=(1,), is_url=True),
    )
}


def log(rows: list[tuple[int, int | None, str | None]]) -> DayLog:
    """Visits with an id, a number and a text; each of them saw the page of its id."""
    visits = pl.DataFrame(rows, schema={"idvisit": pl.Int64, "number": pl.Int64, "text": pl.String}, orient="row")
    pages = pl.DataFrame({"idvisit": visits["idvisit"], "idaction_url": visits["idvisit"]})
    names = pl.DataFrame(
        {
            "idaction": visits["idvisit"],
            "name": [f"example.com/Page{number}" for number in visits["idvisit"]],
            "type": 1,
            "url_prefix": 0,
        },
        schema={"idaction": pl.Int64, "name": pl.String, "type": pl.Int64, "url_prefix": pl.Int64},
    )
    return DayLog.of({VISIT: visits, ACTION: pages}, names)


VISITS = log([(1, 1, "Köln"), (2, 2, "koln "), (3, 3, ""), (4, None, None), (5, 0, "0"), (6, -7, "Ulm 100%")])


def found(definition: str) -> list[int]:
    return sorted(Segment.of(definition, SEGMENT_NAMES).visits(VISITS)["idvisit"])


@pytest.mark.parametrize(
    ("definition", "visits"),
    [
        ("a==2", [2]),
        ("a!=2", [1, 3, 4, 5, 6]),
        ("a>=1", [1, 2, 3]),
        ("a<0", [6]),
        ("a<=1.5", [1, 5, 6]),
        ("a=@7", [6]),
        ("a==x", []),
        ("b==KOLN", [1, 2]),
        ("b!=köln", [3, 4, 5, 6]),
        ("b=@O", [1, 2]),
        ("b!@o", [3, 4, 5, 6]),
        ("b=^u", [6]),
        ("b=$%25", [6]),
        ("b=@.", []),
        ("b==", [3, 4, 5]),
        ("b!=", [1, 2, 6]),
        ("a==", [4, 5]),
        ("c==TWO", [2, 3]),
        ("c!=two", [1, 4, 5, 6]),
        ("a==1,a==3;b!=", [1]),
        ("pageUrl==https://www.example.com/Page3", [3]),
        ("pageUrl==example.com/page3", []),
        ("pageUrl=@page", [1, 2, 3, 4, 5, 6]),
        ("pageUrl!@page3", [1, 2, 4, 5, 6]),
        ("pageUrl!=example.com/Page3;a<3", [1, 2, 5, 6]),
        ("pageUrl=$3,a==1", [1, 3]),
    ],
)
def test_conditions_hold_for_these_visits(definition: str, visits: list[int]) -> None:
    assert found(definition) == visits


@pytest.mark.parametrize(
    ("definition", "told"), [("c==three", "c is one of one, two"), ("pageUrl>x", "without an order")]
)
def test_a_value_that_makes_no_sense_is_told(definition: str, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        Segment.of(definition, SEGMENT_NAMES)


PIECES = st.sampled_from(
    [*SEGMENT_NAMES, *(o.value for o in Operator), ";", ",", "\\", "%", "%2", "%00", "%ff", "'", "\x00"]
)


@given(st.lists(PIECES | st.text(max_size=5), max_size=40).map("".join))
@example("a==" + "9" * 500)
@example("a==1e999")
@example("a==nan")
@example("c=^%")
@example("b=@" + "(" * 200)
def test_nothing_that_anybody_writes_breaks_more_than_the_request(text: str) -> None:
    try:
        segment = Segment.of(text, SEGMENT_NAMES)
    except InvalidInput:
        return
    assert set(segment.visits(VISITS)["idvisit"]) <= {1, 2, 3, 4, 5, 6}


def test_the_longest_definition_is_read_in_no_time() -> None:
    text = ";".join([",".join(["b=@" + "(" * 20] * 30)] * 10)
    assert len(text) <= LONGEST
    began = time.monotonic()
    assert found(text) == []
    assert time.monotonic() - began < 5


def test_conditions_are_values() -> None:
    assert parse("a==1", NAMES) == ((Condition("a", Operator.EQUAL, "1"),),)
