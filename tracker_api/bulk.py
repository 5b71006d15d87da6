"""Bulk bodies: many tracking requests as one JSON document.

`{"requests": ["?idsite=1&rec=1&…", {"idsite": 1, "rec": 1, …}], "token_auth": "…"}`: an entry is a query string, or an
object with the parameters.
"""

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

import msgspec

from tracker_api.refusal import too_many

_MARK = b'"requests"'
_decode = msgspec.json.Decoder().decode


class Bulk:
    """A bulk body.

    Args:
        entries: the query string of each entry, percent-encoded; None for one that is neither text nor object.
        token: its token_auth, empty where absent.
        readable: whether the body was JSON at all.
    """

    def __init__(self, entries: list[bytes | None], token: str = "", readable: bool = True) -> None:
        self.entries = entries
        self.token = token
        self.readable = readable


def is_bulk(body: bytes) -> bool:
    """Whether the body is a bulk one; clients send it with all kinds of content types, so only its text tells."""
    return _MARK in body


def read(body: bytes, limit: int) -> Bulk:
    """The entries of a bulk body.

    Args:
        limit: MAX_BULK_REQUESTS.

    Raises:
        Refused: there are more entries than that.
    """
    try:
        document = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Bulk([], readable=False)
    entries = document.get("requests") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        return Bulk([], readable=False)
    if len(entries) > limit:
        raise too_many(limit)
    token = document.get("token_auth")
    return Bulk([_query(entry) for entry in entries], token if isinstance(token, str) else "")


def _query(entry: Any) -> bytes | None:
    if isinstance(entry, str):
        _, mark, after = entry.partition("?")
        return (after if mark else entry).partition("#")[0].strip().encode("utf-8", "replace")
    if isinstance(entry, dict):
        return urlencode(list(_pairs(entry)), errors="replace").encode()
    return None


def _pairs(entry: dict[str, Any]) -> Iterable[tuple[str, str]]:
    for name, value in entry.items():
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, bool):
            yield name, "1" if value else "0"
        elif isinstance(value, int | float):
            yield name, str(value)
        elif value is not None:
            yield name, json.dumps(value, ensure_ascii=False, separators=(",", ":"))
