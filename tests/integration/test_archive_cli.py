"""The archive_cli command: what it says to bad input, several processes side by side, and processes that end early."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from click.testing import Result
from log_rows import add_site, add_visit

from footfall.archiving.invalidations import Invalidations
from footfall.archiving.locks import SiteLock
from footfall.archiving.periods import Period, PeriodKind
from footfall.archiving.reader import ArchiveReader
from footfall.archiving.scope import done_flag
from footfall.clock import FixedClock
from footfall.database import Database
from footfall.settings import Settings

Run = Callable[..., Result]
Start = Callable[..., "subprocess.Popen[str]"]
FIRST = datetime(2026, 7, 1, 12)


def add_days(database: Database, idsite: int, days: int) -> None:
    """A site with a visit on each of so many days."""
    add_site(database, idsite)
    for number in range(days):
        add_visit(database, idsite, FIRST + timedelta(days=number), ["a", "docs/b"])


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Start]:
    """Starts archive_cli as a process."""
    started = []

    def begin(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", "from archive_cli.cli import main; main()", *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("run --sites 5-1", "5-1 ends before it begins: write 1-5."),
        ("run --sites one", "'one' is not a list of sites"),
        ("run --sites 1 --periods fortnight", "There is no period 'fortnight'"),
        ("run --sites 1 --fast", "No such option"),
        ("invalidate --sites 1", "Missing option '--dates'"),
        ("invalidate --sites 1 --dates 2026-02-30", "'2026-02-30' is not a date"),
        ("invalidate --sites 1 --dates today", "'today' is not a date: write YYYY-MM-DD."),
        ("invalidate --sites 1 --dates 2026-08-31,2026-08-01", "ends before it begins"),
        ("forget", "No such command"),
    ],
)
def test_arguments_that_cannot_be_understood_end_with_status_2(run_command: Run, command: str, message: str) -> None:
    result = run_command(f"archive_cli {command}")
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())


@pytest.mark.parametrize("command", ["run --sites 7", "invalidate --sites 7 --dates 2026-08-01"])
def test_a_site_that_does_not_exist_ends_with_status_1(run_command: Run, command: str) -> None:
    result = run_command(f"archive_cli {command}")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "There is no site 7: `footfall site list` shows those there are.\n"


@pytest.mark.parametrize("command", ["run --sites all", "status", "purge", "invalidate --sites 1 --dates 2026-08-01"])
def test_without_the_database_every_command_ends_with_a_sentence(run_command: Run, command: str) -> None:
    result = run_command(f"archive_cli {command}", DATABASE_URL="mysql://root@127.0.0.1:9/nowhere")
    assert result.exit_code == 1
    assert "check that it runs and that DATABASE_URL is right" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_database_of_a_newer_version_is_refused(
    run_command: Run, database: Database, new_settings: Callable[..., Settings]
) -> None:
    settings = new_settings()
    newer = Database(settings)
    newer.execute("INSERT INTO footfall_migration VALUES (9999, 'future.breaking', '2026-01-01')")
    newer.close()
    result = run_command("archive_cli run --sites all", DATABASE_URL=settings.database_url)
    assert result.exit_code == 1
    assert "upgrade Footfall" in result.stderr


def test_a_run_says_what_it_made(run_command: Run, database: Database) -> None:
    add_days(database, 1, 3)
    result = run_command("archive_cli run --sites 1-50")
    assert result.exit_code == 0
    assert "6 archives of 1 sites made" in result.stdout.splitlines()[-1]
    assert "0 archives of 0 sites made" in run_command("archive_cli run --sites all").stdout


def test_status_says_when_the_last_run_was(run_command: Run, database: Database) -> None:
    def times() -> tuple[str | None, str | None]:
        status = json.loads(run_command("archive_cli status --json").stdout)
        return status["last_run_started"], status["last_run_ended"]

    assert times() == (None, None)
    assert "never ran" in run_command("archive_cli status").stdout
    add_days(database, 1, 1)
    before = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
    run_command("archive_cli run")
    started, ended = times()
    assert started is not None
    assert ended is not None
    assert before <= started <= ended


def test_invalidated_periods_are_waiting_and_the_next_run_makes_them(run_command: Run, database: Database) -> None:
    add_days(database, 1, 3)
    run_command("archive_cli run --sites 1")
    result = run_command("archive_cli invalidate --sites 1 --dates 2026-07-01,2026-07-02")
    assert "5 archives of 1 sites are waiting" in result.stdout
    again = run_command("archive_cli invalidate --sites 1 --dates 2026-07-01 --dates 2026-07-02")
    assert "nothing to add" in again.stdout
    status = json.loads(run_command("archive_cli status --json").stdout)
    assert (status["waiting"], status["working"], status["failed"]) == (5, 0, 0)
    assert status["archives"][0]["date"] == "2026-07-02"
    assert "5 archives of 1 sites made" in run_command("archive_cli run --sites 1").stdout
    assert "archives: 0 waiting, 0 working, 0 failed" in run_command("archive_cli status").stdout


def test_status_says_why_an_archive_failed_until_it_is_made(run_command: Run, database: Database) -> None:
    add_days(database, 1, 2)
    run_command("archive_cli run --periods day")
    database.execute("UPDATE archive_blob_2026_07 SET value = 'damaged' WHERE name = 'Actions_actions_url'")
    for attempts in (1, 2):
        assert run_command("archive_cli run").exit_code == 1
        status = json.loads(run_command("archive_cli status --json").stdout)
        week = next(archive for archive in status["archives"] if archive["state"] == "failed")
        assert (week["period"], week["attempts"]) == ("week", attempts)
        assert "cannot be decompressed" in week["reason"]
        assert week["failed_at"] is not None
        assert all(archive["reason"] is None for archive in status["archives"] if archive["state"] == "waiting")
    assert "failed 2 times" in " ".join(run_command("archive_cli status").stdout.split())
    run_command("archive_cli invalidate --sites 1 --dates 2026-07-01,2026-07-02")
    assert run_command("archive_cli run").exit_code == 0
    assert json.loads(run_command("archive_cli status --json").stdout)["archives"] == []
    assert database.query("SELECT COUNT(*) FROM footfall_archive_failure") == [(0,)]


def test_status_tells_what_is_being_worked_from_what_a_dead_process_left(
    run_command: Run, database: Database, settings: Settings, clock: FixedClock
) -> None:
    add_site(database)
    queue = Invalidations(database, clock)
    queue.add(1, [Period.of(PeriodKind.DAY, date(2026, 8, 1))])
    queue.start(queue.of_site(1))

    def states() -> tuple[int, int]:
        status = json.loads(run_command("archive_cli status --json").stdout)
        return status["waiting"], status["working"]

    other = Database(settings)
    assert SiteLock(other, 1).acquire()
    assert states() == (0, 1)
    other.close()
    assert states() == (1, 0)


def test_days_with_new_data_are_part_of_the_status(run_command: Run, database: Database) -> None:
    add_days(database, 1, 2)
    assert "2 days of 1 sites have new data" in run_command("archive_cli status").stdout


def test_processes_side_by_side_make_every_archive_exactly_once(start: Start, database: Database) -> None:
    for idsite in range(1, 13):
        add_days(database, idsite, 9)
    add_segment(database, "pageUrl=@docs")
    processes = [start("run", "--sites", "1-50") for _ in range(8)]
    outputs = [process.communicate(timeout=240) for process in processes]
    assert [process.returncode for process in processes] == [0] * 8, outputs
    made = [line for out, _ in outputs for line in out.splitlines() if line.endswith("archives made")]
    # 9 days, 2 weeks, 1 month, 1 year
    assert sorted(made) == sorted(f"site {idsite}: 13 archives made" for idsite in range(1, 13))
    assert not [error for _, error in outputs if "eadlock" in error or "Traceback" in error]
    for flag in ("done", done_flag("pageUrl=@docs")):
        for table in ("archive_numeric_2026_07", "archive_numeric_2026_06", "archive_numeric_2026_01"):
            rows = database.query(
                f"SELECT COUNT(*), COUNT(DISTINCT idsite, period, date1) FROM {table} WHERE name = %s", (flag,)
            )
            assert rows[0][0] == rows[0][1]
        assert database.query(
            "SELECT COUNT(*) FROM archive_numeric_2026_07 WHERE name = %s AND period = 1", (flag,)
        ) == [(108,)]


def test_sigterm_ends_a_run_after_the_archive_in_hand(start: Start, run_command: Run, database: Database) -> None:
    add_days(database, 1, 31)
    process = start("run", "--sites", "1")
    assert process.stdout is not None
    assert process.stdout.readline() == "site 1: 38 archives to make\n"
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "stopped before the end, the rest stays in the queue" in out
    left = json.loads(run_command("archive_cli status --json").stdout)
    assert left["waiting"] > 0
    assert left["working"] == left["failed"] == 0
    assert left["last_run_ended"] is None
    run_command("archive_cli run --sites 1")
    assert_complete(database, 31)


def add_segment(database: Database, definition: str) -> None:
    """A stored segment."""
    database.execute(
        "INSERT INTO segment (name, definition, login, auto_archive) VALUES ('stored', %s, 'admin', 1)", (definition,)
    )


def assert_complete(database: Database, days: int, segments: Sequence[str] = ("",)) -> None:
    """Every archive of site 1 is there once and right, and nothing is left over."""
    reader = ArchiveReader(database)
    month = Period.of(PeriodKind.MONTH, FIRST.date())
    for segment in segments:
        for period in (*list(month.days())[:days], month):
            expected = days if period == month else 1
            assert reader.numeric(1, period, ["nb_visits"], segment) == {"nb_visits": expected}, period
            table = reader.table(1, period, "Actions_actions_url", segment, expanded=True)
            assert table is not None and sorted(row.label for row in table) == ["/a", "docs"], period
    assert database.query("SELECT COUNT(*) FROM archive_invalidations") == [(0,)]


def test_a_killed_run_leaves_no_half_archive_and_the_next_finishes(
    start: Start, run_command: Run, database: Database
) -> None:
    add_days(database, 1, 31)
    add_segment(database, "pageUrl=@docs")
    generator = random.Random(5)
    for _ in range(20):
        process = start("run", "--sites", "1")
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(generator.uniform(0.0, 0.4))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert_nothing_half(database)
        wait_for_the_lock(database)
    assert run_command("archive_cli run --sites 1").exit_code == 0
    assert_complete(database, 31, ["", "pageUrl=@docs"])


def wait_for_the_lock(database: Database) -> None:
    """The server notices within moments that a process is gone."""
    deadline = time.monotonic() + 10
    while not SiteLock(database, 1).acquire():
        assert time.monotonic() < deadline
    SiteLock(database, 1).release()


def assert_nothing_half(database: Database) -> None:
    """Whatever can be read is whole."""
    reader = ArchiveReader(database)
    for segment in ("", "pageUrl=@docs"):
        for day in Period.of(PeriodKind.MONTH, FIRST.date()).days():
            numbers = reader.numeric(1, day, ["nb_visits", "Actions_nb_pageviews"], segment)
            assert numbers in (None, {"nb_visits": 1, "Actions_nb_pageviews": 2}), day
            table = reader.table(1, day, "Actions_actions_url", segment, expanded=True)
            assert (table is None) == (numbers is None)
            assert table is None or len(table) == 2
