"""Reading bulk bodies."""

import pytest

from tracker_api import bulk, incoming
from tracker_api.refusal import Refused


def parameters(entry: bytes | None) -> dict[str, object]:
    return incoming.parse(entry or b"")


def test_an_entry_is_a_query_string_with_or_without_question_mark() -> None:
    found = bulk.read(b'{"requests": ["?idsite=1&rec=1", "idsite=2", "/matomo.php?idsite=3"]}', 9)
    assert found.entries == [b"idsite=1&rec=1", b"idsite=2", b"idsite=3"]


def test_an_entry_can_be_an_object() -> None:
    body = (
        '{"requests": [{"idsite": 1, "url": "http://a/ü?x=1&y", "cvar": {"1": ["a", "b"]}, "bots": true, "x": null}]}'
    )
    assert parameters(bulk.read(body.encode(), 9).entries[0]) == {
        "idsite": "1",
        "url": "http://a/ü?x=1&y",
        "cvar": '{"1":["a","b"]}',
        "bots": "1",
    }


def test_entries_of_other_kinds_are_kept_as_nothing() -> None:
    assert bulk.read(b'{"requests": [1, null, ["idsite=1"], "idsite=1"]}', 9).entries == [None] * 3 + [b"idsite=1"]


@pytest.mark.parametrize("number", ["99999999999999999999999999", "1e400", "-0.5"])
def test_any_number_is_a_value(number: str) -> None:
    found = bulk.read(f'{{"requests": [{{"idsite": 1, "revenue": {number}}}]}}'.encode(), 9)
    assert not found.readable or found.entries[0]


@pytest.mark.parametrize(
    "body", [b'{"requests": [oops', b'{"requests": 5}', b'["requests"]', b'"requests"', b'{"requests": "\xff"}']
)
def test_a_body_that_is_no_bulk_body_has_no_entries(body: bytes) -> None:
    assert bulk.is_bulk(body)
    found = bulk.read(body, 9)
    assert (found.entries, found.readable) == ([], False)


def test_deep_nesting_is_unreadable_and_no_crash() -> None:
    assert not bulk.read(b'{"requests":' + b"[" * 200_000, 9).readable


def test_too_many_entries_are_refused() -> None:
    with pytest.raises(Refused, match="more than 2 requests") as refused:
        bulk.read(b'{"requests": ["a", "b", "c"]}', 2)
    assert refused.value.status == 413
