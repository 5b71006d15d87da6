"""What clients are told there is: the reports and segments that the reference lists for the same site.

Facts from ../shared/conformance: metadata.json, of the site with ecommerce, twelve goals and four custom dimensions.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from footfall.archiving.segments import names_for
from footfall.plugins import archived, reports
from footfall.plugins.api.listing import described, titles
from footfall.reports.report import Listing, ValueReport
from footfall.reports.site import ReportDimension, ReportGoal, ReportSite

RECORDED = json.loads((Path(__file__).resolve().parents[1] / "conformance" / "metadata.json").read_text())
DIMENSIONS = (("visit", 1, "Plan"), ("action", 1, "Author"), ("action", 2, "Section"), ("visit", 2, "Retired"))
SHOP = ReportSite(
    1,
    "Shop",
    "https://shop.example.com",
    "UTC",
    "USD",
    ecommerce=True,
    sitesearch=True,
    goals=tuple(ReportGoal(number, f"Goal {number}") for number in range(1, 13)),
    dimensions=tuple(
        ReportDimension(number, index, scope, name, active=name != "Retired")
        for number, (scope, index, name) in enumerate(DIMENSIONS, 1)
    ),
)


def listed() -> Iterator[dict[str, Any]]:
    for report in reports().values():
        if isinstance(report, ValueReport) or report.listing is None:
            continue
        listings = [report.listing] if isinstance(report.listing, Listing) else report.listing(SHOP)
        yield from (described(report.method, listing) for listing in listings)


def key(method: str, parameters: dict[str, Any]) -> tuple[str, str]:
    return method, json.dumps({name: str(value) for name, value in parameters.items()})


OURS = {key(f"{report['module']}.{report['action']}", report.get("parameters", {})): report for report in listed()}
EXPECTED = {key(report["method"], report["parameters"]): report for report in RECORDED["reports"]}


def test_the_same_reports_are_listed() -> None:
    assert OURS.keys() == EXPECTED.keys()
    assert len(EXPECTED) == 111


@pytest.mark.parametrize("which", EXPECTED, ids=" ".join)
def test_a_report_is_listed_as_the_reference_lists_it(which: tuple[str, str]) -> None:
    ours, expected = OURS[which], EXPECTED[which]
    assert ours.get("dimension") == expected["dimension"]
    assert set(ours["metrics"]) == set(expected["metrics"])
    assert set(ours["processedMetrics"]) == set(expected["processedMetrics"])
    assert ours.get("actionToLoadSubTables") == expected["subtable"]
    assert ours.get("constantRowsCount") == expected["constantRowsCount"]


def test_a_listed_report_has_a_name_of_its_own() -> None:
    assert len({report["uniqueId"] for report in OURS.values()}) == len(OURS)


def test_segments_know_the_same_names() -> None:
    ours = {name.name: (name.type, name.category) for name in names_for(SHOP.setup, archived().segments).values()}
    assert ours == {name["segment"]: (name["type"], name["category"]) for name in RECORDED["segments"]}


@pytest.mark.parametrize(
    ("name", "title"), [("nb_visits", "Visits"), ("nb_events", "Events"), ("countryCode", "Country code")]
)
def test_metrics_and_segments_have_titles(name: str, title: str) -> None:
    assert titles(name) == title
