"""What several entities demand of a value; every message names the value's field."""

import ipaddress
import re
from collections.abc import Iterable
from functools import cache

from babel import Locale

from footfall.errors import InvalidInput
from footfall.patterns import InvalidPattern, Pattern, compiled
from footfall.timezones import site_zone

_URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://[^/\s?#]+[^\s]*")
_LONGEST_MAIN_URL = 255
_LONGEST_TIMEZONE = 50


def line(what: str, value: str, longest: int, *, empty: bool = False) -> str:
    """The value without blanks around it.

    Args:
        what: the field, as the person who gave the value calls it.
        longest: the most characters its column takes.
        empty: whether it may be empty.

    Raises:
        InvalidInput: it is empty or too long.
    """
    value = value.strip()
    if not value and not empty:
        raise InvalidInput(f"The {what} must not be empty.")
    if len(value) > longest:
        raise InvalidInput(f"The {what} has {len(value)} characters: at most {longest} fit.")
    return value


def url(value: str, longest: int = _LONGEST_MAIN_URL) -> str:
    """A site's address, without a slash at its end.

    Raises:
        InvalidInput: it is none.
    """
    value = value.strip()
    if not _URL.fullmatch(value):
        raise InvalidInput(
            f"{value!r} is no address of a site: it must begin with http:// or https:// and name a host."
        )
    return line("address of a site", value.rstrip("/"), longest)


def timezone(name: str) -> str:
    """A time zone that days can begin and end in.

    Raises:
        InvalidInput: there is none of that name.
    """
    try:
        site_zone(name)
    except InvalidInput:
        raise InvalidInput(f"{name!r} is no time zone: use a name such as UTC, Europe/Berlin or UTC+5.5.") from None
    return line("time zone", name, _LONGEST_TIMEZONE)


@cache
def currencies() -> dict[str, str]:
    """The English name of every currency, by its code of three letters (CLDR, as the reference's)."""
    return dict(Locale("en").currencies)


def currency(code: str) -> str:
    """The code of a currency, in capitals.

    Raises:
        InvalidInput: there is none.
    """
    if code.upper() not in currencies():
        raise InvalidInput(f"{code!r} is no currency: use a code of three letters such as EUR.")
    return code.upper()


def entries(value: str | Iterable[str]) -> str:
    """A list as it is stored: no blanks, nothing twice, commas between; from text with commas or line breaks, or from
    the entries themselves."""
    parts = re.split(r"[,\n]", value) if isinstance(value, str) else value
    return ",".join(dict.fromkeys(part.strip() for part in parts if part.strip()))


def addresses(value: str | Iterable[str]) -> str:
    """A list of client addresses as it is stored; an entry is an address, a network (`10.0.0.0/8`), or has `*` in place
    of its last numbers (`10.1.*.*`).

    Raises:
        InvalidInput: an entry is none of these.
    """
    kept = entries(value)
    for entry in kept.split(",") if kept else ():
        try:
            ipaddress.ip_network(entry.replace("*", "0"), strict=False)
        except ValueError:
            raise InvalidInput(
                f"{entry!r} is no address: use one such as 203.0.113.7, 203.0.113.*, 203.0.113.0/24 or 2001:db8::/32."
            ) from None
    return kept


def pattern(what: str, text: str) -> Pattern:
    """The compiled regular expression.

    Raises:
        InvalidInput: it is none.
    """
    try:
        return compiled(text)
    except InvalidPattern as error:
        raise InvalidInput(f"The {what} {text!r} is no regular expression: {error}.") from None
