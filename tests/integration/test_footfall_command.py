"""The `footfall` command, run as a person runs it."""

import json
from collections.abc import Callable

import pytest
from click.testing import Result
from redis import Redis

from footfall.clock import SystemClock
from footfall.database import Database
from footfall.queue.flush import Flush
from footfall.queue.redis import keys
from footfall.queue.spool import Spool
from footfall.settings import Settings
from footfall.users import Users

CREATE_SITE = "footfall site create --name Shop --url https://shop.example.org"

Run = Callable[..., Result]


def test_migrate_says_what_it_applied_and_then_that_nothing_is_to_do(
    run_command: Run, new_settings: Callable[..., Settings]
) -> None:
    url = new_settings(migrated=False).database_url
    first, second = (run_command("footfall migrate", DATABASE_URL=url, TABLE_PREFIX="matomo_") for _ in range(2))
    assert first.stdout.startswith("applied 0001 log\napplied 0002 entities\n")
    assert second.stdout == "nothing to do: the database is up to date\n"
    assert (first.exit_code, second.exit_code) == (0, 0)


def test_token_create_prints_the_token_alone(run_command: Run, database: Database, settings: Settings) -> None:
    done = run_command("footfall token create --login admin --superuser")
    assert (done.exit_code, done.stderr) == (0, "")
    caller = Users(database, settings, SystemClock()).authenticate(done.stdout.rstrip("\n"))
    assert caller is not None
    assert (caller.login, caller.superuser) == ("admin", True)


def test_site_create_prints_the_number_and_site_list_shows_it(run_command: Run) -> None:
    done = run_command(
        "footfall site create --name 'The shop' --url https://shop.example.org/ --url https://www.example.org "
        "--timezone Europe/Berlin --currency eur"
    )
    assert (done.exit_code, done.stdout) == (0, "1\n")
    (site,) = json.loads(run_command("footfall site list --json").stdout)
    assert site["idsite"] == 1
    assert site["name"] == "The shop"
    assert site["main_url"] == "https://shop.example.org"
    assert site["timezone"] == "Europe/Berlin"
    assert site["currency"] == "EUR"
    assert "The shop" in run_command("footfall site list").stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("--url shop.example.org", "http://"),
        ("--url https://a.example --timezone Mars/Crater", "Europe/Berlin"),
        ("--url https://a.example --currency euro", "EUR"),
        ("", "--url"),
    ],
)
def test_site_create_refuses_what_makes_no_site(
    run_command: Run, database: Database, arguments: str, complaint: str
) -> None:
    done = run_command(f"footfall site create --name x {arguments}")
    assert (done.exit_code, done.stdout) == (2, "")
    assert complaint in done.stderr
    assert database.query("SELECT * FROM site") == []


def test_reset_empties_database_queue_and_spool(
    run_command: Run, database: Database, redis_client: Redis, settings: Settings
) -> None:
    run_command(CREATE_SITE)
    run_command("footfall token create --login admin")
    database.execute("CREATE TABLE archive_numeric_2026_08 (x int)")
    redis_client.rpush(keys.requests("16-03"), b"a record")
    redis_client.set("someone else's", b"1")
    spool = Spool(settings.spool_directory, settings.spool_bytes, "no")
    spool.append(Flush("a", 1, [1], [b"a record"], 0.0))
    assert run_command("footfall reset --yes").exit_code == 0
    for table in ("site", "user", "user_token_auth"):
        assert database.query(f"SELECT * FROM {table}") == []
    assert database.query("SHOW TABLES LIKE 'archive_numeric%'") == []
    assert not list(redis_client.scan_iter("footfall:*"))
    assert not spool.holds()
    assert redis_client.exists("someone else's")
    assert run_command(CREATE_SITE).stdout == "1\n"


def test_reset_asks_before_it_does_anything(run_command: Run, database: Database) -> None:
    run_command(CREATE_SITE)
    assert run_command("footfall reset").exit_code == 1
    assert len(database.query("SELECT * FROM site")) == 1


def test_reset_refuses_the_database_of_a_matomo(run_command: Run, database: Database) -> None:
    database.execute("CREATE TABLE plugin_setting (x int)")
    run_command(CREATE_SITE)
    done = run_command("footfall reset --yes")
    assert done.exit_code == 1
    assert "Matomo" in done.stderr
    assert len(database.query("SELECT * FROM site")) == 1


@pytest.mark.parametrize("command", ["", "migrate", "site create", "token create", "doctor", "profile show", "reset"])
def test_help_explains_itself(run_command: Run, command: str) -> None:
    done = run_command(f"footfall {command} --help")
    assert done.exit_code == 0
    assert len(done.stdout.split()) > 40
