"""The literal texts that a match must contain."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footfall.tracking.detection import literals
from footfall.tracking.detection.patterns import Patterns


@pytest.mark.parametrize(
    ("pattern", "promised"),
    [
        ("Pixel 8", [{"pixel 8"}]),
        ("SM-G99[01]", [{"sm-g990", "sm-g991"}]),
        ("Pixel|Nexus", [{"pixel", "nexus"}]),
        ("Pixel (?:8|9)(?: Pro)?", [{"pixel 8", "pixel 9", "pixel 8 pro", "pixel 9 pro"}]),
        ("Android.+TV", [{"android"}, {"tv"}]),
        (r"Version/(\d+) Safari", [{"version/"}, {" safari"}]),
        ("(?<!like )Gecko(?!/2)", [{"gecko"}]),
        ("(?:foo)+bar", [{"foo"}, {"bar"}]),
        (r"\d+", []),
        ("(?:Pixel)?", []),
        (r"Pixel|\d+", []),
        ("(?i:PIXEL)$", [{"pixel"}]),
    ],
)
def test_a_match_contains_one_text_of_each_clause(pattern: str, promised: list[set[str]]) -> None:
    assert [set(clause) for clause in literals.clauses(pattern)] == promised


PIECES = st.sampled_from(
    ["ab", "C", "[b-d]", "(?:a|bc)", "(ab)?", "a+", r"\d", ".", "(?:x|)", "(?<!b)", "b{2}", "|", "$"]
)
TEXTS = st.text(alphabet="abcdxABCX1ſKé", max_size=12)


@given(pieces=st.lists(PIECES, max_size=6), text=TEXTS)
def test_a_pattern_that_matches_is_always_a_candidate(pieces: list[str], text: str) -> None:
    pattern = "".join(pieces)
    if re.search(pattern, text, re.IGNORECASE | re.ASCII):
        assert Patterns([pattern]).candidates(text) == [0]


def test_the_first_pattern_that_matches_counts() -> None:
    patterns = Patterns(["Chrome Mobile", "Chrome", "Chrom"])
    found = patterns.first("a chrome browser")
    assert found is not None
    assert found[0] == 1
