"""Formats whose lines one regular expression takes apart; most logs are of this kind.

A group of the expression is named after what it holds (FIELDS). What an expression has no group for is empty.
"""

import re
from collections.abc import Callable
from typing import Literal

from footfall.importing.line import Line, Unreadable
from footfall.importing.times import Times

FIELDS = (
    *("time", "address", "request", "status", "referrer", "user_agent", "host", "length", "duration", "user"),
    *("method", "target", "path", "query", "scheme", "language", "forwarded"),
)
"""`request` is a request line (`GET /page HTTP/1.1`); `forwarded` a list of addresses, the client's first."""

_ESCAPE = re.compile(r'\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(["\\/bfnrtv\']))')
_CONTROL = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
Escapes = Literal["quoted", "none"]


def unescaped(text: str) -> str:
    r"""A text without the escapes that Apache, nginx and JSON write: `\"`, `\\`, `\xC3`, `\u00e4`, `\n`."""
    if "\\" not in text:
        return text
    # Bytes are escaped one by one: as surrogates they come together again as UTF-8.
    plain = _ESCAPE.sub(_character, text)
    return plain.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")


def _character(match: re.Match[str]) -> str:
    byte, code, character = match.groups()
    if byte:
        return bytes.fromhex(byte).decode("ascii", "surrogateescape")
    if code:
        return chr(int(code, 16)) if not 0xD800 <= int(code, 16) < 0xE000 else "\ufffd"
    return _CONTROL.get(character, character)


def request_line(text: str) -> tuple[str, str]:
    """Method and target of a request line; empty ones for what is none (`-`, the bytes of a TLS handshake)."""
    method, _, rest = text.partition(" ")
    target, _, protocol = rest.rpartition(" ")
    if not protocol.startswith("HTTP/"):
        target = rest
    return (method, target) if method.isalpha() else ("", "")


class PatternFormat:
    """A format of one expression.

    Args:
        pattern: of a whole line.
        times: reads its moments.
        unit: milliseconds that one of `duration` is.
        escapes: whether texts come with backslashes before quotes and bytes.
    """

    header = ""

    def __init__(
        self, name: str, pattern: str, times: Times, *, unit: float = 1000.0, escapes: Escapes = "quoted"
    ) -> None:
        self.name = name
        compiled = re.compile(pattern)
        absent = "".join(f"(?P<{field}>)" for field in FIELDS if field not in compiled.groupindex)
        self._match: Callable[[str], re.Match[str] | None] = re.compile(pattern + absent).fullmatch
        self._times = times
        self._unit = unit
        self._escaped = escapes == "quoted"

    def read(self, text: str) -> Line | None:
        match = self._match(text)
        if match is None:
            raise Unreadable(f"it is no line of the format {self.name}")
        time, address, request, status, referrer, agent, host, length, duration, user, *rare = match.group(*FIELDS)
        method, target, path, query, scheme, language, forwarded = rare
        if request:
            method, target = request_line(request)
        elif path:
            target = f"{path}{query}" if query[:1] in ("?", "") else f"{path}?{query}"
        if forwarded and forwarded != "-":
            address = forwarded.partition(",")[0]
        if self._escaped and "\\" in text:
            target, referrer, agent, user = (unescaped(part or "") for part in (target, referrer, agent, user))
        return Line(
            self._times(time),
            address,
            target or "",
            int(status) if status.isdigit() else 0,
            referrer if referrer and referrer != "-" else "",
            agent if agent and agent != "-" else "",
            host if host and host != "-" else "",
            scheme or "",
            method or "",
            int(length) if length and length.isdigit() else None,
            milliseconds(duration, self._unit) if duration else None,
            user if user and user != "-" else "",
            language if language and language != "-" else "",
        )


def milliseconds(text: str, unit: float) -> int | None:
    """A duration in milliseconds; None for what is none or not known (`-`, `-1`).

    Args:
        unit: milliseconds that one is.
    """
    try:
        duration = float(text) * unit
    except ValueError:
        return None
    return round(duration) if 0 <= duration < 1e9 else None
