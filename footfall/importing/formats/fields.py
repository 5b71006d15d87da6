"""Fields by name: what logs with named fields (JSON, W3C, tables of a database) call what a Line consists of.

Sources: W3C's "Extended Log File Format" and what IIS and CloudFront add to it; the variables of nginx; the columns of
Apache's mod_log_sql; the names of Matomo's importer for nginx's JSON.
"""

from collections.abc import Mapping
from typing import Any

from footfall.errors import InvalidInput
from footfall.importing.formats.pattern import FIELDS, milliseconds, request_line
from footfall.importing.line import Line, Unreadable
from footfall.importing.times import Times

MEANINGS = (*FIELDS, "date", "clock", "milliseconds", "microseconds")
"""What a field can be; `date` and `clock` make a time, `duration` is in seconds."""

_NGINX = {
    "remote_addr": "address",
    "remote_user": "user",
    "request": "request",
    "request_method": "method",
    "request_uri": "target",
    "uri": "path",
    "args": "query",
    "query_string": "query",
    "status": "status",
    "body_bytes_sent": "length",
    "bytes_sent": "length",
    "host": "host",
    "http_host": "host",
    "server_name": "host",
    "scheme": "scheme",
    "http_referer": "referrer",
    "http_referrer": "referrer",
    "http_user_agent": "user_agent",
    "http_accept_language": "language",
    "http_x_forwarded_for": "forwarded",
    "request_time": "duration",
    "time_iso8601": "time",
    "time_local": "time",
    "msec": "time",
}
_MATOMO = {
    "ip": "address",
    "path": "target",
    "referrer": "referrer",
    "user_agent": "user_agent",
    "length": "length",
    "generation_time_milli": "duration",
    "date": "time",
    "userid": "user",  # seconds, whatever its name says
}
JSON = {**_NGINX, **_MATOMO, "time": "time", "timestamp": "time", "@timestamp": "time"}
W3C = {
    "date": "date",
    "time": "clock",
    "c-ip": "address",
    "cs-method": "method",
    "cs-uri": "target",
    "cs-uri-stem": "path",
    "cs-uri-query": "query",
    "sc-status": "status",
    "sc-bytes": "length",
    "cs-host": "host",
    "cs(host)": "host",
    "x-host-header": "host",
    "cs(referer)": "referrer",
    "cs(user-agent)": "user_agent",
    "cs(accept-language)": "language",
    "cs-username": "user",
    "cs-protocol": "scheme",
    "time-taken": "duration",
}
MOD_LOG_SQL = {
    "agent": "user_agent",
    "bytes_sent": "length",
    "referer": "referrer",
    "remote_host": "address",
    "remote_user": "user",
    "request_duration": "duration",
    "request_line": "request",
    "request_method": "method",
    "request_uri": "path",
    "request_args": "query",
    "status": "status",
    "time_stamp": "time",
    "request_time": "time",
    "virtual_host": "host",
}
Meanings = Mapping[str, str]
"""What the fields of a log are, by their names in lower case."""


def checked(own: Meanings) -> dict[str, str]:
    """The meanings that a person gave (`--field NAME=MEANING`), which come before the known ones.

    Raises:
        InvalidInput: there is no such meaning.
    """
    for name, meaning in own.items():
        if meaning not in MEANINGS:
            raise InvalidInput(f"{name!r} cannot be {meaning!r}: a field is one of {', '.join(sorted(MEANINGS))}.")
    return {name.lower(): meaning for name, meaning in own.items()}


def line_of(found: Mapping[str, Any], times: Times) -> Line:
    """The line of values by meaning; a value that the log left open (`-`) is none.

    Raises:
        Unreadable: it says nothing about when.
        ValueError: a value makes no sense.
    """
    values = {meaning: str(value) for meaning, value in found.items() if value is not None}
    get = values.get
    moment = get("time") or f"{get('date', '')} {get('clock', '')}".strip()
    if not moment:
        raise Unreadable("it says nothing about the time")
    method, target = get("method", ""), _given(get("target"))
    if not target and (request := get("request")):
        method, target = request_line(request)
    if not target:
        query = _given(get("query")).removeprefix("?")
        target = _given(get("path")) + (f"?{query}" if query else "")
    status, length = get("status", ""), get("length", "")
    return Line(
        time=times(moment),
        address=_given(get("forwarded")).partition(",")[0] or _given(get("address")),
        target=target,
        status=int(status) if status.isdigit() else 0,
        referrer=_given(get("referrer")),
        user_agent=_given(get("user_agent")),
        host=_given(get("host")),
        scheme=_given(get("scheme")).lower(),
        method=method,
        length=int(length) if length.isdigit() else None,
        milliseconds=_duration(values),
        user=_given(get("user")),
        language=_given(get("language")),
    )


def _duration(values: Mapping[str, str]) -> int | None:
    for meaning, unit in (("milliseconds", 1.0), ("microseconds", 0.001), ("duration", 1000.0)):
        if meaning in values:
            return milliseconds(values[meaning], unit)
    return None


def _given(text: str | None) -> str:
    return text if text and text != "-" else ""
