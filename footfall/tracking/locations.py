"""Language and place of a request, from its parameters and the browser's language."""

import re
from dataclasses import dataclass

from footfall.tracking.parameters import Parameters, escaped

UNKNOWN_COUNTRY = "xx"

_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z]{4})?(?:-[a-z]{2})?(?=$|[,;])")
_COUNTRY = re.compile(r"[a-z]{2,3}")


@dataclass(frozen=True, slots=True)
class Location:
    """Where a visitor is; what is not known is None."""

    country: str
    region: str | None = None
    city: str | None = None
    latitude: float | None = None
    longitude: float | None = None


def browser_language(text: str) -> str:
    """The first language of an Accept-Language value (`en-us`); "xx" when it is none, "" when there is no value.

    Source: conformance topic locations-and-languages.
    """
    text = text.strip().lower()
    if not text:
        return ""
    match = _LANGUAGE.match(text)
    return match.group() if match else UNKNOWN_COUNTRY


def country_of_language(language: str) -> str:
    """The country that a language with a region names (`us` for `en-us`), else "xx"."""
    _, dash, region = language.rpartition("-")
    return region if dash and len(region) == 2 else UNKNOWN_COUNTRY


def locate(parameters: Parameters, language: str, trusted: bool) -> Location:
    """The location of a request.

    Args:
        language: as `browser_language` gives it.
        trusted: whether the request carries a token that may override the location.
    """
    if trusted:
        country = parameters.get("country", "").strip().lower()
        if _COUNTRY.fullmatch(country):
            return Location(
                country,
                region=_text(parameters, "region", 3),
                city=_text(parameters, "city", 255),
                latitude=_coordinate(parameters, "lat", 90),
                longitude=_coordinate(parameters, "long", 180),
            )
    return Location(country_of_language(language))


def _text(parameters: Parameters, name: str, length: int) -> str | None:
    value = escaped(parameters.get(name, "").strip())
    return value if value and len(value) <= length else None


def _coordinate(parameters: Parameters, name: str, limit: int) -> float | None:
    try:
        value = float(parameters[name])
    except (KeyError, ValueError):
        return None
    return round(value, 6) if -limit <= value <= limit else None
