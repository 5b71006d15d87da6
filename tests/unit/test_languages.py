"""The language of a browser, and the country that it suggests."""

import pytest

from footfall.tracking.languages import browser_language, countries


@pytest.mark.parametrize(
    ("accepted", "tag", "country"),
    [
        ("en-US,en;q=0.8", "en-us", "us"),
        ("de-AT", "de-at", "at"),
        ("en_GB.UTF-8", "en-gb", "gb"),
        (" ( comment ) en-us (another) ", "en-us", "us"),
        ("en-ca, en-us ,en", "en-ca", "ca"),
        ("zh-Hant-TW,zh;q=0.9", "zh-tw", "tw"),
        ("", "", "xx"),
        ("*", "xx", "xx"),
        ("xx", "xx", "xx"),
        ("' OR 1", "xx", "xx"),
        ("-ca", "xx", "ca"),
        ("r5,fr;q=1,de", "fr", "xx"),
    ],
)
def test_language_and_country_of_an_accept_language_header(accepted: str, tag: str, country: str) -> None:
    assert browser_language(accepted) == (tag, country)


@pytest.mark.parametrize(
    ("language", "country"), [("de", "de"), ("ja", "jp"), ("cs", "cz"), ("sv", "se"), ("pt", "pt"), ("uk", "ua")]
)
def test_a_language_of_mostly_one_country_suggests_it(language: str, country: str) -> None:
    assert browser_language(language).country == country


@pytest.mark.parametrize("language", ["en", "zh", "ar", "hi"])
def test_a_language_of_many_countries_suggests_none(language: str) -> None:
    assert browser_language(language).country == "xx"


def test_the_first_language_counts_before_the_regions_of_later_ones() -> None:
    assert browser_language("fr,en-us").country == "fr"
    assert browser_language("en,de-at").country == "at"
    assert browser_language("en-zz,fr-ca").country == "ca"


def test_countries_are_those_of_iso_3166() -> None:
    assert {"us", "nz", "xk", "gb"} <= countries()
    assert not countries() & {"xx", "zz", "eu", "un", "419", "uk"}
