"""Search engines as referrers: which one a URL belongs to, and the keyword that was searched for.

Source: conformance topic referrers; the data's own rules stand in the README of Matomo's list.
"""

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from footfall.tracking.referrer_lists import Definition, search_engines


class Search(NamedTuple):
    """A search engine and the keyword in lower case; None where the engine keeps the keyword to itself."""

    engine: str
    keyword: str | None


# What the reference reduces a host to before it looks for it among hosts with a country in them.
_PREFIX = re.compile(r"^(?:w+\d*|search)\.")
_MOBILE = re.compile(r"(^|\.)m\.")
_TOP_LEVEL = re.compile(r"(?:\.(?:com|org|net|co|it|edu))?\.[a-z]{2}$")
_COUNTRY = re.compile(r"(^|\.)[a-z]{2}\.")

# Pages of an engine that no keyword is expected on, where its definition names none.
_HIDDEN = ("/^$/", "/")

# The parts of Google that share one host, by the parameter `tbm`.
_GOOGLE_PARTS = {"isch": "Google Images", "vid": "Google Video", "shop": "Google Shopping"}


def search_of(url: str, host: str, path: str, query: str) -> Search | None:
    """The search that a URL comes from, or None when it is no search engine's, or a page without search results.

    Args:
        url: all of it, for the definitions that find the keyword anywhere in it.
        host: in lower case, without a port.
    """
    found = _engine(host, path.rstrip("/"))
    if found is None:
        return None
    engine, definition = found
    if engine == "Google":
        engine = _GOOGLE_PARTS.get(_text(_parameter("tbm", query), ()), engine)
    keyword = _keyword(definition, url, query)
    if keyword:
        return Search(engine, keyword)
    return Search(engine, None) if _is_hidden(definition, path, query) else None


def _engine(host: str, path: str) -> tuple[str, Definition] | None:
    engines = search_engines()
    general = _general(host)
    for key in (host + path, general + path, host, general):
        if key in engines:
            return engines[key]
    return None


def _general(host: str) -> str:
    """The host without www, search and m, and with `{}` for its country: `www.google.co.uk` is `google.{}`."""
    host = _MOBILE.sub(r"\1", _PREFIX.sub("", host))
    return _COUNTRY.sub(r"\1{}.", _TOP_LEVEL.sub(".{}", host))


def _keyword(definition: Definition, url: str, query: str) -> str:
    for parameter in definition.params:
        if parameter.startswith("/"):
            match = _pattern(parameter).search(url)
            raw = match.group(1) if match else ""
        else:
            raw = _parameter(parameter, query)
        keyword = _text(raw, definition.charsets).strip().lower()
        if keyword:
            return keyword
    return ""


def _is_hidden(definition: Definition, path: str, query: str) -> bool:
    place = f"{path}?{query}" if query else path
    return any(
        _pattern(entry).search(place) is not None if len(entry) > 1 and entry.endswith("/") else entry == place
        for entry in definition.hiddenkeyword or _HIDDEN
    )


@lru_cache(maxsize=256)
def _pattern(entry: str) -> re.Pattern[str]:
    return re.compile(entry[1:-1])


def _parameter(name: str, query: str) -> str:
    """The raw value of a query's parameter, the last where it comes twice."""
    start = name + "="
    return next((part[len(start) :] for part in reversed(query.split("&")) if part.startswith(start)), "")


def _text(raw: str, charsets: tuple[str, ...]) -> str:
    """A percent-encoded value as text: in the one charset that is given, or in the first that fits."""
    if "%" not in raw and "+" not in raw:
        return raw
    encoded = unquote_to_bytes(raw.replace("+", " ").encode("utf-8", "replace"))
    for charset in charsets:
        try:
            return encoded.decode(charset)
        except (UnicodeDecodeError, LookupError):
            continue
    return encoded.decode("utf-8", "replace")
