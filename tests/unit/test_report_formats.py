"""What formats write: the same answer as XML, CSV and TSV, as the reference has it (conformance `shapes`)."""

from datetime import datetime
from xml.etree import ElementTree

import pytest

from footfall.archiving.datatable import DataTable, Row
from footfall.reports import formats
from footfall.reports.answer import Answer, Keyed, Numbers, Plain, Table
from footfall.reports.errors import ReportError

NUMBERS = Numbers({"nb_visits": 4.0, "bounce_rate": "25%"})
GOALS = {"idgoal=3": {"nb_conversions": 2}}
ROW = Row({"label": "Shoes & <hats>", "nb_visits": 3, "goals": GOALS}, {"segment": "a==b"}, subtable_id=7)
ROWS = Table(DataTable([ROW, Row({"label": "b", "nb_visits": 1})]))


def xml(answer: Answer) -> str:
    return formats.find("XML").render(answer).decode().partition("?>\n")[2]


def csv(answer: Answer, name: str = "CSV") -> str:
    body = formats.find(name).render(answer)
    assert body[:2] == b"\xff\xfe"
    return body.decode("utf-16")


def test_xml_has_an_element_for_each_number() -> None:
    assert xml(NUMBERS) == "<result>\n\t<nb_visits>4</nb_visits>\n\t<bounce_rate>25%</bounce_rate>\n</result>"


def test_xml_has_a_row_for_each_row_and_names_goals_by_attribute() -> None:
    first, second = ElementTree.fromstring(formats.find("xml").render(ROWS))
    assert [element.tag for element in first] == ["label", "nb_visits", "goals", "idsubdatatable", "segment"]
    assert first.findtext("label") == "Shoes & <hats>"
    (goal,) = first.find("goals")
    assert (goal.tag, goal.attrib, goal.findtext("nb_conversions")) == ("row", {"idgoal": "3"}, "2")
    assert second.findtext("label") == "b"


def test_xml_puts_rows_below_inside() -> None:
    above = Row({"label": "a"}, subtable=DataTable([Row({"label": "below"})]))
    assert ElementTree.fromstring(xml(Table(DataTable([above])))).findtext("row/subtable/row/label") == "below"


def test_xml_tells_sites_and_dates_by_attribute() -> None:
    by_date = Keyed("date", {"2026-08-10": NUMBERS, "2026-08-11": Table(DataTable())})
    root = ElementTree.fromstring(xml(Keyed("idSite", {"1": by_date})))
    assert (root.tag, root[0].attrib) == ("results", {"idSite": "1"})
    assert [(day.attrib["date"], len(day)) for day in root[0]] == [("2026-08-10", 2), ("2026-08-11", 0)]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Numbers({"nb_visits": 4}), "<result>4</result>"),
        (Plain(True), "<result>1</result>"),
        (Plain([1, 2]), "<result>\n\t<row>1</row>\n\t<row>2</row>\n</result>"),
        (Plain({"at": datetime(2026, 8, 10), "none": None}), None),
        (Plain(None), '<result>\n\t<success message="ok" />\n</result>'),
        (Table(DataTable()), "<result />"),
    ],
)
def test_xml_of_other_answers(answer: Answer, expected: str | None) -> None:
    expected = expected or "<result>\n\t<at>2026-08-10 00:00:00</at>\n\t<none />\n</result>"
    assert xml(answer) == expected


def test_xml_leaves_out_what_it_cannot_hold_and_names_what_is_no_name() -> None:
    answer = Plain({"0": "a\x00\x08b", "two words": 'say "hi"'})
    first, second = ElementTree.fromstring(xml(answer))
    assert (first.tag, first.attrib, first.text) == ("row", {"key": "0"}, "ab")
    assert (second.tag, second.attrib, second.text) == ("col", {"name": "two words"}, 'say "hi"')


def test_csv_has_a_line_for_each_row_with_goals_and_metadata_in_columns() -> None:
    assert csv(ROWS).split("\n") == [
        "label,nb_visits,goals_idgoal=3_nb_conversions,metadata_segment",
        "Shoes & <hats>,3,2,a==b",
        "b,1,,",
    ]


def test_tsv_is_the_same_with_tabs() -> None:
    assert csv(NUMBERS, "tsv") == "nb_visits\tbounce_rate\n4\t25%"


def test_csv_is_utf8_when_asked_for() -> None:
    assert formats.find("csv", {"convertToUnicode": "0"}).render(NUMBERS) == b"nb_visits,bounce_rate\n4,25%"


def test_csv_of_a_single_value_and_of_nothing() -> None:
    assert csv(Numbers({"nb_visits": 4})) == "value\n4"
    assert csv(Table(DataTable())) == "No data available"


def test_csv_of_several_sites_and_dates_is_one_table() -> None:
    """With an empty cell more in the lines of every site but the first, as the reference writes them."""
    days: dict[str, Answer] = {"2026-08-10": NUMBERS, "2026-08-11": Table(DataTable())}
    answer = Keyed("idSite", {"1": Keyed("date", days), "2": Keyed("date", days)})
    assert csv(answer).split("\n") == [
        "idSite,date,nb_visits,bounce_rate",
        "1,2026-08-10,4,25%",
        "2,2026-08-10,,4,25%",
    ]


def test_csv_is_nothing_that_a_spreadsheet_computes() -> None:
    rows = [Row({"label": label}) for label in ("=1+1", "-5", "@x", "a,b")]
    assert csv(Table(DataTable(rows))).split("\n") == ["label", "'=1+1", "-5", "'@x", '"a,b"']


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("json", b'{"result":"error","message":"no <site>"}'),
        ("csv", b"Error: no &lt;site&gt;"),
        ("tsv", b"Error: no &lt;site&gt;"),
    ],
)
def test_errors_have_the_shape_of_their_format(name: str, body: bytes) -> None:
    assert formats.find(name).render_error("no <site>") == body


def test_an_error_in_xml_is_an_attribute() -> None:
    root = ElementTree.fromstring(formats.find("xml").render_error('no "site" <1>'))
    assert root.find("error").attrib["message"] == 'no "site" <1>'


def test_an_unknown_format_is_told() -> None:
    with pytest.raises(ReportError, match="There is no format 'html'"):
        formats.find("html")
