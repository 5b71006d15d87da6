"""Where a request comes from: what it says with a token, else the address, else the browser's language.

Source: conformance topic locations-and-languages.
"""

from functools import lru_cache
from typing import Any

from footfall.tracking.errors import Rejected
from footfall.tracking.geoip import GeoDatabase
from footfall.tracking.languages import countries
from footfall.tracking.location import Location
from footfall.tracking.parameters import Parameters, escaped

_OVERRIDES = ("country", "region", "city", "lat", "long")
_REGION_LENGTH, _CITY_LENGTH = 3, 255  # of their columns


class Locator:
    """Finds the location of requests.

    Args:
        geo_database: where addresses are looked up; None without one.
    """

    def __init__(self, geo_database: GeoDatabase | None) -> None:
        self._geo_database = geo_database

    def locate(self, address: bytes, country_of_language: str) -> Location:
        """The location of a packed address; a country alone when only the language is known to suggest one."""
        found = self._geo_database.find(address) if self._geo_database else None
        return found or _location_of_country(country_of_language)


def said(parameters: Parameters, idsite: int) -> dict[str, Any]:
    """What a request with a token says about the location: values by part of Location.

    Each parameter stands for itself. A country that does not exist and coordinates that are none say nothing.

    Raises:
        Rejected: a region or a city does not fit its column (conformance: location parameters out of range).
    """
    found: dict[str, Any] = {}
    if not any(name in parameters for name in _OVERRIDES):
        return found
    country = parameters.get("country", "").strip().lower()
    if country in countries():
        found["country"] = country
    if region := escaped(parameters.get("region", "").strip()):
        found["region"] = _fitting("region", region, _REGION_LENGTH, idsite)
    if city := escaped(parameters.get("city", "").strip()):
        found["city"] = _fitting("city", city, _CITY_LENGTH, idsite)
    if (latitude := _coordinate(parameters, "lat", 90)) is not None:
        found["latitude"] = latitude
    if (longitude := _coordinate(parameters, "long", 180)) is not None:
        found["longitude"] = longitude
    return found


@lru_cache(maxsize=1024)
def _location_of_country(country: str) -> Location:
    return Location(country)


def _fitting(name: str, value: str, length: int, idsite: int) -> str:
    if len(value) > length:
        raise Rejected(f"A {name} must have at most {length} characters.", idsite)
    return value


def _coordinate(parameters: Parameters, name: str, limit: int) -> float | None:
    try:
        value = float(parameters[name])
    except (KeyError, ValueError):
        return None
    return round(value, 6) if -limit <= value <= limit else None
