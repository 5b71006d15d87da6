"""Formats made from a server's own definition: an Apache LogFormat line or an nginx log_format line.

Sources: Apache's documentation of mod_log_config and mod_logio; nginx's of ngx_http_log_module and the variables of
ngx_http_core_module.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from footfall.errors import InvalidInput
from footfall.importing.formats.pattern import PatternFormat
from footfall.importing.times import Times


class _Part(NamedTuple):
    """A piece of a definition: text that stands in each line as it is, or something that changes.

    Args:
        field: one of pattern.FIELDS; empty for a value that nothing is made of.
        unit: of a duration, milliseconds that one is.
        written: of a time, its strftime format.
        bracketed: whether the server itself writes brackets around it.
    """

    literal: str = ""
    field: str | None = None
    unit: float = 0.0
    written: str = ""
    bracketed: bool = False


_APACHE_LINE = re.compile(r'\s*(?:LogFormat|CustomLog\s+\S+)\s+"((?:[^"\\]|\\.)*)"(?:\s+\S+)*\s*', re.IGNORECASE)
_NGINX_LINE = re.compile(r"\s*log_format\s+\S+\s+(?:escape=\w+\s+)?(.*?);?\s*", re.DOTALL)
_NGINX_PIECE = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"|(\S+)")
_APACHE_DIRECTIVE = re.compile(r"%[!\d,]*[<>]?(?:\{([^}]*)\})?(\^[a-zA-Z]{2}|[a-zA-Z%])")
_NGINX_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")

_APACHE_FIELDS = {
    "a": "address",
    "h": "address",
    "u": "user",
    "r": "request",
    "m": "method",
    "U": "path",
    "q": "query",
    "s": "status",
    "b": "length",
    "B": "length",
    "O": "",
    "v": "host",
    "V": "host",
}
_HEADER_FIELDS = {
    "referer": "referrer",
    "user-agent": "user_agent",
    "host": "host",
    "accept-language": "language",
    "x-forwarded-for": "forwarded",
    "x-forwarded-proto": "scheme",
}
_NGINX_FIELDS = {
    "remote_addr": "address",
    "remote_user": "user",
    "request": "request",
    "request_method": "method",
    "request_uri": "target",
    "uri": "path",
    "document_uri": "path",
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
    "http_user_agent": "user_agent",
    "http_x_forwarded_for": "forwarded",
    "http_accept_language": "language",
    "request_time": "duration",
    "time_local": "time",
    "time_iso8601": "time",
    "msec": "time",
}
_APACHE_UNITS = {"s": 1000.0, "ms": 1.0, "us": 0.001}
_SINCE_EPOCH = {"sec", "msec", "usec"}
# What strftime knows and strptime does not.
_LONG = {"%T": "%H:%M:%S", "%R": "%H:%M", "%F": "%Y-%m-%d", "%D": "%m/%d/%y", "%e": "%d"}
_SHORT = re.compile("|".join(_LONG))
_QUOTED_VALUE = r'[^"\\]*(?:\\.[^"\\]*)*'
_MAY_HAVE_SPACES = {"user_agent", "referrer", "path", "query", "target", ""}
_NEEDED = ("time", "request|target|path")


def compile_log_format(definition: str, times: Times, name: str = "log_format", *, more: bool = False) -> PatternFormat:
    """The format that an Apache or nginx definition describes.

    Args:
        definition: the format alone, or the whole line of the configuration.
        times: reads moments, unless the definition says how they are written.
        more: whether lines may have more fields behind those of the definition.

    Raises:
        InvalidInput: it is none, or says neither when nor what was requested.
    """
    parts = list(_parts(definition))
    pattern, seen = "", set[str]()
    for number, part in enumerate(parts):
        if part.field is None:
            pattern += re.escape(part.literal)
            continue
        value = _value(part, parts[:number], parts[number + 1 :])
        # What a line says twice is taken where it is said first.
        group = f"(?P<{part.field}>{value})" if part.field and part.field not in seen else f"(?:{value})"
        pattern += rf"\[{group}\]" if part.bracketed else group
        seen.add(part.field)
    for needed in _NEEDED:
        if not seen & set(needed.split("|")):
            raise InvalidInput(
                f"The log format {definition!r} says nothing about the {needed.split('|')[0]} of a request: "
                "give the whole definition, as it stands behind LogFormat (Apache) or log_format (nginx)."
            )
    units = [part.unit for part in parts if part.field == "duration"]
    written = next(part.written for part in parts if part.field == "time")
    return PatternFormat(
        name,
        pattern + ("(?: .*)?" if more else ""),
        times.written_as(written) if written else times,
        unit=units[0] if units else 1000.0,
    )


def _value(part: _Part, before: list[_Part], after: list[_Part]) -> str:
    """The expression of a value, by what stands around it."""
    following = next((one.literal for one in after if one.literal), "")
    if part.bracketed:
        return r"[^\]]*"
    if before and before[-1].literal.endswith('"') and following.startswith('"'):
        return _QUOTED_VALUE
    if part.field == "forwarded":
        return r"\S*(?:, \S+)*"
    if part.written:
        return " ".join([r"\S+"] * len(part.written.split(" ")))
    if part.field == "request":
        return ".*?"
    if not following:
        return ".*" if part.field in _MAY_HAVE_SPACES else r"\S*"
    return f"[^{re.escape(following[0])}]*"


def _parts(definition: str) -> Iterator[_Part]:
    if apache := _APACHE_LINE.fullmatch(definition):
        definition = _unquoted(apache[1])
    elif nginx := _NGINX_LINE.fullmatch(definition):
        definition = "".join(
            _unquoted(single or double or bare) for single, double, bare in _NGINX_PIECE.findall(nginx[1])
        )
    is_apache = "%" in definition and not _NGINX_VARIABLE.search(definition)
    at = 0
    for match in (_APACHE_DIRECTIVE if is_apache else _NGINX_VARIABLE).finditer(definition):
        if match.start() > at:
            yield _Part(definition[at : match.start()])
        yield _apache(match) if is_apache else _nginx(match)
        at = match.end()
    if at < len(definition):
        yield _Part(definition[at:])


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: {"t": "\t", "n": "\n"}.get(match[1], match[1]), text)


def _nginx(match: re.Match[str]) -> _Part:
    field = _NGINX_FIELDS.get(match[1] or match[2], "")
    return _Part(field=field, unit=1000.0 if field == "duration" else 0.0)


def _apache(match: re.Match[str]) -> _Part:
    argument, directive = match[1] or "", match[2]
    if directive == "%":
        return _Part("%")
    if directive == "i":
        return _Part(field=_HEADER_FIELDS.get(argument.lower(), ""))
    if directive == "D":
        return _Part(field="duration", unit=0.001)
    if directive == "T":
        return _Part(field="duration", unit=_APACHE_UNITS.get(argument, 1000.0))
    if directive == "t":
        kind = argument.removeprefix("begin:").removeprefix("end:")
        if not kind:
            return _Part(field="time", bracketed=True)
        if kind in _SINCE_EPOCH:
            return _Part(field="time")
        return _Part(field="time", written=_SHORT.sub(lambda short: _LONG[short[0]], kind))
    return _Part(field=_APACHE_FIELDS.get(directive, ""))
