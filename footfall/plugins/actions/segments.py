"""What segments can be about of actions: pages, links and searches."""

from __future__ import annotations

from typing import Final

from footfall.archiving.segments import ACTION, BEHAVIOUR, VISIT, SegmentName
from footfall.plugins.actions.measuring import DOWNLOAD, OUTLINK, PAGE_TITLE, PAGE_URL, SEARCH

_EVENT, _CONTENT = 10, 13  # types of log_action
# What kinds of actions are called.
_KINDS: Final = {
    "pageviews": PAGE_URL,
    "contents": _CONTENT,
    "sitesearches": SEARCH,
    "events": _EVENT,
    "outlinks": OUTLINK,
    "downloads": DOWNLOAD,
}


def _named(name: str, table: str, column: str, *types: int, is_url: bool = False) -> SegmentName:
    return SegmentName(name, table, column, category=BEHAVIOUR, action_types=types, is_url=is_url)


SEGMENTS = (
    SegmentName(
        "actionType",
        ACTION,
        ("idaction_url", "idaction_name", "idaction_event_category", "idaction_content_name"),
        category=BEHAVIOUR,
        values=_KINDS,
        action_types=tuple(_KINDS.values()),
        is_type=True,
    ),
    _named("actionUrl", ACTION, "idaction_url", PAGE_URL, OUTLINK, DOWNLOAD, _EVENT, _CONTENT, is_url=True),
    _named("pageUrl", ACTION, "idaction_url", PAGE_URL, is_url=True),
    _named("pageTitle", ACTION, "idaction_name", PAGE_TITLE),
    _named("entryPageUrl", VISIT, "visit_entry_idaction_url", PAGE_URL, is_url=True),
    _named("entryPageTitle", VISIT, "visit_entry_idaction_name", PAGE_TITLE),
    _named("exitPageUrl", VISIT, "visit_exit_idaction_url", PAGE_URL, is_url=True),
    _named("exitPageTitle", VISIT, "visit_exit_idaction_name", PAGE_TITLE),
    _named("outlinkUrl", ACTION, "idaction_url", OUTLINK),
    _named("downloadUrl", ACTION, "idaction_url", DOWNLOAD),
    _named("siteSearchKeyword", ACTION, "idaction_name", SEARCH),
    SegmentName("siteSearchCategory", ACTION, "search_cat", category=BEHAVIOUR),
    SegmentName("siteSearchCount", ACTION, "search_count", category=BEHAVIOUR),
)
