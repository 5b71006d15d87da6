"""A log that is imported gives the reports that the same requests give when they come over HTTP."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import recorded_tracking
from click.testing import Result
from conftest import SettingsFactory
from falcon import testing
from imports import record_all

from footfall.clock import SystemClock
from footfall.database import Database
from footfall.importing.choice import Choice, ChoiceOptions
from footfall.importing.counts import Counts
from footfall.importing.destinations import Destinations
from footfall.importing.formats.recognition import FormatOptions
from footfall.importing.log import Log, beginning_of
from footfall.importing.requests import Made, PageRequests
from footfall.settings import Settings
from footfall.users import Users
from tracker_api.app import create_app

LOG = Path(__file__).resolve().parent.parent / "conformance" / "import" / "common_complete.log.gz"
REPORTS = (
    *("VisitsSummary.get", "Actions.getPageUrls", "Actions.getPageTitles", "Actions.getDownloads", "Actions.get"),
    *("Actions.getSiteSearchKeywords", "Referrers.getAll", "Goals.get", "DevicesDetection.getBrowsers"),
    *("VisitTime.getVisitInformationPerServerTime", "CustomVariables.getCustomVariables"),
)


class World:
    """A tracker with its own database, and its reports."""

    def __init__(self, settings: Settings, run_command: Callable[..., Result]) -> None:
        self.settings = settings
        self.database = Database(settings)
        recorded_tracking.put_sites(self.database)
        self.token = Users(self.database, settings, SystemClock()).create_token("admin", "tests", superuser=True)
        self.client = testing.TestClient(create_app(settings, SystemClock()))
        self._run = run_command

    def run(self, command: str) -> Result:
        urls = {"DATABASE_URL": self.settings.database_url, "REDIS_URL": self.settings.redis_url}
        done = self._run(command, QUEUE_SHARDS="1", **urls)
        assert done.exit_code == 0, done.stderr
        return done

    def reports(self) -> dict[str, Any]:
        record_all(self.settings)
        self.run("archive_cli run --sites 1")
        query = {"module": "API", "idSite": "1", "period": "day", "date": "2026-08-12", "format": "json", "flat": "1"}
        headers = {"Authorization": f"Bearer {self.token}"}
        return {
            method: self.client.simulate_get("/api", params={**query, "method": method}, headers=headers).json
            for method in REPORTS
        }


@pytest.fixture
def two(new_settings: SettingsFactory, run_command: Callable[..., Result]) -> tuple[World, World]:
    return World(new_settings(queue_shards=1), run_command), World(new_settings(queue_shards=1), run_command)


def made_of_the_log(database: Database) -> list[Made]:
    log = Log(str(LOG), FormatOptions(), Counts(), SystemClock())
    log.recognise(beginning_of(str(LOG)).lines)
    pages = PageRequests(Choice(ChoiceOptions()), Destinations(database, 1))
    return [found for line in log.read() if line is not None and isinstance(found := pages.make(line), Made)]


def test_an_imported_log_gives_the_same_reports_as_its_requests_over_http(two: tuple[World, World]) -> None:
    imported, sent = two
    imported.run(f"footfall import --site 1 {LOG}")
    for made in made_of_the_log(sent.database):
        request = made.request
        moment = datetime.fromtimestamp(request.received_at, UTC).strftime("%Y-%m-%d %H:%M:%S")
        own = f"&cip={request.address}&cdt={moment}&token_auth={sent.token}"
        answer = sent.client.simulate_get(
            "/matomo.php", query_string=request.query.decode() + own, headers=request.headers
        )
        assert answer.status_code == 200
    reports = imported.reports()
    assert [row["nb_actions"] for row in reports["VisitsSummary.get"]] == [85]
    assert reports == sent.reports()
