"""Regular expressions that people give: what they find, and that no text makes one take long."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footfall.patterns import InvalidPattern, compiled

EVIL = ("(a+)+$", "(a|a)*b", "(.*)*x", ".*.*.*=.*", "^(([a-z])+.)+[A-Z]([a-z])+$", ".*thanks.*")
EVIL_AND_NOT_REGULAR = (r"(a+)+\1x", "^(?!y)(a+)+$", "(?=a)(a|aa)+$", r"(?<!b)(a*)*c")


def seconds(search: object) -> float:
    begun = time.process_time()
    search()  # type: ignore[operator]
    return time.process_time() - begun


@pytest.mark.parametrize("source", [*EVIL, *EVIL_AND_NOT_REGULAR])
def test_no_text_keeps_an_expression_busy(source: str) -> None:
    pattern = compiled(source)
    assert seconds(lambda: pattern.search("a" * 300_000 + "!")) < 2


@pytest.mark.parametrize("source", EVIL_AND_NOT_REGULAR[:2])
def test_what_took_too_long_is_not_tried_again(source: str, caplog: pytest.LogCaptureFixture) -> None:
    pattern, text = compiled(source), "a" * 5_000 + "!"
    for _ in range(3):
        assert pattern.search(text) is None
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.parametrize(
    ("source", "text", "group"),
    [
        ("section-([a-z]+)", "/section-news/1", "news"),
        (r"^(?!.*internal).*/(\w+)$", "example.org/shop", "shop"),
        (r"(\w)\1", "hello", "l"),
        (r"\/thanks(\d{1,3})?", "/thanks12", "12"),
    ],
)
def test_groups_are_found_whichever_engine_it_takes(source: str, text: str, group: str) -> None:
    match = compiled(source).search(text)
    assert match is not None
    assert match[1] == group
    assert compiled(source).groups == 1


@pytest.mark.parametrize(("flags", "found"), [("", False), ("i", True), ("im", True)])
def test_flags_hold(flags: str, found: bool) -> None:
    assert (compiled("^shop", flags).search("SHOP/a") is not None) is found
    assert (compiled("^(?!x)shop", flags).search("SHOP/a") is not None) is found


@pytest.mark.parametrize("source", ["(", "[a", "a{2", "*", "(?P<1>x)", "\ud800(", "(" * 5_000])
def test_what_is_no_expression_is_refused_or_harmless(source: str) -> None:
    try:
        pattern = compiled(source)
    except InvalidPattern:
        return
    assert pattern.search("nothing of this") is None


simple = st.text("ab.|c*+?()[]^$\\d", max_size=12)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@given(simple, st.text("abcd.*1", max_size=20))
def test_simple_expressions_find_what_re_finds(source: str, text: str) -> None:
    try:
        expected = re.compile(source)
        pattern = compiled(source)
    except (re.error, InvalidPattern, RecursionError):
        return
    match, wanted = pattern.search(text), expected.search(text)
    assert (match is not None) is (wanted is not None)
