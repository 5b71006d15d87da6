"""Which format a log is in: by its first lines, or by name.

A log whose format changes on the way (a server was set up anew) is read all the same: a line that the format of the
lines before it does not fit is tried with the others.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from footfall.errors import FootfallError, InvalidInput
from footfall.importing.formats.fields import Meanings, checked
from footfall.importing.formats.format import Format
from footfall.importing.formats.json_lines import CaddyFormat, JsonFormat
from footfall.importing.formats.log_format import compile_log_format
from footfall.importing.formats.servers import server_formats
from footfall.importing.formats.w3c import W3cFormat
from footfall.importing.line import Line, Unreadable
from footfall.importing.times import Times

# What syslog puts before a line: <priority>, time, host, program.
_SYSLOG = re.compile(
    r"(?:<\d{1,3}>)?(?:1 )?(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S+) \S+ [^\s:\[]+(?:\[\d+\])?: ?"
)
# Names of Matomo's importer, for those who come from there.
ALIASES = {
    "ncsa_extended": "combined",
    "common_vhost": "vhost_common",
    "common_complete": "vhost_combined",
    "nginx_json": "json",
    "caddy_json": "caddy",
    "iis": "w3c",
    "w3c_extended": "w3c",
    "amazon_cloudfront": "w3c",
}
NAMES = ("common", "combined", "vhost_common", "vhost_combined", "w3c", "json", "caddy", "elb", "alb", "s3", "haproxy")


@dataclass(frozen=True)
class FormatOptions:
    """What a person says about the format.

    Args:
        name: one of NAMES or ALIASES; empty: it is recognised.
        definition: an Apache LogFormat or nginx log_format line, instead of a name.
        fields: what a named field is (`--field`), by name.
        w3c_fields: the `#Fields:` of a log that has none.
        zone: of moments that do not say theirs.
    """

    name: str = ""
    definition: str = ""
    fields: Meanings = field(default_factory=dict)
    w3c_fields: str = ""
    zone: tzinfo = UTC


class UnknownFormat(FootfallError):
    """A log whose format nobody recognises."""


class AnyOf:
    """Several formats, that of the line before first.

    Args:
        formats: at least one; `name` and `header` are those of the format that fitted last.
    """

    def __init__(self, formats: Sequence[Format]) -> None:
        self._formats = list(formats)
        self._read = self._formats[0].read

    @property
    def name(self) -> str:
        return self._formats[0].name

    @property
    def header(self) -> str:
        return self._formats[0].header

    def read(self, text: str) -> Line | None:
        try:
            return self._read(text)
        except (ValueError, OverflowError) as error:
            for number, other in enumerate(self._formats[1:], 1):
                try:
                    line = other.read(text)
                except (ValueError, OverflowError):
                    continue
                if line is None:
                    return None
                self._formats.insert(0, self._formats.pop(number))
                self._read = other.read
                return line
            raise Unreadable(str(error)) from None


class Syslogged:
    """A format behind what syslog puts before each line."""

    def __init__(self, inner: Format) -> None:
        self._inner = inner
        self.name = f"{inner.name} in syslog"

    @property
    def header(self) -> str:
        return self._inner.header

    def read(self, text: str) -> Line | None:
        prefix = _SYSLOG.match(text)
        if prefix is None:
            raise Unreadable("it does not begin as a line of syslog")
        return self._inner.read(text[prefix.end() :])


def chosen_format(options: FormatOptions) -> Format | None:
    """The format that a person chose; None when it is to be recognised.

    Raises:
        InvalidInput: there is no such format.
    """
    times = Times(options.zone)
    if options.definition:
        return compile_log_format(options.definition, times)
    name = ALIASES.get(options.name, options.name)
    if not name and options.w3c_fields:
        name = "w3c"
    if not name:
        return None
    for known in _formats(options):
        if known.name == name:
            return known
    raise InvalidInput(f"There is no log format {name!r}: use one of {', '.join(NAMES)}, or --log-format.")


def recognise(first_lines: Sequence[str], options: FormatOptions) -> Format:
    """The format that most of a log's first lines are in; of equals the more particular.

    Raises:
        UnknownFormat: none fits any of them.
    """
    tries: list[Callable[[], Sequence[Format]]] = [
        lambda: _formats(options),
        lambda: [Syslogged(known) for known in _formats(options)],
    ]
    best: tuple[int, list[Format]] = (0, [])
    for formats_of in tries:
        counts = [_readable(known, first_lines) for known in formats_of()]
        most = max(counts)
        if most > best[0]:
            fresh = list(formats_of())  # what was tried has read headers that it will meet again
            winner = fresh.pop(counts.index(most))
            best = most, [winner, *fresh]
    if not best[0]:
        raise UnknownFormat("its format is none of those that are known: name it with --format or --log-format")
    return AnyOf(best[1])


def _formats(options: FormatOptions) -> list[Format]:
    times, own = Times(options.zone), checked(options.fields)
    return [
        W3cFormat(times, own, options.w3c_fields),
        CaddyFormat(),
        JsonFormat(times, own),
        *server_formats(times),
    ]


def _readable(known: Format, lines: Sequence[str]) -> int:
    count = 0
    for text in lines:
        try:
            count += known.read(text) is not None
        except (ValueError, OverflowError):
            continue
    return count
