"""Reports in words, as clients list them."""

from __future__ import annotations

import re
from typing import Any, Final

from footfall.reports.report import Listing

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
# Names of metrics that say less than people need to know; the others are taken apart into their words.
_TITLES: Final = {
    "label": "Label",
    "nb_visits": "Visits",
    "nb_uniq_visitors": "Unique visitors",
    "nb_users": "Users",
    "nb_actions": "Actions",
    "max_actions": "Most actions in one visit",
    "nb_actions_per_visit": "Actions per visit",
    "nb_visits_converted": "Visits with conversions",
    "nb_visits_percentage": "Share of visits",
    "nb_conversions": "Conversions",
    "nb_hits": "Page views",
    "nb_hits_following_search": "Page views after a search",
    "nb_pageviews": "Page views",
    "nb_uniq_pageviews": "Unique page views",
    "nb_uniq_downloads": "Unique downloads",
    "nb_uniq_outlinks": "Unique outlinks",
    "nb_keywords": "Distinct search terms",
    "nb_pages_per_search": "Result pages per search",
    "avg_time_on_site": "Average time of a visit",
    "avg_time_on_page": "Average time on the page",
    "avg_time_on_dimension": "Average time with the value",
    "avg_page_load_time": "Average page load time",
    "bounce_count": "Bounces",
    "entry_nb_visits": "Entrances",
    "entry_bounce_count": "Bounces",
    "exit_nb_visits": "Exits",
    "sum_visit_length": "Time of all visits",
    "sum_event_value": "Sum of event values",
}
_FILLERS: Final = ("nb", "get")


def titles(name: str) -> str:
    """What a metric or segment is called: `nb_events` is Events, `countryCode` is Country code."""
    if name in _TITLES:
        return _TITLES[name]
    words = [word.lower() for word in _WORD.findall(name) if word.lower() not in _FILLERS]
    return " ".join(words).capitalize() or name


def described(method: str, listing: Listing) -> dict[str, Any]:
    """A report as API.getReportMetadata lists it."""
    module, _, action = method.partition(".")
    own = "".join(f"_{name}--{value}" for name, value in listing.parameters.items())
    shown: dict[str, Any] = {
        "category": " ".join(_WORD.findall(module)),
        "name": titles(action),
        "module": module,
        "action": action,
    }
    if listing.parameters:
        shown["parameters"] = dict(listing.parameters)
    if listing.dimension is not None:
        shown["dimension"] = listing.dimension
    shown["metrics"] = {name: titles(name) for name in listing.metrics}
    shown["processedMetrics"] = {name: titles(name) for name in listing.processed}
    if listing.subtable is not None:
        shown["actionToLoadSubTables"] = listing.subtable
    if listing.constant_rows:
        shown["constantRowsCount"] = True
    return shown | {"uniqueId": f"{module}_{action}{own}"}
