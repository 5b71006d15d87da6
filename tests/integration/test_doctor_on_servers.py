"""`footfall doctor` on real servers: what it finds, that nothing hides anything else, and that it changes nothing."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
from click.testing import Result as CommandResult
from private_redis import private_redis
from test_migrations import create_matomo

from footfall import migrations
from footfall.archiving.locks import SiteLock
from footfall.clock import SystemClock
from footfall.database import Database
from footfall.health.checks import CHECKS
from footfall.health.examination import Result, examine
from footfall.health.finding import State
from footfall.health.installation import Installation
from footfall.queue import failures, spools
from footfall.queue.dead_letters import FAILED, DeadLetter, DeadLetters
from footfall.queue.flush import Flush
from footfall.queue.redis import keys
from footfall.queue.request import TrackingRequest, encode
from footfall.queue.shards import layout
from footfall.queue.spool import Spool, Usage
from footfall.queue.stores import open_queue
from footfall.settings import Settings
from footfall.users import Users

NewSettings = Callable[..., Settings]
Run = Callable[..., CommandResult]
NOW = datetime.now(UTC)
OF_THE_MACHINE = {  # what others do with this machine and its servers decides about these
    *("programs.temporary-files", "programs.open-files", "database.disk", "database.connections"),
    *("database.buffer-pool", "redis.memory", "spool.space"),
}


def look(settings: Settings, topic: str = "", seconds: float = 20.0) -> dict[str, list[Result]]:
    """What the checks whose name begins like this find, by name."""
    checks = [check for check in CHECKS if check.name.startswith(topic)]
    found: dict[str, list[Result]] = {}
    for result in examine(Installation(settings, SystemClock()), checks, seconds):
        found.setdefault(result.check, []).append(result)
    return found


def not_well(found: dict[str, list[Result]]) -> dict[str, State]:
    """The worst of each check that found anything."""
    worst = {
        name: max((result.finding.state for result in results), key=list(State).index)
        for name, results in found.items()
    }
    return {name: state for name, state in worst.items() if state is not State.OK and name not in OF_THE_MACHINE}


def text_of(found: dict[str, list[Result]], name: str) -> str:
    return " ".join(result.finding.text for result in found[name])


# The whole


def test_a_good_installation_has_no_problem_and_every_check_says_something(
    settings: Settings, run_command: Run
) -> None:
    found = look(settings)
    assert set(found) == {check.name for check in CHECKS}
    assert not_well(found) == {
        "access.sites": State.WARNING,
        "access.superuser-token": State.WARNING,
        "queue.workers": State.WARNING,
    }
    run_command("footfall site create --name Shop --url https://shop.example.org")
    run_command("footfall token create --login admin --superuser")
    assert not_well(look(settings, "access")) == {}


def test_looking_changes_nothing(settings: Settings, database: Database, redis_client: redis.Redis) -> None:
    def contents() -> tuple[Any, ...]:
        tables = [name for (name,) in database.query("SHOW TABLES")]
        counts = [(name, database.query(f"SELECT COUNT(*) FROM `{name}`")) for name in tables]
        return counts, sorted(redis_client.keys()), Path(settings.spool_directory).exists()

    before = contents()
    look(settings)
    assert contents() == before


def test_the_command_prints_json_and_ends_by_what_it_found(run_command: Run) -> None:
    done = run_command("footfall doctor --json")
    findings = json.loads(done.stdout)
    assert done.exit_code == 0
    assert {finding["state"] for finding in findings} == {"ok", "warning"}
    assert all(set(finding) == {"check", "state", "text", "advice"} for finding in findings)
    assert run_command("footfall doctor --strict").exit_code == 1
    quiet = run_command("footfall doctor --quiet").stdout
    assert "ok  " not in quiet and "warning  queue.workers: no worker runs on any machine\n         → start" in quiet
    assert quiet.splitlines()[-1].startswith("0 problems, ")


def test_servers_that_are_away_are_one_problem_each_and_the_rest_is_looked_at(run_command: Run) -> None:
    done = run_command(
        "footfall doctor --json",
        DATABASE_URL="mysql://root@127.0.0.1:1/x",
        REDIS_URL="redis://127.0.0.1:1/0",
        SECRET_KEY="",
    )
    findings = json.loads(done.stdout)
    assert done.exit_code == 1
    assert [finding["check"] for finding in findings if finding["state"] == "problem"] == [
        "settings.secret-key",
        "database.server",
        "redis.server",
    ]
    assert {"programs.packages", "settings.sense", "spool.directory"} <= {finding["check"] for finding in findings}
    assert len([finding for finding in findings if "checks were left out" in finding["text"]]) == 2


def test_servers_that_accept_and_never_answer_do_not_hold_it_up(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        frozen = replace(
            settings, database_url=f"mysql://root@127.0.0.1:{port}/x", redis_url=f"redis://127.0.0.1:{port}/0"
        )
        found = look(frozen, seconds=1.0)
    assert "no answer within 1 s" in text_of(found, "database.server")
    assert "no answer within 1 s" in text_of(found, "redis.server")
    assert "spool.directory" in found


def test_a_database_without_tables_is_one_problem(new_settings: NewSettings) -> None:
    found = look(new_settings(migrated=False), "s")
    assert not_well(found)["schema.migrations"] is State.PROBLEM
    assert "schema.complete" not in found
    found = look(new_settings(migrated=False), "d")
    assert "database.privileges" in found


def test_the_database_of_a_matomo_is_well_once_it_is_migrated(new_settings: NewSettings) -> None:
    settings = new_settings(migrated=False, table_prefix="matomo_")
    database = Database(settings)
    create_matomo(database)
    migrations.migrate(database, SystemClock())
    for topic in ("database", "schema", "archiving"):
        assert not_well(look(settings, topic)) == {}
    assert "Matomo 5.2.0" in text_of(look(settings, "database"), "database.matomo")
    database.execute("UPDATE matomo_option SET option_value = '4.16.1' WHERE option_name = 'version_core'")
    assert not_well(look(settings, "database.matomo")) == {"database.matomo": State.PROBLEM}


# Tables and privileges


@pytest.fixture(scope="module")
def own(new_settings: NewSettings) -> tuple[Settings, Database]:
    """A database whose tables a test may change."""
    settings = new_settings()
    return settings, Database(settings)


@pytest.mark.parametrize(
    ("change", "back", "check", "state", "text"),
    [
        (
            "ALTER TABLE tracking_failure RENAME TO elsewhere",
            "ALTER TABLE elsewhere RENAME TO tracking_failure",
            "schema.complete",
            State.PROBLEM,
            "table tracking_failure",
        ),
        (
            "ALTER TABLE log_visit RENAME COLUMN location_provider TO was_here",
            "ALTER TABLE log_visit RENAME COLUMN was_here TO location_provider",
            "schema.complete",
            State.PROBLEM,
            "column log_visit.location_provider",
        ),
        (
            "ALTER TABLE log_conversion DROP INDEX unique_idsite_idorder",
            "ALTER TABLE log_conversion ADD UNIQUE KEY unique_idsite_idorder (idsite, idorder)",
            "schema.complete",
            State.PROBLEM,
            "unique index log_conversion (idsite, idorder)",
        ),
        (
            "ALTER TABLE log_visit DROP INDEX index_idsite_idvisitor_time",
            "ALTER TABLE log_visit ADD KEY index_idsite_idvisitor_time (idsite, idvisitor, visit_last_action_time)",
            "schema.complete",
            State.WARNING,
            "index log_visit (idsite, idvisitor, visit_last_action_time)",
        ),
        (
            "ALTER TABLE footfall_touched_day ENGINE=MyISAM",
            "ALTER TABLE footfall_touched_day ENGINE=InnoDB",
            "schema.engines",
            State.PROBLEM,
            "footfall_touched_day (MyISAM)",
        ),
        (
            "ALTER TABLE log_action MODIFY name varchar(4096) CHARACTER SET utf8mb3",
            "ALTER TABLE log_action MODIFY name varchar(4096) CHARACTER SET utf8mb4",
            "schema.characters",
            State.PROBLEM,
            "log_action.name (utf8mb3)",
        ),
        (
            "ALTER TABLE log_action AUTO_INCREMENT = 4000000000",
            "ALTER TABLE log_action AUTO_INCREMENT = 1",
            "schema.ids",
            State.WARNING,
            "93% of the ids of log_action",
        ),
    ],
)
def test_tables_that_are_not_as_they_must_be_are_named(
    own: tuple[Settings, Database], change: str, back: str, check: str, state: State, text: str
) -> None:
    settings, database = own
    database.execute(change)
    try:
        found = look(settings, "schema")
        assert not_well(found) == {check: state}
        assert text in text_of(found, check)
    finally:
        database.execute(back)
    assert not_well(look(settings, "schema")) == {}


@pytest.fixture
def restricted(own: tuple[Settings, Database]) -> Iterator[Callable[[str], Settings]]:
    """Makes settings with a database user who may do just this."""
    settings, admin = own
    user = f"footfall_doctor_{time.monotonic_ns() % 10**9}"
    admin.execute(f"CREATE USER '{user}'@'127.0.0.1' IDENTIFIED BY 'geheim'")

    def make(privileges: str) -> Settings:
        admin.execute(f"GRANT {privileges} ON `{admin.name}`.* TO '{user}'@'127.0.0.1'")
        parts = urlsplit(settings.database_url)
        return replace(settings, database_url=f"mysql://{user}:geheim@127.0.0.1:{parts.port}{parts.path}")

    yield make
    admin.execute(f"DROP USER '{user}'@'127.0.0.1'")


@pytest.mark.parametrize(
    ("privileges", "state", "text"),
    [
        ("SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER", None, "may SELECT, INSERT, UPDATE, DELETE, CREATE"),
        ("SELECT, INSERT, UPDATE, DELETE, CREATE", None, "it may not ALTER"),
        ("SELECT, INSERT, UPDATE, DELETE", State.PROBLEM, "our database user may not CREATE"),
        ("SELECT, INSERT", State.PROBLEM, "our database user may not UPDATE, DELETE, CREATE"),
    ],
)
def test_what_our_user_may_not_do_is_named(
    restricted: Callable[[str], Settings], privileges: str, state: State | None, text: str
) -> None:
    found = look(restricted(privileges), "database")
    assert not_well(found) == ({"database.privileges": state} if state else {})
    assert text in text_of(found, "database.privileges")


def test_a_session_that_a_server_changes_is_named(own: tuple[Settings, Database]) -> None:
    """As a proxy in between may do it: here, the user's own init_connect."""
    here = Installation(own[0], SystemClock())
    here.database.execute("SET SESSION sql_mode = ''")
    (check,) = [check for check in CHECKS if check.name == "database.session"]
    (result,) = examine(here, [check])
    assert result.finding.state is State.PROBLEM and "sql_mode" in result.finding.text


