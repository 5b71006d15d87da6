"""Custom dimensions, as tracking reads them: which column a value belongs into, and where it comes from."""

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import msgspec

from footfall.database import Database
from footfall.patterns import InvalidPattern, Pattern, compiled

VISIT, ACTION = "visit", "action"  # scopes
COLUMNS = 5
"""How many columns `custom_dimension_N` each log table has."""


@dataclass(frozen=True)
class Extraction:
    """How a value is found in a page.

    Args:
        source: `url`, `urlparam` or `action_name`.
        pattern: its first group is the value; of `urlparam`, the parameter's name.
    """

    source: str
    pattern: Pattern | str

    def value(self, url: str, title: str) -> str:
        """The value in a page of this URL and title; empty when there is none."""
        if isinstance(self.pattern, str):
            return _parameter(url, self.pattern)
        match = self.pattern.search(title if self.source == "action_name" else url)
        return (match[1] or "") if match else ""


@dataclass(frozen=True)
class CustomDimension:
    """An active row of `custom_dimensions`.

    Args:
        number: by which records and requests name it.
        column: where its value is stored.
        extractions: where else a value may be found, in this order.
    """

    scope: str
    number: int
    column: str
    extractions: tuple[Extraction, ...]

    @property
    def parameter(self) -> str:
        """The name of the tracking parameter that gives its value."""
        return f"dimension{self.number}"


def read_dimensions(database: Database, idsite: int) -> tuple[CustomDimension, ...]:
    """The active dimensions of a site, in the order of their numbers."""
    rows = database.query(
        f"SELECT idcustomdimension, `index`, scope, extractions, case_sensitive FROM "
        f"{database.table('custom_dimensions')} WHERE idsite = %s AND active = 1 AND `index` BETWEEN 1 AND %s "
        "ORDER BY idcustomdimension",
        (idsite, COLUMNS),
    )
    return tuple(
        CustomDimension(
            scope=scope,
            number=number,
            column=f"custom_dimension_{index}",
            extractions=_extractions(extractions, bool(case_sensitive)),
        )
        for number, index, scope, extractions, case_sensitive in rows
    )


def _extractions(text: str, case_sensitive: bool) -> tuple[Extraction, ...]:
    """The extractions of a row; one that cannot be read, or whose pattern has no group, finds nothing."""
    try:
        entries = msgspec.json.decode(text or "[]", type=list[dict[str, str]])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ()
    found = []
    for entry in entries:
        source, pattern = entry.get("dimension", ""), entry.get("pattern", "")
        if source == "urlparam":
            found.append(Extraction(source, pattern))
        elif source in ("url", "action_name"):
            try:
                expression = compiled(pattern, "" if case_sensitive else "i")
            except InvalidPattern:
                continue
            if expression.groups:
                found.append(Extraction(source, expression))
    return tuple(found)


def _parameter(url: str, name: str) -> str:
    try:
        values = parse_qs(urlsplit(url).query).get(name)
    except ValueError:
        return ""
    return values[-1] if values else ""
