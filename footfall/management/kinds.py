"""The kinds of parameters: each reads what was given for one, or says what is wrong with it.

A kind returns None for what counts as not given (PHP clients send an empty text for that), so that the default applies.
"""

import math
import re
from datetime import UTC, datetime
from typing import Any

import msgspec

from footfall.errors import InvalidInput
from footfall.management.given import Given

_WHOLE = re.compile(r"-?\d{1,18}")
_YES, _NO = ("1", "true"), ("0", "false")
ALL_SITES = "all"


def text(name: str, given: Given) -> str:
    """Text, which may be empty."""
    if isinstance(given, str):
        return given
    raise InvalidInput(f"{name} is one value, not a list.")


def word(name: str, given: Given) -> str | None:
    """Text that is not given when it is empty."""
    return text(name, given).strip() or None


def texts(name: str, given: Given) -> list[str] | None:
    """A list of texts, or a single one."""
    values = [given] if isinstance(given, str) else [text(name, value) for value in given.values()]
    return [value for value in values if value.strip()] or None


def listing(name: str, given: Given) -> str:
    """A list as text with commas between."""
    return given if isinstance(given, str) else ",".join(text(name, value) for value in given.values())


def whole(name: str, given: Given) -> int | None:
    """A whole number."""
    value = word(name, given)
    if value is None:
        return None
    if not _WHOLE.fullmatch(value):
        raise InvalidInput(f"{name} is a whole number, not {value!r}.")
    return int(value)


def number(name: str, given: Given) -> float | None:
    """A number, with a decimal point or comma."""
    value = word(name, given)
    if value is None or value.lower() in _NO:
        return None
    try:
        number = float(value.replace(",", "."))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InvalidInput(f"{name} is a number, not {value!r}.")
    return number


def switch(name: str, given: Given) -> bool | None:
    """1 or true, 0 or false."""
    value = word(name, given)
    if value is None:
        return None
    if value.lower() not in _YES + _NO:
        raise InvalidInput(f"{name} is 1 or 0, not {value!r}.")
    return value.lower() in _YES


def moment(name: str, given: Given) -> datetime | None:
    """A date, or a date and time in UTC, as YYYY-MM-DD HH:MM:SS."""
    value = word(name, given)
    if value is None or value in _NO:
        return None
    try:
        parsed = datetime.fromisoformat(value)
        return parsed if parsed.tzinfo is None else parsed.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise InvalidInput(f"{name} is a date such as 2026-08-01 or 2026-08-01 12:00:00, not {value!r}.") from None


def sites(name: str, given: Given) -> list[int] | str | None:
    """Numbers of sites, as a list or with commas between; or `all`."""
    values = listing(name, given)
    if values.strip().lower() == ALL_SITES:
        return ALL_SITES
    numbers = [whole(name, value) for value in values.split(",")]
    return [value for value in numbers if value is not None] or None


def mappings(name: str, given: Given) -> list[dict[str, str]] | None:
    """A list of texts by key: `extractions[0][dimension]=url&extractions[0][pattern]=…`, or the same as JSON."""
    value: Any = given
    if isinstance(given, str):
        if not given.strip():
            return None
        try:
            value = msgspec.json.decode(given)
        except msgspec.DecodeError:
            raise InvalidInput(f"{name} is a list, not {given!r}.") from None
    items = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(items, list) or not all(_is_mapping(item) for item in items):
        raise InvalidInput(f"{name} is a list of texts by key, as in {name}[0][key]=text.")
    return items


def _is_mapping(item: Any) -> bool:
    return isinstance(item, dict) and all(isinstance(value, str) for value in item.values())