# Redis


def test_the_redis_user_of_the_security_page_is_enough_and_one_with_less_is_named(
    settings: Settings, tmp_path: Path
) -> None:
    with private_redis(tmp_path) as server:
        allowed = "on >geheim ~footfall:* ~rq:* &rq:* +@all -@admin -@dangerous +info +memory|usage"
        server.client.execute_command("ACL", "SETUSER", "footfall", *allowed.split())
        url = f"redis://footfall:geheim@127.0.0.1:{server.port}/0"
        found = look(replace(settings, redis_url=url), "redis")
        assert not_well(found) == {}
        assert "CONFIG GET is not allowed" in text_of(found, "redis.persistence")
        server.client.execute_command("ACL", "SETUSER", "footfall", "-evalsha", "-memory")
        found = look(replace(settings, redis_url=url), "redis.commands")
        assert not_well(found) == {"redis.commands": State.PROBLEM}
        assert "SCRIPT LOAD and EVALSHA, MEMORY USAGE" in text_of(found, "redis.commands")
        server.client.execute_command("ACL", "SETUSER", "footfall", ">other", "<geheim")
        found = look(replace(settings, redis_url=url), "redis")
        assert "refuses us" in text_of(found, "redis.server")


def test_a_redis_without_a_disk_is_named(settings: Settings, tmp_path: Path) -> None:
    with private_redis(tmp_path, "--appendonly", "no") as server:
        found = look(replace(settings, redis_url=server.url), "redis.persistence")
        assert not_well(found) == {"redis.persistence": State.PROBLEM}


