"""Goals, as tracking reads them: what converts a goal, and what a conversion is worth."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from footfall.database import Database
from footfall.patterns import InvalidPattern, compiled

MANUALLY = "manually"
VISIT_DURATION = "visit_duration"
VISIT_ACTIONS = "visit_total_actions"
VISIT_PAGE_VIEWS = "visit_nb_pageviews"
VISIT_ATTRIBUTES = (VISIT_DURATION, VISIT_ACTIONS, VISIT_PAGE_VIEWS)
"""What a goal can compare of the visit itself, with a number; the other attributes are texts of an action."""

# Matomo after 5.2, whose column is longer, calls it otherwise.
_LATER_NAMES = {"visit_total_pageviews": VISIT_PAGE_VIEWS}

Matches = Callable[[str], bool]


@dataclass(frozen=True)
class Goal:
    """One row of `goal`.

    Args:
        match_attribute: `manually`, one of VISIT_ATTRIBUTES, or the text of an action that is compared: `url`, `title`,
            `file`, `external_website`, `event_category`, `event_action`, `event_name`.
        pattern: a text or, for VISIT_ATTRIBUTES, the number to exceed (minutes, actions, page views).
        allow_multiple: whether a visit may convert it more than once.
        revenue: of each conversion.
        event_value_as_revenue: whether the value of the event that converts it is the revenue.
        matches: whether an action's text converts it.
    """

    idgoal: int
    match_attribute: str
    pattern: str
    allow_multiple: bool
    revenue: float
    event_value_as_revenue: bool
    matches: Matches = field(repr=False, compare=False)
    name: str = ""

    @property
    def least(self) -> float:
        """The number to exceed: seconds of a visit's duration, or actions or page views."""
        try:
            number = float(self.pattern)
        except ValueError:
            return float("inf")
        return number * 60 if self.match_attribute == VISIT_DURATION else number


class Goals:
    """The goals of a site, by what converts them."""

    def __init__(self, goals: Iterable[Goal] = ()) -> None:
        self._by_id = {goal.idgoal: goal for goal in goals}
        self._by_attribute: dict[str, tuple[Goal, ...]] = {}
        for goal in self._by_id.values():
            self._by_attribute[goal.match_attribute] = (*self.on(goal.match_attribute), goal)
        self.of_visits = tuple(goal for name in VISIT_ATTRIBUTES for goal in self.on(name))

    def get(self, idgoal: int) -> Goal | None:
        """The goal of this number, or None."""
        return self._by_id.get(idgoal)

    @property
    def names(self) -> dict[int, str]:
        """The names of all goals, by number."""
        return {goal.idgoal: goal.name for goal in self._by_id.values()}

    def on(self, attribute: str) -> tuple[Goal, ...]:
        """The goals that match this attribute."""
        return self._by_attribute.get(attribute, ())

    def converted_by(self, texts: Mapping[str, str]) -> tuple[Goal, ...]:
        """The goals that an action converts, by its texts.

        Args:
            texts: by the attribute that goals match.
        """
        return tuple(goal for attribute, text in texts.items() for goal in self.on(attribute) if goal.matches(text))


def read_goals(database: Database, idsite: int) -> Goals:
    """The goals of a site that are not deleted."""
    rows = database.query(
        "SELECT idgoal, name, match_attribute, pattern, pattern_type, case_sensitive, allow_multiple, revenue, "
        f"event_value_as_revenue FROM {database.table('goal')} WHERE idsite = %s AND deleted = 0 ORDER BY idgoal",
        (idsite,),
    )
    return Goals(
        Goal(
            idgoal=idgoal,
            match_attribute=str(_LATER_NAMES.get(attribute, attribute)),
            pattern=pattern,
            allow_multiple=bool(multiple),
            revenue=float(revenue),
            event_value_as_revenue=bool(event_value),
            matches=matcher(pattern, pattern_type, bool(case_sensitive)),
            name=name,
        )
        for idgoal, name, attribute, pattern, pattern_type, case_sensitive, multiple, revenue, event_value in rows
    )


def matcher(pattern: str, pattern_type: str, case_sensitive: bool) -> Matches:
    """Whether a text fits: `contains`, `exact` or `regex` (found anywhere); one that cannot be compiled never fits."""
    if pattern_type == "regex":
        try:
            search = compiled(pattern, "" if case_sensitive else "i").search
        except InvalidPattern:
            return _never
        return lambda text: search(text) is not None
    lower = pattern.lower()
    if pattern_type == "exact":
        return (lambda text: text == pattern) if case_sensitive else lambda text: text.lower() == lower
    if pattern_type == "contains":
        return (lambda text: pattern in text) if case_sensitive else lambda text: lower in text.lower()
    return _never


def _never(text: str) -> bool:
    return False
