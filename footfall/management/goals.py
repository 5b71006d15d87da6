"""Goals: what a site wants its visitors to do. Their reports are in footfall/plugins."""

from typing import Any

from footfall.entities.goals import GoalSettings
from footfall.goals import MANUALLY
from footfall.management.access import VIEW, WRITE
from footfall.management.kinds import number, switch, text, whole, word
from footfall.management.method import Call, Method, Parameter

_IDSITE, _IDGOAL = Parameter("idSite", whole), Parameter("idGoal", whole)
_SETTINGS = (
    Parameter("name", word),
    Parameter("matchAttribute", word),
    Parameter("pattern", text, ""),
    Parameter("patternType", text, ""),
    Parameter("caseSensitive", switch, False),
    Parameter("revenue", number, 0.0),
    Parameter("allowMultipleConversionsPerVisit", switch, False),
    Parameter("description", text, ""),
    Parameter("useEventValueAsRevenue", switch, False),
)


def _settings(call: Call) -> GoalSettings:
    return GoalSettings(
        name=call["name"],
        match_attribute=call["matchAttribute"],
        pattern=call["pattern"],
        pattern_type=call["patternType"],
        case_sensitive=call["caseSensitive"],
        revenue=call["revenue"],
        allow_multiple=call["allowMultipleConversionsPerVisit"],
        description=call["description"],
        event_value_as_revenue=call["useEventValueAsRevenue"],
    )


def _shown(goal: dict[str, Any]) -> dict[str, Any]:
    """A goal as the reference shows it (conformance shapes: getGoals): a manual one has no pattern."""
    if goal["match_attribute"] != MANUALLY:
        return goal
    return {name: value for name, value in goal.items() if name not in ("pattern", "pattern_type", "case_sensitive")}


def _all(call: Call) -> list[dict[str, Any]]:
    call.entities.sites.find(call["idSite"])
    goals = call.entities.goals.all(call["idSite"])
    return [_shown(goal) for goal in (sorted(goals, key=_name) if call["orderByName"] else goals)]


def _name(goal: dict[str, Any]) -> str:
    return str(goal["name"]).lower()


METHODS = (
    Method(
        "Goals.addGoal",
        WRITE,
        (_IDSITE, *_SETTINGS),
        lambda call: call.entities.goals.create(call["idSite"], _settings(call)),
    ),
    Method(
        "Goals.updateGoal",
        WRITE,
        (_IDSITE, _IDGOAL, *_SETTINGS),
        lambda call: call.entities.goals.update(call["idSite"], call["idGoal"], _settings(call)),
    ),
    Method(
        "Goals.deleteGoal",
        WRITE,
        (_IDSITE, _IDGOAL),
        lambda call: call.entities.goals.delete(call["idSite"], call["idGoal"]),
    ),
    Method(
        "Goals.getGoal",
        VIEW,
        (_IDSITE, _IDGOAL),
        lambda call: _shown(call.entities.goals.find(call["idSite"], call["idGoal"])),
    ),
    Method("Goals.getGoals", VIEW, (_IDSITE, Parameter("orderByName", switch, False)), _all),
)
