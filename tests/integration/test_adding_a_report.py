"""A report is added in one file: the one that docs/adding-a-report.md shows, installed as a package of its own."""

import importlib
import json
import re
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from log_rows import add_site, add_visit

from footfall import plugins
from footfall.archiving.archiver import Archiver
from footfall.archiving.periods import Period, PeriodKind
from footfall.clock import FixedClock
from footfall.database import Database
from footfall.settings import Settings
from footfall.users import Users
from tracker_api.reporting import ReportDesk

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "adding-a-report.md"
VISITS = (("390x844", "a"), ("390x800", "abc"), ("1920x1080", "ab"), ("412x915", "a"))
MONDAY = date(2026, 8, 10)
Ask = Callable[..., Any]


@pytest.fixture
def screens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The file of the document, installed under the entry point that the document names."""
    code, entry_point = (
        re.search(rf"```{language}\n(.*?)\n *```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)[1]
        for language in ("python", "toml")
    )
    (tmp_path / "screens.py").write_text(code, encoding="utf-8")
    information = tmp_path / "screens-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: screens\nVersion: 1\n")
    name = re.search(r"(\w+) = \"([\w:]+)\"", entry_point)
    (information / "entry_points.txt").write_text(f"[{plugins.ENTRY_POINTS}]\n{name[1]} = {name[2]}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    plugins.plugins.cache_clear()
    yield
    plugins.plugins.cache_clear()
    sys.modules.pop("screens", None)


@pytest.fixture
def ask(screens: None, settings: Settings, database: Database, clock: FixedClock) -> Ask:
    """Asks for a report about a day of four visits, from three kinds of screens."""
    add_site(database)
    for hour, (resolution, pages) in enumerate(VISITS):
        add_visit(database, 1, datetime(2026, 8, 10, hour), pages, visitor=hour)
        database.execute("UPDATE log_visit SET config_resolution = %s ORDER BY idvisit DESC LIMIT 1", (resolution,))
    archiver = Archiver(database, plugins.archived(), clock)
    archiver.ensure(1, Period.of(PeriodKind.DAY, MONDAY))
    archiver.ensure(1, Period.of(PeriodKind.DAY, MONDAY), "screenWidth==390")
    token = Users(database, settings, clock).create_token("admin", "tests", superuser=True)
    desk = ReportDesk(settings, clock)

    def ask(**parameters: str) -> Any:
        given = {"idSite": "1", "period": "day", "date": str(MONDAY), "token_auth": token, **parameters}
        return json.loads(desk.reply(given, (b"", b"")).body)

    return ask


def test_the_report_is_answered(ask: Ask) -> None:
    rows = ask(method="Screens.getWidths")
    assert [(row["label"], row["nb_visits"], row["bounce_rate"]) for row in rows] == [
        ("390 pixels", 2, "50%"),
        ("412 pixels", 1, "100%"),
        ("1920 pixels", 1, "0%"),
    ]


def test_it_takes_what_every_report_takes(ask: Ask) -> None:
    by_label = {"filter_sort_column": "label", "filter_sort_order": "desc", "filter_limit": "1"}
    (row,) = ask(method="Screens.getWidths", flat="1", showColumns="nb_visits", **by_label)
    assert row == {"label": "1920 pixels", "nb_visits": 1, "Screens_Width": "1920"}


def test_it_is_listed(ask: Ask) -> None:
    listed = {report["uniqueId"]: report for report in ask(method="API.getReportMetadata")}
    assert listed["Screens_getWidths"]["dimension"] == "Screen width"
    assert "nb_visits" in listed["Screens_getWidths"]["metrics"]


def test_segments_know_its_names(ask: Ask) -> None:
    assert "screenWidth" in {name["segment"] for name in ask(method="API.getSegmentsMetadata")}
    assert ask(method="VisitsSummary.getVisits", segment="screenWidth==390") == {"value": 2}