# The queue


def push(client: redis.Redis, shard: str, age: float = 0.0, count: int = 3) -> None:
    record = encode(TrackingRequest(time.time() - age, "192.0.2.1", b"idsite=1&rec=1", b"", {}))
    client.rpush(keys.requests(shard), *[record] * count)


def test_requests_that_nobody_asks_for_are_stranded(settings: Settings, redis_client: redis.Redis) -> None:
    push(redis_client, "16-03", age=600)
    assert not_well(look(settings, "queue")) == {
        "queue.age": State.WARNING,
        "queue.stranded": State.PROBLEM,
        "queue.workers": State.PROBLEM,
    }
    assert "3 requests in 1 shards" in text_of(look(settings, "queue"), "queue.stranded")
    open_queue(settings).drains.ask("16-03")
    assert "queue.stranded" not in not_well(look(settings, "queue"))


def test_requests_that_came_just_now_are_not_stranded(settings: Settings, redis_client: redis.Redis) -> None:
    push(redis_client, "16-03")
    assert "queue.stranded" not in not_well(look(settings, "queue"))


def test_what_waits_in_former_layouts_and_another_layout_in_use_is_named(
    settings: Settings, redis_client: redis.Redis
) -> None:
    for count in (8, 32):
        redis_client.sadd(keys.layouts(), count)
        redis_client.rpush(keys.layout_order(), count)
    push(redis_client, layout(8)[1])
    found = look(settings, "queue.layouts")
    assert not_well(found) == {"queue.layouts": State.WARNING}
    assert "3 requests wait in the 8 shards of a former QUEUE_SHARDS (live lane)" in text_of(found, "queue.layouts")
    assert "QUEUE_SHARDS is 16 here, and 32 are in use" in text_of(found, "queue.layouts")


