"""What Footfall writes down about itself in the database: log lines, exceptions, API calls, times of statements."""

import asyncio
import json
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from falcon import testing
from stack import children, process, wait_for

from footfall.archiving.phpserialize import loads
from footfall.clock import FixedClock
from footfall.database import Database
from footfall.errors import DatabaseUnavailable
from footfall.journal import writer
from footfall.journal.journal import Journal
from footfall.journal.kinds import Kind
from footfall.journal.purge import purge_journal
from footfall.settings import Settings
from footfall.users import Users
from tracker_api.app import create_app

ALL = ",".join(Kind)
Run = Callable[..., Result]
log = logging.getLogger("footfall.test")


@pytest.fixture(autouse=True)
def quiet_root() -> Iterator[None]:
    """The root logger as it was; commands that ran before in this process may have configured it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


# Log lines


def test_log_lines_go_where_the_setting_says(settings: Settings, database: Database) -> None:
    with Journal(replace(settings, log_to_database="errors,messages,exceptions")):
        log.warning("Redis is away: %s", "redis://user:geheim@db.example/0")
        try:
            raise KeyError("idsite")
        except KeyError:
            log.exception("A request failed")
    log.warning("The journal is closed")
    assert database.query("SELECT tag, level, message FROM logger_message ORDER BY idlogger_message") == [
        ("footfall.test", "WARNING", "Redis is away: redis://user:***@db.example/0"),
        ("footfall.test", "ERROR", "A request failed"),
    ]
    assert [row[:2] for row in database.query("SELECT message, errno FROM logger_error ORDER BY 1")] == [
        ("A request failed", logging.ERROR),
        ("Redis is away: redis://user:***@db.example/0", logging.WARNING),
    ]
    ((message, backtrace, written),) = database.query("SELECT message, backtrace, timestamp FROM logger_exception")
    assert message == "KeyError: 'idsite'"
    assert "test_journal.py" in backtrace
    assert abs(datetime.now(UTC).replace(tzinfo=None) - written) < timedelta(minutes=1)


def test_without_the_setting_nothing_is_written(settings: Settings, database: Database) -> None:
    threads = threading.active_count()
    with Journal(settings):
        log.error("nobody asked for this")
        assert threading.active_count() == threads
    for table in ("logger_message", "logger_error", "logger_exception", "logger_api_call", "log_profiling"):
        assert database.query(f"SELECT COUNT(*) FROM {table}") == [(0,)]


def test_texts_of_any_characters_are_written(settings: Settings, database: Database) -> None:
    with Journal(replace(settings, log_to_database="messages")):
        log.warning("%s", "\ud800 \0 😀 ' \" \\ %s")
    assert database.query("SELECT message FROM logger_message") == [("? \0 😀 ' \" \\ %s",)]


class Away(Database):
    """A database that is away for a while."""

    refusals = 0

    def _open(self) -> Any:
        if Away.refusals:
            Away.refusals -= 1
            raise DatabaseUnavailable("away")
        return super()._open()


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> type[Away]:
    monkeypatch.setattr(writer, "Database", Away)
    monkeypatch.setattr(writer, "_LOOK_SECONDS", 0.01)
    Away.refusals = 0
    return Away


def test_what_waits_while_the_database_is_away_is_written_once_it_is_back(
    settings: Settings, database: Database, away: type[Away]
) -> None:
    away.refusals = 3
    with Journal(replace(settings, log_to_database="messages")):
        for number in range(20):
            log.warning("line %d", number)
        wait_for(lambda: not away.refusals, 10, "the database is back")
    lines = [line for (line,) in database.query("SELECT message FROM logger_message ORDER BY idlogger_message")]
    assert lines == [f"line {number}" for number in range(20)]


def test_nobody_waits_for_a_database_that_stays_away_and_what_is_lost_is_said(
    settings: Settings, away: type[Away], caplog: pytest.LogCaptureFixture
) -> None:
    away.refusals = 1_000_000
    with Journal(replace(settings, log_to_database="messages")) as journal:
        for number in range(10_500):
            log.warning("line %d", number)
        wait_for(lambda: "cannot be written and waits: away" in caplog.text, 10, "a complaint")
        away.refusals = 0
        journal._writer._complain_at = 0  # type: ignore[union-attr]  # without waiting for the minute
        wait_for(lambda: "entries of the journal are lost" in caplog.text, 10, "another one")


def test_an_entry_that_the_table_refuses_does_not_hold_the_others_up(settings: Settings, database: Database) -> None:
    database.execute("ALTER TABLE logger_message MODIFY tag varchar(5)")
    try:
        with Journal(replace(settings, log_to_database="messages")):
            logging.getLogger("short").warning("first")
            log.warning("does not fit")
            logging.getLogger("short").warning("second")
        assert database.query("SELECT message FROM logger_message ORDER BY idlogger_message") == [
            ("first",),
            ("second",),
        ]
    finally:
        database.execute("ALTER TABLE logger_message MODIFY tag varchar(50)")


def test_a_pool_writes_down_that_a_worker_died_and_its_workers_write_their_own(
    environment: dict[str, str], database: Database, tmp_path: Path
) -> None:
    environment = {**environment, "LOG_TO_DATABASE": "errors,messages"}

    def errors() -> str:
        return " ".join(str(message) for (message,) in database.query("SELECT message FROM logger_error"))

    with process(environment, tmp_path / "pool.log", "queue_workers", "run", "--workers", "1") as pool:
        wait_for(lambda: children(pool), 20, "a worker")
        (victim,) = children(pool)
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda: f"Worker {victim} ended with status -9" in errors(), 20, "an entry about it")
        wait_for(lambda: children(pool) not in ([], [victim]), 20, "another worker")


# API calls


def call(settings: Settings, clock: FixedClock, *queries: str, address: str = "192.0.2.7") -> list[testing.Result]:
    """The answers of a process that answers these API calls and ends."""

    async def answers() -> list[testing.Result]:
        async with testing.ASGIConductor(create_app(settings, clock)) as conductor:
            return [
                await conductor.simulate_get("/index.php", query_string=query, remote_addr=address) for query in queries
            ]

    return asyncio.run(answers())


@pytest.fixture
def token(database: Database, settings: Settings, clock: FixedClock) -> str:
    return Users(database, settings, clock).create_token("admin", "tests", superuser=True)


def test_an_api_call_is_written_down_without_its_token(
    settings: Settings, clock: FixedClock, database: Database, token: str
) -> None:
    settings = replace(settings, log_to_database="api_calls")
    query = f"module=API&method=SitesManager.getSiteFromId&idSite=7&format=JSON&token_auth={token}"
    call(settings, clock, query, address="2001:db8::7")
    ((*names, parameters, values, milliseconds, address, written, returned),) = database.query(
        "SELECT class_name, method_name, parameter_names_default_values, parameter_values, execution_time, caller_ip, "
        "timestamp, returned_value FROM logger_api_call"
    )
    assert names == ["SitesManager", "getSiteFromId"]
    assert list(loads(parameters.encode())) == ["idSite", "format", "token_auth"]
    assert list(loads(values.encode()).values()) == ["7", "JSON", "***"]
    assert milliseconds >= 0
    assert bytes(address) == ip_address("2001:db8::7").packed
    assert written == clock.moment.replace(tzinfo=None)
    assert "7" in returned, "the site does not exist"


def test_passwords_are_not_written_down_nor_is_the_token_that_is_made(
    settings: Settings, clock: FixedClock, database: Database, token: str
) -> None:
    settings = replace(settings, log_to_database=ALL)
    make = "method=UsersManager.createAppSpecificTokenAuth&userLogin=anna&description=x&passwordConfirmation=geheim"
    inner = "urls[0]=" + make.replace("=", "%3D").replace("&", "%26")
    add = f"UsersManager.addUser&userLogin=anna&password=geheim&email=a%40x.example&token_auth={token}"
    answers = call(
        settings,
        clock,
        f"module=API&method={add}",
        f"module=API&{make}",
        f"module=API&method=API.getBulkRequest&{inner}",
    )
    made = answers[1].json["value"]
    written = str(database.query("SELECT * FROM logger_api_call") + database.query("SELECT * FROM logger_message"))
    assert "createAppSpecificTokenAuth" in written and "getBulkRequest" in written
    for secret in ("geheim", token, made, answers[2].json[0]["value"]):
        assert secret not in written


def test_a_token_in_the_wrong_place_is_not_written_down_either(
    settings: Settings, clock: FixedClock, database: Database, token: str
) -> None:
    call(
        replace(settings, log_to_database="api_calls"),
        clock,
        f"module=API&method={token}.get&idSite={token}&token_auth={token}",
    )
    written = str(database.query("SELECT * FROM logger_api_call"))
    assert "There is no method" in written and token not in written


def test_what_is_no_api_call_is_not_written_down(settings: Settings, clock: FixedClock, database: Database) -> None:
    call(replace(settings, log_to_database="api_calls"), clock, "module=CoreHome")
    assert database.query("SELECT COUNT(*) FROM logger_api_call") == [(0,)]


# Times of statements


def test_statements_are_timed_and_the_command_shows_them_slowest_first(
    settings: Settings, database: Database, run_command: Run
) -> None:
    worker = Database(settings)
    with Journal(replace(settings, sql_profiling="on")):
        for number in range(3):
            worker.query("SELECT SLEEP(%s)", (0.02,))
            worker.query("SELECT a.idsite FROM site a WHERE idsite = %s", (number,))
        with worker.transaction():
            worker.execute("DELETE FROM site WHERE idsite IN (%s, %s)", (1, 2))
        for _ in worker.stream("SELECT idsite FROM site", (), 10):
            pass
    worker.query("SELECT 'not timed any more'")
    shown = json.loads(run_command("footfall profile show --json").stdout)
    counts = {one["statement"]: one["count"] for one in shown}
    assert counts == {
        "SELECT SLEEP(%s)": 3,
        "SELECT a.idsite FROM site a WHERE idsite = %s": 3,
        "START TRANSACTION": 1,
        "DELETE FROM site WHERE idsite IN (%s, …)": 1,
        "COMMIT": 1,
        "SELECT idsite FROM site": 1,
    }
    assert shown[0]["statement"] == "SELECT SLEEP(%s)"
    assert shown[0]["total_ms"] >= 60 and shown[0]["mean_ms"] >= 20
    table = run_command("footfall profile show --limit 1")
    assert "SELECT SLEEP(%s)" in table.stdout and "1 of 6 statements" in table.stdout
    assert "SQL_PROFILING is off here" in table.stderr
    assert run_command("footfall profile clear").stdout == "6 statements forgotten\n"
    assert run_command("footfall profile show").stdout == "No statement was timed.\n"


def test_processes_add_up_and_statements_that_begin_alike_are_told_apart(
    settings: Settings, database: Database, run_command: Run
) -> None:
    long = "SELECT " + ", ".join(["name"] * 40) + " FROM site WHERE "
    for _ in range(2):
        with Journal(replace(settings, sql_profiling="on")):
            database.query(f"{long}idsite = %s", (1,))
            database.query(f"{long}main_url = %s", ("x",))
    shown = json.loads(run_command("footfall profile show --json").stdout)
    assert {one["statement"]: one["count"] for one in shown} == {
        f"{long}idsite = %s": 2,
        f"{long}main_url = %s": 2,
    }


def test_archiving_is_timed_with_the_log_that_it_reads(run_command: Run, database: Database) -> None:
    run_command("footfall site create --name Shop --url https://shop.example.org")
    database.execute("INSERT INTO footfall_touched_day VALUES (1, '2026-08-01', '2026-08-01')")
    assert run_command("archive_cli run", SQL_PROFILING="on").exit_code == 0
    shown = json.loads(run_command("footfall profile show --json --limit 1000").stdout)
    assert any("footfall_touched_day" in one["statement"] for one in shown)
    assert not any("log_profiling" in one["statement"] for one in shown), "the journal does not time itself"


# Purging


def test_old_entries_are_purged_and_new_ones_stay(database: Database, clock: FixedClock, run_command: Run) -> None:
    now = clock.moment.replace(tzinfo=None)
    for table in ("logger_message", "logger_error", "logger_exception", "logger_api_call"):
        rows = [(now - timedelta(days=40),)] * 2500 + [(now - timedelta(days=20),)] * 3
        marks = ", ".join(["(%s)"] * len(rows))
        database.execute(f"INSERT INTO {table} (timestamp) VALUES {marks}", [moment for (moment,) in rows])
    pauses: list[float] = []
    assert purge_journal(database, clock.moment - timedelta(days=30), lambda: pauses.append(time.monotonic())) == 10_000
    assert database.query("SELECT COUNT(*) FROM logger_error") == [(3,)]
    assert len(pauses) == 12
    assert "log entries removed" in run_command("archive_cli purge").stdout
