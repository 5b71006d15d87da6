"""What a hit does on the site: the kinds of actions, and one action of a hit.

A kind says what recording it changes in its visit; the file of its subject (page_views.py, events.py, ...) says which
parameters make it and which columns it fills. Source: conformance topic `actions`.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

# log_action.type
PAGE_URL, OUTLINK, DOWNLOAD, PAGE_TITLE = 1, 2, 3, 4
SKU, PRODUCT_NAME, PRODUCT_CATEGORY, SITE_SEARCH = 5, 6, 7, 8
EVENT_CATEGORY, EVENT_ACTION, EVENT_NAME = 10, 11, 12
CONTENT_NAME, CONTENT_PIECE, CONTENT_TARGET, CONTENT_INTERACTION = 13, 14, 15, 16

NAME_LENGTH = 1024
"""Characters of a name in log_action, Matomo's page_maximum_length."""


class ActionName(NamedTuple):
    """What identifies a row of log_action; a URL's prefix is stored beside it but does not tell actions apart."""

    type: int
    name: str


def named(kind: int, text: str) -> ActionName | None:
    """The name of this type, cut to its length; None for an empty text."""
    text = text.strip()
    return ActionName(kind, text[:NAME_LENGTH]) if text else None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of action.

    Args:
        is_view: whether it counts as an interaction and moves the visit's exit (and, where there is none, its entry).
        counted: added to the visit's actions; `searches` and `events`: added to those totals.
        without_url, without_name: what stands in the action's row for a URL or a name that it does not have.
    """

    is_view: bool = False
    counted: int = 1
    searches: int = 0
    events: int = 0
    without_url: int | None = 0
    without_name: int | None = None


PAGE_VIEW = Kind(is_view=True, without_name=0)
SEARCH = Kind(is_view=True, searches=1, without_url=None)
EVENT = Kind(events=1)
CONTENT = Kind(counted=0)
LINK = Kind()
"""A download or an outlink."""


class Page(NamedTuple):
    """The page that a hit names.

    Args:
        raw: its URL as it was sent, without control characters.
        url: its URL as it is stored, with the prefix; empty when it is none.
        name: the URL without the prefix, and `prefix` the prefix's number.
    """

    raw: str
    url: str
    name: str
    prefix: int | None


@dataclass(slots=True)
class Action:
    """An action that a hit records.

    Args:
        full_url: its URL with the prefix, which a conversion keeps; empty for an action without one.
        names: further columns that hold the id of an action.
        columns: further columns and their values.
        compared: the texts that goals compare, by the goals' attribute.
    """

    kind: Kind
    url: ActionName | None = None
    url_prefix: int | None = None
    name: ActionName | None = None
    full_url: str = ""
    names: dict[str, ActionName] = field(default_factory=dict)
    columns: dict[str, Any] = field(default_factory=dict)
    compared: dict[str, str] = field(default_factory=dict)
