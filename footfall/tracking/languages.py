"""The language of a browser, and the country that it suggests.

Source: conformance topic locations-and-languages; languages and countries are CLDR's, from Babel.
"""

import re
from functools import cache, lru_cache
from typing import NamedTuple

from babel import Locale
from babel.core import get_global

UNKNOWN = "xx"  # a language or a country

# What an Accept-Language value may hold beside its tags: escapes, white space, comments, qualities, a charset.
_NOISE = re.compile(r"\\.|\s+|\([^)]*\)|;q=[0-9.]*|\..*", re.DOTALL)
_TAG = re.compile(r"([a-z]{2,3})(?:-[a-z]{4})?(?:-([a-z]{2}))?")
_COUNTRY = re.compile(r"[A-Z]{2}")
_REGION = re.compile(r"-([a-z]{2})(?![a-z0-9])")
_NO_COUNTRIES = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})  # CLDR's territories that are none

# Languages that suggest a country when they come without a region; the others are spoken in too many.
_SUGGESTIVE = frozenset(
    {"bg", "bo", "ca", "cs", "da", "de", "el", "es", "et", "fa", "fi", "fr", "he", "hr", "hu", "id", "is", "it", "ja"}
    | {"ko", "lt", "lv", "mk", "ms", "nb", "nl", "nn", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sq", "sr", "sv", "th"}
    | {"tr", "uk"}
)
_NOT_THE_MOST_SPEAKERS = {"pt": "pt"}  # CLDR says Brazil


class BrowserLanguage(NamedTuple):
    """What a browser says about its user.

    Args:
        tag: language and region in lower case (`en-us`, `de`); "xx" when there is none, "" without a value.
        country: the ISO code in lower case that it suggests, or "xx".
    """

    tag: str
    country: str


@lru_cache(maxsize=4096)
def browser_language(accepted: str) -> BrowserLanguage:
    """The language of an Accept-Language value, or of a `lang` parameter."""
    entries = _NOISE.sub("", accepted.lower()).replace("_", "-").split(",")
    if entries == [""]:
        return BrowserLanguage("", UNKNOWN)
    return BrowserLanguage(_first_language(entries), _country(entries))


@cache
def countries() -> frozenset[str]:
    """The ISO 3166 codes of all countries, in lower case."""
    codes = map(str, Locale("en").territories)
    return frozenset(code.lower() for code in codes if _COUNTRY.fullmatch(code) and code not in _NO_COUNTRIES)


@cache
def _languages() -> frozenset[str]:
    return frozenset(code for code in map(str, Locale("en").languages) if len(code) in (2, 3))


def _first_language(entries: list[str]) -> str:
    for entry in entries:
        tag = _TAG.fullmatch(entry.partition(";")[0])
        if tag and tag[1] in _languages():
            return f"{tag[1]}-{tag[2]}" if tag[2] else tag[1]
    return UNKNOWN


def _country(entries: list[str]) -> str:
    """The country of the first language when it suggests one, else the first region of any entry."""
    if entries[0] in _SUGGESTIVE:
        return _country_of_language(entries[0])
    regions = (region for entry in entries for region in _REGION.findall(entry))
    return next((region for region in regions if region in countries()), UNKNOWN)


def _country_of_language(language: str) -> str:
    likely: str = get_global("likely_subtags")[language]  # de_Latn_DE
    return _NOT_THE_MOST_SPEAKERS.get(language) or likely.rpartition("_")[2].lower()
