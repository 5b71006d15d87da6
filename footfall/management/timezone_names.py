"""What people call a time zone: its country, and its city where the country has several."""

from collections import Counter
from functools import cache
from importlib.resources import files

from babel import Locale


def timezone_name(name: str) -> str:
    """`United States - New York` for `America/New_York`, `Japan` for `Asia/Tokyo`; the name itself for what is no place
    (as the reference shows it)."""
    countries = _countries()
    if name not in countries:
        return name
    country = countries[name]
    title = Locale("en").territories.get(country, country)
    if Counter(countries.values())[country] == 1:
        return str(title)
    return f"{title} - {name.rpartition('/')[2].replace('_', ' ')}"


@cache
def _countries() -> dict[str, str]:
    """The country of each time zone, as the tz database has them."""
    table = (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if line and not line.startswith("#"))
    return {row[2]: row[0] for row in rows}
