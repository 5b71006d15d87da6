"""Events: a category, an action, and perhaps a name and a value."""

from footfall.tracking.action import (
    EVENT,
    EVENT_ACTION,
    EVENT_CATEGORY,
    EVENT_NAME,
    Action,
    ActionName,
    Page,
    named,
)
from footfall.tracking.parameters import Parameters, escaped, leading_number


def read(parameters: Parameters, page: Page) -> Action | None:
    """The event of a hit (`e_c`, `e_a`, `e_n`, `e_v`); None when category or action is missing or empty."""
    category, action = parameters.get("e_c", "").strip(), parameters.get("e_a", "").strip()
    if not category or not action:
        return None
    name, value = parameters.get("e_n", "").strip(), parameters.get("e_v", "").strip()
    columns = {}
    if value:
        columns["custom_float"] = leading_number(value)
    names = {
        "idaction_event_category": named(EVENT_CATEGORY, escaped(category)),
        "idaction_event_action": named(EVENT_ACTION, escaped(action)),
    }
    return Action(
        EVENT,
        # The page's URL is an action of the event's own type (conformance: event).
        url=ActionName(EVENT_CATEGORY, page.name) if page.url else None,
        url_prefix=page.prefix,
        name=named(EVENT_NAME, escaped(name)),
        full_url=page.url,
        names={column: found for column, found in names.items() if found is not None},
        columns=columns,
        compared={"event_category": category, "event_action": action, "event_name": name},
    )
