"""What a person gets who asks for nonsense, or whose servers are away: a sentence, the right status, nothing lost."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from click.testing import Result
from redis import Redis

from footfall.database import Database
from footfall.queue.redis import keys
from footfall.queue.request import TrackingRequest, encode
from footfall.settings import Settings

NOWHERE_MYSQL = "mysql://root@127.0.0.1:1/footfall"
NOWHERE_REDIS = "redis://127.0.0.1:1/0"
NEED_DATABASE = [
    "footfall migrate",
    "footfall site list",
    "footfall site create --name x --url https://example.org",
    "footfall token create --login admin",
    "footfall reset --yes",
    "queue_workers run",
    "queue_workers drain",
    "queue_workers dead",
    "archive_cli run --sites all",
    "archive_cli status",
    "archive_cli invalidate --sites 1 --dates 2026-08-01",
    "archive_cli purge",
]
NEED_REDIS = [
    "footfall reset --yes",
    "queue_workers run",
    "queue_workers drain",
    "queue_workers status",
]

Run = Callable[..., Result]


def assert_said(done: Result, *words: str) -> None:
    """The command failed with one sentence on standard error that has these words."""
    assert done.exit_code == 1, done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    for word in words:
        assert word in done.stderr


def assert_usage(done: Result, *words: str) -> None:
    """The arguments were refused; the words are in the complaint."""
    assert done.exit_code == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("Usage: ")
    for word in words:
        assert word in done.stderr


def tracking_request(idsite: int, url: str = "https://shop.example.org/") -> bytes:
    query = f"idsite={idsite}&rec=1&url={url}&_id=0123456789abcdef"
    return encode(TrackingRequest(1_787_000_000.0, "192.0.2.1", query.encode(), b"", {"user-agent": "Mozilla/5.0"}))


@pytest.mark.parametrize("command", ["footfall", "queue_workers", "archive_cli"])
@pytest.mark.parametrize("arguments", ["nonsense", "--nonsense"])
def test_unknown_arguments(run_command: Run, command: str, arguments: str) -> None:
    assert_usage(run_command(f"{command} {arguments}"), "nonsense", f"Try '{command} --help'")


@pytest.mark.parametrize("command", NEED_DATABASE)
def test_the_database_is_down(run_command: Run, command: str) -> None:
    assert_said(run_command(command, DATABASE_URL=NOWHERE_MYSQL), "127.0.0.1:1", "cannot be reached", "DATABASE_URL")


@pytest.mark.parametrize("command", NEED_REDIS)
def test_redis_is_down(run_command: Run, command: str) -> None:
    assert_said(run_command(command, REDIS_URL=NOWHERE_REDIS), "127.0.0.1:1", "cannot be reached", "REDIS_URL")


def test_archiving_goes_on_without_redis_and_says_so(run_command: Run, database: Database) -> None:
    run_command("footfall site create --name Shop --url https://shop.example.org")
    now = datetime.now(UTC).replace(tzinfo=None)
    database.execute("INSERT INTO footfall_touched_day VALUES (1, %s, %s)", (now.date(), now))
    done = run_command("archive_cli run --sites 1", REDIS_URL=NOWHERE_REDIS)
    assert done.exit_code == 0
    assert "The queue cannot be asked" in done.stderr
    assert database.query("SELECT * FROM footfall_touched_day") == []


@pytest.mark.parametrize("command", NEED_DATABASE)
def test_the_database_refuses_the_credentials(run_command: Run, settings: Settings, command: str) -> None:
    parts = urlsplit(settings.database_url)
    url = urlunsplit(parts._replace(netloc=f"nobody:not-the-password@{parts.netloc.rpartition('@')[2]}"))
    done = run_command(command, DATABASE_URL=url)
    assert_said(done, "refuses user 'nobody'", "DATABASE_URL")
    assert "not-the-password" not in done.stderr


@pytest.mark.parametrize("command", NEED_REDIS)
def test_redis_refuses_the_credentials(run_command: Run, settings: Settings, command: str) -> None:
    parts = urlsplit(settings.redis_url)
    url = urlunsplit(parts._replace(netloc=f"nobody:not-the-password@{parts.netloc.rpartition('@')[2]}"))
    done = run_command(command, REDIS_URL=url)
    assert_said(done, "refuses us", "REDIS_URL")
    assert "not-the-password" not in done.stderr


@pytest.mark.parametrize("command", NEED_DATABASE)
def test_the_database_is_from_a_newer_version(run_command: Run, database: Database, command: str) -> None:
    database.execute("INSERT INTO footfall_migration VALUES (9999, 'from_the_future.breaking', '2030-01-01')")
    try:
        assert_said(run_command(command), "9999", "upgrade Footfall")
    finally:
        database.execute("DELETE FROM footfall_migration WHERE number = 9999")


@pytest.mark.parametrize("command", ["queue_workers drain", "queue_workers run"])
@pytest.mark.parametrize(
    "variables", [{"DATABASE_URL": NOWHERE_MYSQL}, {"DATABASE_URL": "postgres://localhost/x"}], ids=["down", "no MySQL"]
)
def test_what_waits_in_the_queue_outlives_a_failed_start(
    run_command: Run, redis_client: Redis, command: str, variables: dict[str, str]
) -> None:
    redis_client.rpush(keys.requests("16-00"), tracking_request(1))
    assert_said(run_command(command, **variables), "DATABASE_URL")
    assert redis_client.llen(keys.requests("16-00")) == 1


def test_a_request_for_an_unknown_site_is_kept_with_its_reason_and_holds_nobody_up(
    run_command: Run, database: Database, redis_client: Redis
) -> None:
    run_command("footfall site create --name Shop --url https://shop.example.org")
    for idsite in (1, 77, 1):
        redis_client.rpush(keys.requests("16-00"), tracking_request(idsite))
    assert run_command("queue_workers drain").exit_code == 0
    assert database.query("SELECT COUNT(*) FROM log_link_visit_action") == [(2,)]
    dead = run_command("queue_workers dead --json")
    assert '"idsite": 77' in dead.stdout
    assert "There is no site '77'" in dead.stdout


@pytest.mark.parametrize("sites", ["5-1", "x", "1,,2", "0", "-3"])
@pytest.mark.parametrize("command", ["run", "invalidate --dates 2026-08-01"])
def test_a_list_of_sites_that_is_none(run_command: Run, command: str, sites: str) -> None:
    assert_usage(run_command(f"archive_cli {command} --sites={sites}"), "--sites", sites)


@pytest.mark.parametrize("dates", ["2026-02-30", "yesterdayish", "2026-8", "2026-08-01,,2026-08-02"])
def test_a_date_that_is_none(run_command: Run, dates: str) -> None:
    assert_usage(run_command(f"archive_cli invalidate --sites 1 --dates {dates}"), "--dates")


def test_a_period_that_is_none(run_command: Run) -> None:
    assert_usage(run_command("archive_cli invalidate --sites 1 --dates 2026-08-01 --periods fortnight"), "fortnight")


@pytest.mark.parametrize("command", ["run --sites 77", "invalidate --sites 77 --dates 2026-08-01"])
def test_archiving_an_unknown_site(run_command: Run, database: Database, command: str) -> None:
    assert_said(run_command(f"archive_cli {command}"), "no site 77")
    assert database.query("SELECT * FROM archive_invalidations") == []


@pytest.mark.parametrize(("name", "value"), [("QUEUE_SHARDS", "many"), ("QUEUE_BATCH_SIZE", "-1")])
@pytest.mark.parametrize("command", ["footfall site list", "queue_workers status", "archive_cli status"])
def test_a_setting_that_is_no_number(run_command: Run, command: str, name: str, value: str) -> None:
    assert_said(run_command(command, **{name: value}), name, value)


def test_a_token_without_a_secret_key(run_command: Run, database: Database) -> None:
    assert_said(run_command("footfall token create --login admin", SECRET_KEY=""), "SECRET_KEY")
    assert database.query("SELECT * FROM user") == []


@pytest.mark.parametrize("command", ["footfall site list", "queue_workers drain", "archive_cli status"])
def test_the_installed_commands_say_the_same(environment: dict[str, str], command: str) -> None:
    variables = environment | {"DATABASE_URL": NOWHERE_MYSQL}
    name, *arguments = command.split()
    path = Path(sys.executable).parent / name
    done = subprocess.run([path, *arguments], env=variables, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("The database at 127.0.0.1:1 cannot be reached")


def test_a_file_of_places_that_is_not_there(run_command: Run) -> None:
    said = run_command("queue_workers run", GEOIP_DATABASE="/nowhere/places.mmdb")
    assert (said.exit_code, said.stdout) == (1, "")
    assert said.stderr.startswith("GEOIP_DATABASE names /nowhere/places.mmdb, which cannot be read as a .mmdb file")
