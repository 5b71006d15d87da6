"""How the management API reads what clients give it."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from footfall.errors import InvalidInput
from footfall.management import given, kinds, listing

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"


@pytest.mark.parametrize(
    ("query", "read"),
    [
        (b"urls[]=a&urls[]=b", {"urls": {"0": "a", "1": "b"}}),
        (b"urls%5B0%5D=a&urls%5B1%5D=b", {"urls": {"0": "a", "1": "b"}}),
        (b"urls=a", {"urls": "a"}),
        (b"urls=a&urls=b", {"urls": "b"}),
        (b"group=", {"group": ""}),
        (b"e[0][dimension]=url&e[0][pattern]=x", {"e": {"0": {"dimension": "url", "pattern": "x"}}}),
        (b"name=%E2%82%AC", {"name": "€"}),
        (b"name=%FF", {"name": "�"}),
        (b"[]=a&b]=c&d[=e", {"[]": "a", "b]": "c", "d[": "e"}),
        (b"a[0][0][0][0][0]=x", {"a[0][0][0][0][0]": "x"}),
        (b"a=1&a[x]=2", {"a": {"x": "2"}}),
    ],
)
def test_parameters_are_read_as_php_reads_them(query: bytes, read: dict[str, Any]) -> None:
    assert given.read(query) == read


def test_the_query_string_wins_over_the_form() -> None:
    assert given.read(b"a=form&b=form", b"a=query") == {"a": "query", "b": "form"}


def test_too_many_parameters_are_refused() -> None:
    with pytest.raises(InvalidInput, match="at most"):
        given.read(b"&".join(b"a=1" for _ in range(2000)))


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        (kinds.whole, "-7", -7),
        (kinds.whole, "", None),
        (kinds.number, "1,5", 1.5),
        (kinds.number, "false", None),
        (kinds.switch, "true", True),
        (kinds.switch, "0", False),
        (kinds.switch, "", None),
        (kinds.texts, {"0": "a", "1": ""}, ["a"]),
        (kinds.texts, "a", ["a"]),
        (kinds.listing, {"0": "a", "1": "b"}, "a,b"),
        (kinds.moment, "2026-08-01", datetime(2026, 8, 1)),
        (kinds.moment, "2026-08-01T02:00:00+02:00", datetime(2026, 8, 1)),
        (kinds.sites, "1, 2", [1, 2]),
        (kinds.sites, {"0": "3"}, [3]),
        (kinds.sites, "all", "all"),
        (kinds.mappings, '[{"dimension":"url","pattern":"x"}]', [{"dimension": "url", "pattern": "x"}]),
        (kinds.mappings, {"0": {"dimension": "url"}}, [{"dimension": "url"}]),
    ],
)
def test_each_kind_reads_its_values(kind: Any, value: Any, read: Any) -> None:
    assert kind("p", value) == read


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (kinds.text, {"0": "a"}),
        (kinds.whole, "1.5"),
        (kinds.whole, "9" * 30),
        (kinds.number, "nan"),
        (kinds.number, "x"),
        (kinds.switch, "maybe"),
        (kinds.moment, "yesterday"),
        (kinds.sites, "1,x"),
        (kinds.mappings, "nonsense"),
        (kinds.mappings, '{"a":1}'),
        (kinds.mappings, {"0": "text"}),
    ],
)
def test_each_kind_says_what_is_wrong(kind: Any, value: Any) -> None:
    with pytest.raises(InvalidInput, match=r"^p is "):
        kind("p", value)


def test_the_documentation_lists_the_methods_as_they_are() -> None:
    assert (DOCS / "management.md").read_text(encoding="utf-8") == listing.page(), (
        "run: python -m footfall.management.listing > docs/management.md"
    )
