"""Devices are detected once, and shared between processes."""

import json
from collections.abc import Callable
from datetime import timedelta
from time import time
from urllib.parse import urlencode

import pytest

from footfall.clock import FixedClock, SystemClock
from footfall.database import Database
from footfall.queue.request import TrackingRequest
from footfall.settings import Settings
from footfall.tracking import devices
from footfall.tracking.device_purge import purge_devices
from footfall.tracking.devices import Agent, Devices
from footfall.tracking.recorder import BatchReport, Recorder

WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
)
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
WINDOWS_11 = json.dumps({"platform": "Windows", "platformVersion": "15.0.0"})


@pytest.fixture
def new_devices(database: Database) -> Callable[[], Devices]:
    """Devices as a process that was just started has them."""
    return lambda: Devices(database, SystemClock(), 100)


@pytest.fixture
def record(database: Database, settings: Settings) -> Callable[..., BatchReport]:
    """Records one page view, after a site was made."""
    database.execute(
        "INSERT INTO site (idsite, name, main_url, timezone, currency, excluded_ips, excluded_parameters, "
        "excluded_user_agents, excluded_referrers, `group`, type, sitesearch_keyword_parameters, "
        "sitesearch_category_parameters) VALUES (1, 'A', 'https://a.example', 'UTC', 'EUR', '', '', '', '', '', "
        "'website', '', '')"
    )
    recorder = Recorder(database, settings, SystemClock())

    def record(agent: str, **parameters: str) -> BatchReport:
        query = urlencode({"idsite": "1", "rec": "1", "url": "https://a.example/", **parameters})
        batch = recorder.prepare([TrackingRequest(time(), "192.0.2.7", query.encode(), b"", {"user-agent": agent})])
        with database.transaction():
            return recorder.write(batch)

    return record


DAY = timedelta(days=1)


def no_detection(agent: Agent) -> None:
    raise AssertionError(f"{agent} was detected again")


def test_an_agent_of_two_batches_is_not_detected_by_other_processes(
    new_devices: Callable[[], Devices], monkeypatch: pytest.MonkeyPatch
) -> None:
    agent, first = Agent.of(WINDOWS), new_devices()
    found = first.of([agent])
    first.of([agent])
    monkeypatch.setattr(devices, "detect", no_detection)
    assert new_devices().of([agent]) == found


def test_agents_that_come_once_are_not_stored(new_devices: Callable[[], Devices], database: Database) -> None:
    new_devices().of([Agent.of(f"{WINDOWS} Robot/{number}") for number in range(300)])
    assert database.query("SELECT COUNT(*) FROM footfall_device") == [(0,)]


def test_hints_tell_agents_with_the_same_user_agent_apart(new_devices: Callable[[], Devices]) -> None:
    plain, hinted = Agent.of(WINDOWS), Agent.of(WINDOWS, WINDOWS_11)
    for _ in range(3):
        found = new_devices().of([plain, hinted])
        assert (found[plain].os_version, found[hinted].os_version) == ("10", "11")


def test_agents_of_any_bytes_can_be_kept_and_shared(new_devices: Callable[[], Devices]) -> None:
    agents = [Agent.of(text) for text in ("", "\ud800\0é", "x" * 100_000, "模型" * 400)]
    kept = new_devices()
    assert kept.of(agents) == kept.of(agents) == new_devices().of(agents)


def test_no_more_of_a_user_agent_is_looked_at_than_the_reference_does() -> None:
    assert devices.detect(Agent.of(" " * 9 + WINDOWS + " " * 500 + "Googlebot")).is_bot is False


def test_a_bot_is_left_out_and_counted(record: Callable[..., BatchReport], database: Database) -> None:
    report = record(GOOGLEBOT)
    assert (report.visits, dict(report.excluded), report.rejected) == (0, {"bot": 1}, [])
    assert database.query("SELECT COUNT(*) FROM log_visit") == [(0,)]


def test_a_bot_that_asks_to_be_recorded_is_a_visit(record: Callable[..., BatchReport], database: Database) -> None:
    assert record(GOOGLEBOT, bots="1").visits == 1
    assert database.query("SELECT config_os, config_browser_name FROM log_visit") == [("BOT", "UNK")]


def test_client_hints_of_a_request_decide_its_system(record: Callable[..., BatchReport], database: Database) -> None:
    record(WINDOWS, uadata=WINDOWS_11)
    assert database.query("SELECT config_os, config_os_version FROM log_visit") == [("WIN", "11")]


# Purging


def share(database: Database, clock: FixedClock, *agents: str) -> None:
    """Let two batches of a new process come with these agents."""
    process = Devices(database, clock, 100)
    for _ in range(2):
        process.of([Agent.of(agent) for agent in agents])


def kept(database: Database, clock: FixedClock, days: int) -> int:
    """How many devices are left after those unused for so many days are purged."""
    pauses: list[None] = []
    before = database.query("SELECT COUNT(*) FROM footfall_device")[0][0]
    removed = purge_devices(database, (clock.moment - days * DAY).date(), lambda: pauses.append(None))
    (left,) = database.query("SELECT COUNT(*) FROM footfall_device")[0]
    assert before - left == removed
    assert len(pauses) == -(-removed // 1000)
    return int(left)


def test_a_device_that_nobody_reads_is_purged_and_one_that_is_read_stays(database: Database, clock: FixedClock) -> None:
    share(database, clock, WINDOWS, GOOGLEBOT)
    for _ in range(10):
        clock.moment += 10 * DAY
        Devices(database, clock, 100).of([Agent.of(WINDOWS)])
    assert kept(database, clock, 90) == 1
    clock.moment += 91 * DAY
    assert kept(database, clock, 90) == 0


def test_a_purged_device_is_shared_again_when_it_comes_again(database: Database, clock: FixedClock) -> None:
    share(database, clock, WINDOWS)
    clock.moment += 100 * DAY
    assert kept(database, clock, 90) == 0
    share(database, clock, WINDOWS)
    assert kept(database, clock, 90) == 1


def test_a_row_of_a_version_that_noted_no_use_goes_by_its_detection(database: Database, clock: FixedClock) -> None:
    for number, age in enumerate((10, 89, 91, 1000)):
        database.execute(
            "INSERT INTO footfall_device (hash, device, ts_detected) VALUES (%s, %s, %s)",
            (number.to_bytes(16, "big"), b"x", (clock.moment - age * DAY).replace(tzinfo=None)),
        )
    assert kept(database, clock, 90) == 2


def test_more_rows_than_one_statement_removes_all_go(database: Database, clock: FixedClock) -> None:
    old = (clock.moment - 100 * DAY).replace(tzinfo=None)
    rows = [value for number in range(2500) for value in (number.to_bytes(16, "big"), b"x", old)]
    marks = ", ".join(["(%s, %s, %s)"] * 2500)
    database.execute(f"INSERT INTO footfall_device (hash, device, ts_detected) VALUES {marks}", rows)
    assert kept(database, clock, 90) == 0
