"""Logs of JSON objects, one a line: nginx with such a `log_format`, Caddy, and whatever has fields of known names."""

from typing import Any

import msgspec

from footfall.importing.formats import fields
from footfall.importing.formats.fields import Meanings, line_of
from footfall.importing.line import Line, Unreadable
from footfall.importing.times import Times


class JsonFormat:
    """Flat objects.

    Args:
        own: meanings of fields beside the known ones.
    """

    header = ""

    def __init__(self, times: Times, own: Meanings) -> None:
        self.name = "json"
        self._times = times
        self._meanings = {**fields.JSON, **own}

    def read(self, text: str) -> Line | None:
        known = self._meanings
        found: dict[str, Any] = {}
        for name, value in _object(text).items():
            meaning = known.get(name) or known.get(name.lower())
            if meaning and (meaning not in found or found[meaning] in ("-", "")):
                found[meaning] = value
        return line_of(found, self._times)


class CaddyFormat:
    """Caddy's access log: objects with the request inside, its headers as lists."""

    header = ""

    def __init__(self) -> None:
        self.name = "caddy"

    def read(self, text: str) -> Line | None:
        entry = _object(text)
        request = entry.get("request")
        if not isinstance(request, dict) or "uri" not in request:
            if "msg" in entry and "ts" in entry:
                return None  # another of Caddy's loggers
            raise Unreadable("it is no line of Caddy's access log")
        headers = request.get("headers")
        headers = headers if isinstance(headers, dict) else {}
        status, length, duration = entry.get("status"), entry.get("size"), entry.get("duration")
        return Line(
            time=float(entry["ts"]),
            address=str(request.get("client_ip") or request.get("remote_ip") or ""),
            target=str(request["uri"]),
            status=status if isinstance(status, int) else 0,
            referrer=_header(headers, "Referer"),
            user_agent=_header(headers, "User-Agent"),
            host=str(request.get("host", "")),
            scheme="https" if "tls" in request else "",
            method=str(request.get("method", "")),
            length=length if isinstance(length, int) else None,
            milliseconds=round(duration * 1000) if isinstance(duration, int | float) else None,
            user=str(entry.get("user_id") or ""),
            language=_header(headers, "Accept-Language"),
        )


def _object(text: str) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(text.encode("utf-8", "surrogateescape"))
    except (msgspec.DecodeError, RecursionError):
        # nginx without escape=json writes bytes as \xC3, which JSON does not know.
        try:
            found = msgspec.json.decode(text.replace("\\x", "\\u00").encode("utf-8", "replace"))
        except (msgspec.DecodeError, RecursionError) as error:
            raise Unreadable(f"it is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise Unreadable("it is no JSON object")
    return found


def _header(headers: dict[str, Any], name: str) -> str:
    values = headers.get(name)
    value = str(values[0]) if isinstance(values, list) and values else ""
    return "" if value == "-" else value
