"""The recorder on what the reference recorded: the same requests, row for row and column for column."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import recorded_tracking
from conftest import SettingsFactory

from footfall.clock import SystemClock
from footfall.database import Database
from footfall.settings import Settings
from footfall.tracking.recorder import Recorder
from footfall.users import Users


@dataclass
class Tracker:
    """A recorder on a database with the sites of the scenarios."""

    database: Database
    recorder: Recorder
    token: str

    def differences(self, scenario: dict[str, Any], batch_size: int) -> list[str]:
        """Record the requests of a scenario in batches of this size, and compare the rows."""
        (highest,) = self.database.query("SELECT COALESCE(MAX(idvisit), 0) FROM log_visit")[0]
        requests = [q for request in scenario["requests"] for q in recorded_tracking.requests_of(request, self.token)]
        for start in range(0, len(requests), batch_size):
            recorded_tracking.record(self.recorder, self.database, requests[start : start + batch_size])
        return recorded_tracking.differences(scenario["expect"], recorded_tracking.rows_after(self.database, highest))


@pytest.fixture(scope="module")
def recording_settings(new_settings: SettingsFactory) -> Settings:
    return new_settings(anonymize_ip_bytes=0)


@pytest.fixture
def tracker(recording_settings: Settings) -> Iterator[Tracker]:
    database = Database(recording_settings)
    kept = ("footfall_migration", "footfall_device")
    for (table,) in database.query("SHOW TABLES"):
        if table not in kept:
            database.execute(f"DELETE FROM `{table}`")
    recorded_tracking.put_sites(database)
    clock = SystemClock()
    token = Users(database, recording_settings, clock).create_token("admin", "test", superuser=True)
    yield Tracker(database, Recorder(database, recording_settings, clock), token)
    database.close()


@pytest.mark.parametrize("batch_size", [1000, 1], ids=["one batch", "one request a batch"])
@pytest.mark.parametrize("topic", recorded_tracking.TOPICS)
def test_rows_are_those_of_the_reference(tracker: Tracker, topic: str, batch_size: int) -> None:
    found = {s["scenario"]: tracker.differences(s, batch_size) for s in recorded_tracking.scenarios(topic)}
    lines = [f"{name}: {line}" for name, differences in found.items() for line in differences]
    assert not lines, "\n".join(["", *lines[:40]])
