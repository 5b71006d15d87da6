"""Custom dimensions of a site: configuring and finding them. One can be switched off, never deleted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from footfall.changes import Changes
from footfall.database import Database
from footfall.entities import checks
from footfall.errors import InvalidInput

SCOPES = {"visit": "log_visit", "action": "log_link_visit_action"}
"""The table that holds a dimension's values, by its scope."""

EXTRACTED_FROM = ("url", "urlparam", "action_name")
"""What an extraction can read: the page URL, one of its parameters, the page title."""

Extraction = Mapping[str, str]
"""`dimension`, one of EXTRACTED_FROM, and `pattern`: a parameter's name for `urlparam`, else a regular expression whose
first group is the value."""

_COLUMNS = ("idcustomdimension", "idsite", "name", "index", "scope", "active", "extractions", "case_sensitive")


@dataclass(frozen=True)
class Slots:
    """How many dimensions of a scope a site can have, and how many it has.

    Args:
        supports_extractions: whether their values can be read from the page.
    """

    scope: str
    available: int
    used: int
    supports_extractions: bool


class DimensionRepository:
    """The custom dimensions of one database.

    A dimension is a dictionary of `idcustomdimension` (counts within the site), `idsite`, `name`, `index` (counts
    within the scope; the column of its values), `scope`, `active`, `extractions` and `case_sensitive`.
    """

    def __init__(self, database: Database, changes: Changes) -> None:
        self._database = database
        self._changes = changes

    def create(
        self,
        idsite: int,
        name: str,
        scope: str,
        active: bool = True,
        extractions: Sequence[Extraction] = (),
        case_sensitive: bool = True,
    ) -> int:
        """A new dimension's idcustomdimension.

        Raises:
            InvalidInput: there is no such site or scope, the scope's slots are used up, or a value cannot be used.
        """
        name, stored = checks.line("name of a dimension", name, 100), _stored(scope, extractions)
        table = self._database.table("custom_dimensions")

        def write() -> int:
            with self._database.transaction():
                site = self._database.table("site")
                if not self._database.query(f"SELECT idsite FROM {site} WHERE idsite = %s FOR UPDATE", (idsite,)):
                    raise InvalidInput(f"There is no site {idsite}.")
                present = self.all(idsite)
                index = self._free_index(scope, {row["index"] for row in present if row["scope"] == scope})
                number = max((row["idcustomdimension"] for row in present), default=0) + 1
                self._database.execute(
                    f"INSERT INTO {table} ({', '.join(f'`{column}`' for column in _COLUMNS)}) "
                    f"VALUES ({', '.join('%s' for _ in _COLUMNS)})",
                    (number, idsite, name, index, scope, int(active), stored, int(case_sensitive)),
                )
                return number

        number = self._database.retrying(write)
        self._changes.announce()
        return number

    def update(
        self,
        idsite: int,
        number: int,
        name: str,
        active: bool,
        extractions: Sequence[Extraction] = (),
        case_sensitive: bool | None = None,
    ) -> None:
        """Change a dimension; its scope and index stay.

        Args:
            case_sensitive: None leaves it as it is.

        Raises:
            InvalidInput: there is no such dimension, or a value cannot be used.
        """
        present = self.find(idsite, number)
        stored = _stored(present["scope"], extractions)
        sensitive = present["case_sensitive"] if case_sensitive is None else case_sensitive
        self._database.execute(
            f"UPDATE {self._database.table('custom_dimensions')} "
            "SET name = %s, active = %s, extractions = %s, case_sensitive = %s "
            "WHERE idsite = %s AND idcustomdimension = %s",
            (checks.line("name of a dimension", name, 100), int(active), stored, int(sensitive), idsite, number),
        )
        self._changes.announce()

    def find(self, idsite: int, number: int) -> dict[str, Any]:
        """The dimension.

        Raises:
            InvalidInput: the site has none of this number.
        """
        for dimension in self.all(idsite):
            if dimension["idcustomdimension"] == number:
                return dimension
        raise InvalidInput(f"Site {idsite} has no dimension {number}.")

    def all(self, idsite: int) -> list[dict[str, Any]]:
        """The site's dimensions, active or not, in the order of their numbers."""
        rows = self._database.query(
            f"SELECT {', '.join(f'`{column}`' for column in _COLUMNS)} "
            f"FROM {self._database.table('custom_dimensions')} WHERE idsite = %s ORDER BY idcustomdimension",
            (idsite,),
        )
        return [_dimension(row) for row in rows]

    def slots(self, idsite: int) -> list[Slots]:
        """The slots of each scope."""
        scopes = [dimension["scope"] for dimension in self.all(idsite)]
        return [Slots(scope, self._count(scope), scopes.count(scope), scope == "action") for scope in SCOPES]

    def _free_index(self, scope: str, used: set[int]) -> int:
        count = self._count(scope)
        free = set(range(1, count + 1)) - used
        if not free:
            raise InvalidInput(
                f"The site has {count} dimensions of scope {scope} already, and no more fit: change one of them."
            )
        return min(free)

    def _count(self, scope: str) -> int:
        """How many columns for values the scope's table has (an existing Matomo database may have more than ours)."""
        rows = self._database.query(
            "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = %s "
            "AND column_name LIKE 'custom\\_dimension\\_%'",
            (self._database.prefix + SCOPES[scope],),
        )
        return int(rows[0][0])


def _dimension(row: Sequence[Any]) -> dict[str, Any]:
    dimension = dict(zip(_COLUMNS, row, strict=True))
    dimension["active"] = bool(dimension["active"])
    dimension["case_sensitive"] = bool(dimension["case_sensitive"])
    dimension["extractions"] = msgspec.json.decode(dimension["extractions"] or "[]")
    return dimension


def _stored(scope: str, extractions: Sequence[Extraction]) -> str:
    """The extractions as JSON, as they are stored."""
    if scope not in SCOPES:
        raise InvalidInput(f"The scope of a dimension is {' or '.join(SCOPES)}, not {scope!r}.")
    if extractions and scope != "action":
        raise InvalidInput("Only dimensions of scope action can take their value from the page (extractions).")
    return msgspec.json.encode([_checked(extraction) for extraction in extractions]).decode()


def _checked(extraction: Extraction) -> Extraction:
    source, pattern = extraction.get("dimension", ""), extraction.get("pattern", "")
    if source not in EXTRACTED_FROM:
        raise InvalidInput(f"An extraction reads {', '.join(EXTRACTED_FROM)}, not {source!r}.")
    if not pattern:
        raise InvalidInput("An extraction needs a pattern.")
    if source != "urlparam" and not checks.pattern("pattern", pattern).groups:
        raise InvalidInput(f"The pattern {pattern!r} needs a group in parentheses: what it matches is the value.")
    return {"dimension": source, "pattern": pattern}