def test_a_full_queue_is_named(settings: Settings, redis_client: redis.Redis) -> None:
    push(redis_client, "16-03", count=20)
    settings = replace(settings, queue_max_requests=10)
    assert "The queue holds 20 requests" in text_of(look(settings, "queue"), "queue.room")


def test_dead_letters_are_a_warning_where_recording_failed(settings: Settings, database: Database) -> None:
    letters = DeadLetters(database, SystemClock())
    record = encode(TrackingRequest(time.time(), "192.0.2.1", b"idsite=1&rec=1", b"", {}))
    letters.add([DeadLetter("16-03", record, "There is no site 9.")])
    assert not_well(look(settings, "queue.dead")) == {}
    letters.add([DeadLetter("16-03", record, f"{FAILED} (KeyError: x)")])
    assert not_well(look(settings, "queue.dead")) == {"queue.dead-letters": State.WARNING}


def test_draining_that_has_stopped_is_a_problem(settings: Settings) -> None:
    with pytest.raises(failures.DrainingStopped):
        failures.note(open_queue(settings).board, 2000, settings.dead_letter_limit)
    assert not_well(look(settings, "queue.draining")) == {"queue.draining": State.PROBLEM}


def test_what_waits_in_this_machine_s_spool_and_in_others_is_named(
    settings: Settings,
) -> None:
    spool = Spool(settings.spool_directory, settings.spool_bytes, "no")
    spool.append(Flush("a", 1, [1], [b"x"], time.time() - 700))
    spools.publish(open_queue(settings).board, "other:/spool", Usage(7, 9, 1.0))
    found = look(settings, "spool")
    assert not_well(found) == {"spool.contents": State.WARNING, "spool.elsewhere": State.WARNING}
    assert "1 requests" in text_of(found, "spool.contents")
    assert "other:/spool (7 requests)" in text_of(found, "spool.elsewhere")


# Archiving


def invalidate(database: Database, status: int, started: datetime | None, since: datetime) -> None:
    database.execute(
        "INSERT INTO archive_invalidations (name, idsite, date1, date2, period, ts_invalidated, ts_started, status) "
        "VALUES ('done', 1, '2026-08-01', '2026-08-01', 1, %s, %s, %s)",
        (since.replace(tzinfo=None), started and started.replace(tzinfo=None), status),
    )


def test_invalidations_that_nobody_works_on_are_stuck(settings: Settings, database: Database) -> None:
    invalidate(database, status=1, started=NOW - timedelta(hours=30), since=NOW - timedelta(hours=31))
    found = look(settings, "archiving")
    assert not_well(found) == {"archiving.stuck": State.WARNING}
    assert "1 invalidations have been in progress" in text_of(found, "archiving.stuck")
    assert SiteLock(database, 1).acquire()
    assert not_well(look(settings, "archiving")) == {}, "somebody is at work"


def test_invalidations_that_wait_for_days_and_failed_ones_are_named(settings: Settings, database: Database) -> None:
    invalidate(database, status=0, started=None, since=NOW - timedelta(hours=2))
    assert not_well(look(settings, "archiving")) == {}
    invalidate(database, status=0, started=None, since=NOW - timedelta(days=3))
    invalidate(database, status=2, started=None, since=NOW)
    assert not_well(look(settings, "archiving")) == {
        "archiving.stuck": State.WARNING,
        "archiving.failed": State.WARNING,
    }


def test_news_that_no_run_takes_up_are_named(settings: Settings, database: Database, run_command: Run) -> None:
    run_command("footfall site create --name Shop --url https://shop.example.org")
    touched = (NOW - timedelta(hours=5)).replace(tzinfo=None)
    database.execute("INSERT INTO footfall_touched_day VALUES (1, '2026-08-01', %s)", (touched,))
    found = look(settings, "archiving.runs")
    assert not_well(found) == {"archiving.runs": State.WARNING}
    assert "none has come to its end yet" in text_of(found, "archiving.runs")
    assert run_command("archive_cli run").exit_code == 0
    assert not_well(look(settings, "archiving.runs")) == {}


def test_tokens_that_have_expired_open_nothing(settings: Settings, database: Database) -> None:
    users = Users(database, settings, SystemClock())
    users.create_token("admin", "old", superuser=True, expires=(NOW - timedelta(days=1)).replace(tzinfo=None))
    assert "access.superuser-token" in not_well(look(settings, "access"))
    users.create_token("admin", "new")
    assert "access.superuser-token" not in not_well(look(settings, "access"))
