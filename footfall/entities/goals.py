"""Goals of a site: creating, changing, deleting and finding them."""

from dataclasses import dataclass, replace
from typing import Any

from footfall.changes import Changes
from footfall.database import Database
from footfall.entities import checks
from footfall.errors import InvalidInput
from footfall.goals import MANUALLY, VISIT_ATTRIBUTES

COLUMNS = (
    "idsite",
    "idgoal",
    "name",
    "description",
    "match_attribute",
    "pattern",
    "pattern_type",
    "case_sensitive",
    "allow_multiple",
    "revenue",
    "deleted",
    "event_value_as_revenue",
)
EVENT_ATTRIBUTES = ("event_category", "event_action", "event_name")
TEXT_ATTRIBUTES = ("url", "title", "file", "external_website", *EVENT_ATTRIBUTES)
ATTRIBUTES = (MANUALLY, *TEXT_ATTRIBUTES, *VISIT_ATTRIBUTES)
TEXT_PATTERNS = ("contains", "exact", "regex")
GREATER_THAN = "greater_than"
_NO_URL_ATTRIBUTES = (*EVENT_ATTRIBUTES, "title")


@dataclass(frozen=True)
class GoalSettings:
    """What a goal is.

    Args:
        match_attribute: one of ATTRIBUTES; `manually` is converted by the client alone.
        pattern: what the attribute is compared with; of VISIT_ATTRIBUTES the number to exceed.
        pattern_type: one of TEXT_PATTERNS, or `greater_than` for VISIT_ATTRIBUTES.
        allow_multiple: whether a visit may convert it more than once.
        revenue: of each conversion, in the site's currency.
        event_value_as_revenue: whether the value of the event that converts it is the revenue.
    """

    name: str
    match_attribute: str
    pattern: str = ""
    pattern_type: str = ""
    case_sensitive: bool = False
    revenue: float = 0.0
    allow_multiple: bool = False
    description: str = ""
    event_value_as_revenue: bool = False

    def checked(self) -> "GoalSettings":
        """The same, as it is stored.

        Raises:
            InvalidInput: a value cannot be used, or does not fit another.
        """
        if self.match_attribute not in ATTRIBUTES:
            raise InvalidInput(f"A goal matches one of {', '.join(ATTRIBUTES)}, not {self.match_attribute!r}.")
        if self.event_value_as_revenue and self.match_attribute not in EVENT_ATTRIBUTES:
            raise InvalidInput("Only a goal that matches an event can take the event's value as its revenue.")
        pattern, pattern_type = self._checked_pattern()
        return replace(
            self,
            name=checks.line("name of a goal", self.name, 50),
            description=checks.line("description of a goal", self.description, 255, empty=True),
            pattern=pattern,
            pattern_type=pattern_type,
        )

    def _checked_pattern(self) -> tuple[str, str]:
        if self.match_attribute == MANUALLY:
            return "", ""
        text = checks.line("pattern of a goal", self.pattern, 255)
        kinds = (GREATER_THAN,) if self.match_attribute in VISIT_ATTRIBUTES else TEXT_PATTERNS
        if self.pattern_type not in kinds:
            raise InvalidInput(
                f"The pattern type of a goal that matches {self.match_attribute} is "
                f"{' or '.join(kinds)}, not {self.pattern_type!r}."
            )
        if self.pattern_type == GREATER_THAN and not (text.isascii() and text.isdigit()):
            raise InvalidInput(f"The pattern of a goal that matches {self.match_attribute} is a number, not {text!r}.")
        if self.pattern_type == "regex":
            checks.pattern("pattern", text)
        if self.pattern_type == "exact" and self.match_attribute not in _NO_URL_ATTRIBUTES and text[:4] != "http":
            raise InvalidInput(
                f"An exact match of {self.match_attribute} needs a whole URL that begins with http:// or https://, "
                f"not {text!r}."
            )
        return text, self.pattern_type


class GoalRepository:
    """The goals of one database. A goal is a dictionary of COLUMNS; its flags are 0 or 1."""

    def __init__(self, database: Database, changes: Changes) -> None:
        self._database = database
        self._changes = changes

    def create(self, idsite: int, settings: GoalSettings) -> int:
        """A new goal's idgoal; numbers count from 1 within the site, and none is used again.

        Raises:
            InvalidInput: there is no such site, or a value cannot be used.
        """
        values, goal = _columns(settings), self._database.table("goal")

        def write() -> int:
            with self._database.transaction():
                self._lock_site(idsite)
                highest = self._database.query(f"SELECT MAX(idgoal) FROM {goal} WHERE idsite = %s", (idsite,))[0][0]
                idgoal = int(highest or 0) + 1
                self._database.execute(
                    f"INSERT INTO {goal} (idsite, idgoal, {', '.join(values)}) "
                    f"VALUES (%s, %s, {', '.join('%s' for _ in values)})",
                    (idsite, idgoal, *values.values()),
                )
                return idgoal

        idgoal = self._database.retrying(write)
        self._changes.announce()
        return idgoal

    def update(self, idsite: int, idgoal: int, settings: GoalSettings) -> None:
        """Make the goal what the settings say.

        Raises:
            InvalidInput: there is no such goal, or a value cannot be used.
        """
        values = _columns(settings)
        self.find(idsite, idgoal)
        self._database.execute(
            f"UPDATE {self._database.table('goal')} SET {', '.join(f'{name} = %s' for name in values)} "
            "WHERE idsite = %s AND idgoal = %s",
            (*values.values(), idsite, idgoal),
        )
        self._changes.announce()

    def delete(self, idsite: int, idgoal: int) -> None:
        """Mark the goal deleted: it converts no more, its conversions and archives stay.

        Raises:
            InvalidInput: there is no such goal.
        """
        self.find(idsite, idgoal)
        self._database.execute(
            f"UPDATE {self._database.table('goal')} SET deleted = 1 WHERE idsite = %s AND idgoal = %s",
            (idsite, idgoal),
        )
        self._changes.announce()

    def find(self, idsite: int, idgoal: int) -> dict[str, Any]:
        """The goal.

        Raises:
            InvalidInput: the site has none of this number, or it is deleted.
        """
        for goal in self.all(idsite):
            if goal["idgoal"] == idgoal:
                return goal
        raise InvalidInput(f"Site {idsite} has no goal {idgoal}.")

    def all(self, idsite: int) -> list[dict[str, Any]]:
        """The site's goals that are not deleted, in the order of their numbers."""
        rows = self._database.query(
            f"SELECT {', '.join(COLUMNS)} FROM {self._database.table('goal')} "
            "WHERE idsite = %s AND deleted = 0 ORDER BY idgoal",
            (idsite,),
        )
        return [dict(zip(COLUMNS, row, strict=True)) for row in rows]

    def _lock_site(self, idsite: int) -> None:
        """Let no one else number a goal of the site until the transaction ends."""
        site = self._database.table("site")
        if not self._database.query(f"SELECT idsite FROM {site} WHERE idsite = %s FOR UPDATE", (idsite,)):
            raise InvalidInput(f"There is no site {idsite}.")


def _columns(settings: GoalSettings) -> dict[str, Any]:
    goal = settings.checked()
    return {
        "name": goal.name,
        "description": goal.description,
        "match_attribute": goal.match_attribute,
        "pattern": goal.pattern,
        "pattern_type": goal.pattern_type,
        "case_sensitive": int(goal.case_sensitive),
        "allow_multiple": int(goal.allow_multiple),
        "revenue": goal.revenue,
        "event_value_as_revenue": int(goal.event_value_as_revenue),
    }
