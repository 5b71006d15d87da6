"""`footfall import` of tables that a web server logs into."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import recorded_tracking
from click.testing import Result
from imports import BEGIN, FIREFOX, record_all

from footfall.database import Database
from footfall.settings import Settings

Run = Callable[..., Result]
# As mod_log_sql makes it, without the columns that nothing is read from.
MOD_LOG_SQL = """
CREATE TABLE access_log (
  id char(19), agent varchar(255), bytes_sent int unsigned, child_pid smallint unsigned, referer varchar(255),
  remote_host varchar(50), remote_user varchar(50), request_duration smallint unsigned, request_line varchar(255),
  request_method varchar(10), request_time char(28), request_uri varchar(255), request_args varchar(255),
  status smallint unsigned, time_stamp int unsigned, virtual_host varchar(255)
)
"""


@pytest.fixture
def url(settings: Settings, database: Database) -> str:
    recorded_tracking.put_sites(database)
    return f"'{settings.database_url}?table=access_log'"


def add(database: Database, *rows: tuple[float, str]) -> None:
    """Rows of mod_log_sql: seconds after BEGIN, and what was requested."""
    for seconds, path in rows:
        database.execute(
            "INSERT INTO access_log (id, agent, bytes_sent, referer, remote_host, remote_user, request_duration, "
            "request_line, request_method, request_time, request_uri, request_args, status, time_stamp, virtual_host) "
            "VALUES ('x', %s, 512, '-', '192.0.2.1', '-', 2, %s, 'GET', '[a moment]', %s, '', 200, %s, "
            "'shop.example.com')",
            (FIREFOX, f"GET {path} HTTP/1.1", path, BEGIN + seconds),
        )


def summary(done: Result) -> Any:
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_a_table_of_mod_log_sql_is_imported_and_what_is_new_of_it_later(
    run_command: Run, url: str, database: Database, settings: Settings
) -> None:
    database.execute(MOD_LOG_SQL)
    add(database, (5, "/b"), (0, "/a?x=1"), (5, "/c"), (90_000, "/d.pdf"))
    found = summary(run_command(f"footfall import --json {url}"))
    assert (found["imported"], found["downloads"]) == (4, 1)
    assert run_command(f"footfall import {url}").exit_code == 1
    add(database, (90_000, "/e"), (90_001, "/f"))
    assert summary(run_command(f"footfall import --json {url}"))["imported"] == 2
    record_all(settings)
    rows = recorded_tracking.rows_after(database, 0)["log_link_visit_action"]
    assert {(row["server_time"], row["idaction_url"]["name"]) for row in rows} == {
        ("2026-08-12 06:00:00", "shop.example.com/a?x=1"),
        ("2026-08-12 06:00:05", "shop.example.com/b"),
        ("2026-08-12 06:00:05", "shop.example.com/c"),
        ("2026-08-13 07:00:00", "https://shop.example.com/d.pdf"),
        ("2026-08-13 07:00:00", "shop.example.com/e"),
        ("2026-08-13 07:00:01", "shop.example.com/f"),
    }
    assert rows[0]["time_server"] == 2000


def test_columns_of_other_tables_are_named(run_command: Run, url: str, database: Database, settings: Settings) -> None:
    database.execute("CREATE TABLE access_log (at DATETIME, who VARCHAR(40), what VARCHAR(200), code INT)")
    moment = datetime.fromtimestamp(BEGIN, UTC).replace(tzinfo=None)
    database.execute(
        "INSERT INTO access_log VALUES (%s, '192.0.2.1', '/a', 200), (%s, '192.0.2.1', '/b', 404)", [moment] * 2
    )
    nameless = run_command(f"footfall import --site 1 {url}")
    assert nameless.exit_code == 1
    assert "--field NAME=time" in nameless.stderr
    fields = "--field at=time --field who=address --field what=target --field code=status --timezone UTC+2"
    assert summary(run_command(f"footfall import --site 1 --json {fields} {url}"))["imported"] == 1
    record_all(settings)
    assert database.query("SELECT visit_first_action_time FROM log_visit") == [(datetime(2026, 8, 12, 4, 0),)]


def test_a_password_is_never_shown(run_command: Run, url: str) -> None:
    wrong = url.replace("root@", "root:geheim@").replace("access_log", "nothing")
    done = run_command(f"footfall import --site 1 {wrong}")
    assert done.exit_code == 1
    assert "geheim" not in done.stderr + done.stdout
    unknown = run_command("footfall import --site 1 mysql://root:geheim@127.0.0.1:3306/nowhere")
    assert unknown.exit_code == 1
    assert "?table=access_log" in unknown.stderr
    assert "geheim" not in unknown.stderr
