"""W3C's extended log file format: IIS, Amazon CloudFront and others; `#Fields:` says what the lines hold."""

import re
from functools import lru_cache
from urllib.parse import unquote

from footfall.importing.formats import fields
from footfall.importing.formats.fields import Meanings, line_of
from footfall.importing.line import Line, Unreadable
from footfall.importing.times import Times

_FIELDS = "#Fields:"
_SOFTWARE = "#Software:"
_VALUE = re.compile(r'"[^"]*"|\S+')
_CLOUDFRONT_FIELD = "x-edge-location"


class W3cFormat:
    """Reads one log in the extended format.

    Args:
        own: meanings of fields beside the known ones.
        field_names: what the lines hold, for a log without a `#Fields:` line.
    """

    def __init__(self, times: Times, own: Meanings, field_names: str = "") -> None:
        self.name = "w3c"
        self._times = times
        self._own = own
        self._names: list[str] = []
        self._meanings: list[tuple[int, str]] = []
        self._software = self._fields = ""
        self._is_encoded = False
        if field_names:
            self._read_directive(f"{_FIELDS} {field_names.removeprefix(_FIELDS).strip()}")

    @property
    def header(self) -> str:
        return "\n".join(line for line in (self._software, self._fields) if line)

    def read(self, text: str) -> Line | None:
        if text.startswith("#"):
            self._read_directive(text)
            return None
        values = text.split("\t") if "\t" in text else text.split(" ")
        if len(values) != len(self._names):
            values = [value.strip('"') for value in _VALUE.findall(text)]
            if len(values) != len(self._names):
                raise Unreadable(f"it has {len(values)} values, and #Fields: names {len(self._names)}")
        found: dict[str, str] = {}
        for place, meaning in self._meanings:
            if meaning not in found or found[meaning] == "-":
                found[meaning] = values[place]
        if self._is_encoded and "%" in (agent := found.get("user_agent", "")):
            found["user_agent"] = _decoded(agent)
        return line_of(found, self._times)

    def _read_directive(self, text: str) -> None:
        if text.startswith(_SOFTWARE):
            self._software = text
        elif text.startswith(_FIELDS):
            self._fields = text
            self._names = text.removeprefix(_FIELDS).split()
            known = {**fields.W3C, **self._own}
            if "Microsoft" in self._software and "time-taken" not in self._own:
                known["time-taken"] = "milliseconds"  # of IIS; the standard has seconds
            self._meanings = [(at, known[n.lower()]) for at, n in enumerate(self._names) if n.lower() in known]
            self._is_encoded = _CLOUDFRONT_FIELD in self._names


@lru_cache(maxsize=10_000)
def _decoded(agent: str) -> str:
    return unquote(unquote(agent))  # older logs of CloudFront are encoded twice
