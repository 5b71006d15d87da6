"""Contents: a piece of a page was seen (an impression), or something was done with it (an interaction)."""

from footfall.tracking.action import (
    CONTENT,
    CONTENT_INTERACTION,
    CONTENT_NAME,
    CONTENT_PIECE,
    CONTENT_TARGET,
    Action,
    ActionName,
    Page,
    named,
)
from footfall.tracking.parameters import Parameters, escaped

_COLUMNS = {
    "idaction_content_name": (CONTENT_NAME, "c_n"),
    "idaction_content_piece": (CONTENT_PIECE, "c_p"),
    "idaction_content_target": (CONTENT_TARGET, "c_t"),
    "idaction_content_interaction": (CONTENT_INTERACTION, "c_i"),
}


def read(parameters: Parameters, page: Page) -> Action | None:
    """The content of a hit (`c_n`, `c_p`, `c_t`, `c_i`); None when it has no name."""
    if not parameters.get("c_n", "").strip():
        return None
    names = {
        column: named(kind, escaped(parameters.get(parameter, ""))) for column, (kind, parameter) in _COLUMNS.items()
    }
    return Action(
        CONTENT,
        # Stored whole, as an action of the content's type (conformance: content impression and interaction).
        url=ActionName(CONTENT_NAME, page.url) if page.url else None,
        full_url=page.url,
        names={column: name for column, name in names.items() if name is not None},
    )
