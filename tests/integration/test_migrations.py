"""`migrate`: Matomo's schema on an empty database, and only what is ours on the database of a Matomo 5."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from recorded_tracking import put_sites, record

from footfall import migrations
from footfall.clock import SystemClock
from footfall.database import Database
from footfall.errors import FootfallError
from footfall.queue.dead_letters import DeadLetter, DeadLetters
from footfall.queue.request import TrackingRequest
from footfall.settings import Settings
from footfall.tracking.recorder import Recorder

SCHEMA: dict[str, Any] = json.loads((Path(__file__).parent.parent / "conformance" / "schema.json").read_text())
RECORDED = [  # what Footfall records into, archives from or sets up, of the reference's tables
    *("log_visit", "log_link_visit_action", "log_action", "log_conversion", "log_conversion_item", "log_profiling"),
    *("archive_invalidations", "site", "site_url", "goal", "custom_dimensions", "segment", "option", "user", "access"),
    *("user_token_auth", "user_language", "sequence", "locks", "tracking_failure", "logger_message"),
]
OLDER = ["logger_error", "logger_api_call", "logger_exception"]  # of the documents before Matomo 5
OUR_COLUMNS = {"log_visit": {"location_provider": ("varchar(200)", True, None, False)}}
OURS = [
    "footfall_migration",
    "footfall_shard",
    "footfall_dead_letter",
    "footfall_touched_day",
    "footfall_device",
    "footfall_archived_segment",
    "footfall_archive_failure",
    "footfall_suspect_action",
    "footfall_barrier",
    "footfall_import",
    "footfall_import_log",
    *(f"footfall_queue_{name}" for name in ("lane", "shard", "tail", "chunk", "flushed", "value", "count", "job")),
]
PREFIXES = ["", "matomo_"]

NewSettings = Callable[..., Settings]


def tables(database: Database) -> set[str]:
    return {str(name) for (name,) in database.query("SHOW TABLES")}


def columns(database: Database, table: str) -> dict[str, tuple[str, bool, Any, bool]]:
    """Type, whether NULL may be, default, whether it counts up; by column. Generated columns are left out."""
    rows = database.query(
        "SELECT column_name, column_type, is_nullable, column_default, extra FROM information_schema.columns "
        "WHERE table_schema = DATABASE() AND table_name = %s",
        (table,),
    )
    return {
        str(name): (
            plain(str(kind)),
            null == "YES",
            None if default in (None, "NULL") or kind == "text" else str(default).strip("'"),
            "auto_increment" in str(extra),
        )
        for name, kind, null, default, extra in rows
        if "GENERATED" not in str(extra).upper()
    }


def plain(kind: str) -> str:
    """Without the display width of integers, which MySQL 8 does not keep."""
    return re.sub(r"\b((?:big|medium|small|tiny)?int)\(\d+\)", r"\1", kind)


def reference(table: str) -> dict[str, tuple[str, bool, Any, bool]]:
    """The same, as the reference has it."""
    found = {}
    for name, definition in SCHEMA[table]["columns"].items():
        kind = re.split(r" NOT NULL| NULL", definition)[0]
        default = re.search(r"DEFAULT (\S+)", definition)
        none = default is None or default[1] == "NULL" or kind == "text"  # MySQL has no defaults for text
        value = None if none else default[1].strip("'")
        found[name] = (plain(kind), " NOT NULL" not in definition, value, "auto_increment" in definition)
    return found


def create_matomo(database: Database) -> None:
    """The tables of a Matomo 5, with a row in some."""
    for table, parts in SCHEMA.items():
        name = table.replace("YYYY_MM", "2026_08")
        lines = [f"`{column}` {definition}" for column, definition in parts["columns"].items()]
        for index, definition in parts["indexes"].items():
            unique, fields = definition.startswith("UNIQUE "), definition.removeprefix("UNIQUE ").split(",")
            keys = ", ".join(re.sub(r"^(\w+)", r"`\1`", field) for field in fields)
            kind = "PRIMARY KEY" if index == "PRIMARY" else f"{'UNIQUE ' if unique else ''}KEY `{index}`"
            lines.append(f"{kind} ({keys})")
        database.execute(f"CREATE TABLE {database.table(name)} ({', '.join(lines)}) DEFAULT CHARSET=utf8mb4")
    database.execute(
        f"INSERT INTO {database.table('log_visit')} (idsite, idvisitor, visit_last_action_time, config_id, "
        "location_ip, visit_first_action_time, visit_total_time, visitor_seconds_since_last) "
        "VALUES (1, '12345678', '2026-08-01 10:00:00', '12345678', '1234', '2026-08-01 09:59:00', 60, 200000)"
    )
    database.execute(f"INSERT INTO {database.table('option')} VALUES ('version_core', '5.2.0', 1)")
    database.execute(
        f"INSERT INTO {database.table('user')} (login, password, email) VALUES ('admin', 'x', 'a@example.org')"
    )
    database.execute(
        f"INSERT INTO {database.table('archive_numeric_2026_08')} VALUES "
        "(1, 'nb_visits', 1, '2026-08-01', '2026-08-01', 1, '2026-08-02 00:00:00', 42)"
    )


def contents(database: Database, names: list[str]) -> dict[str, list[Any]]:
    """All rows of the reference's columns, by table."""
    found = {}
    for name in names:
        chosen = ", ".join(f"`{column}`" for column in SCHEMA[name]["columns"])
        full = name.replace("YYYY_MM", "2026_08")
        found[name] = database.query(f"SELECT {chosen} FROM {database.table(full)}")
    return found


@pytest.fixture(params=PREFIXES, ids=["without prefix", "with prefix"])
def empty(request: pytest.FixtureRequest, new_settings: NewSettings) -> Database:
    """A database without tables."""
    return Database(new_settings(migrated=False, table_prefix=request.param))


def test_an_empty_database_gets_the_reference_s_tables_and_ours(empty: Database) -> None:
    applied = migrations.migrate(empty, SystemClock())
    assert [migration.number for migration in applied] == [m.number for m in migrations.available()]
    assert {empty.prefix + name for name in [*RECORDED, *OLDER, *OURS]} <= tables(empty)
    migrations.check(empty)


@pytest.mark.parametrize("table", RECORDED)
def test_a_table_has_the_reference_s_columns(database: Database, table: str) -> None:
    assert columns(database, table) == reference(table) | OUR_COLUMNS.get(table, {})


def test_columns_that_matomo_5_renamed_can_still_be_read(database: Database) -> None:
    database.query("SELECT visitor_days_since_last, visitor_days_since_first, visitor_days_since_order FROM log_visit")
    database.query("SELECT visitor_days_since_first, visitor_days_since_order FROM log_conversion")
    database.query("SELECT interaction_position FROM log_link_visit_action")


def test_a_matomo_database_gains_only_what_is_ours(empty: Database) -> None:
    create_matomo(empty)
    there, before = tables(empty), contents(empty, list(SCHEMA))
    shapes = {name: columns(empty, name) for name in there}
    for name, added in OUR_COLUMNS.items():
        shapes[empty.prefix + name] |= added
    migrations.migrate(empty, SystemClock())
    assert tables(empty) - there == {empty.prefix + name for name in [*OURS, *OLDER]}
    assert contents(empty, list(SCHEMA)) == before
    assert {name: columns(empty, name) for name in there} == shapes
    ((days,),) = empty.query(f"SELECT visitor_days_since_last FROM {empty.table('log_visit')}")
    assert days == 2


def test_matomo_can_still_insert_without_naming_our_columns(empty: Database) -> None:
    create_matomo(empty)
    migrations.migrate(empty, SystemClock())
    empty.execute(
        f"INSERT INTO {empty.table('log_visit')} (idsite, idvisitor, visit_last_action_time, config_id, "
        "location_ip, visit_first_action_time, visit_total_time) "
        "VALUES (2, '12345678', '2026-08-01 10:00:00', '12345678', '1234', '2026-08-01 09:59:00', 60)"
    )
    assert empty.query(f"SELECT COUNT(*) FROM {empty.table('log_visit')}") == [(2,)]


def test_migrating_again_does_nothing(database: Database) -> None:
    assert migrations.migrate(database, SystemClock()) == []


def test_an_interrupted_migration_is_finished_by_the_next(new_settings: NewSettings) -> None:
    database = Database(new_settings())
    database.execute("DELETE FROM footfall_migration WHERE number >= 4")
    database.execute("DROP TABLE footfall_device")
    assert [migration.number for migration in migrations.migrate(database, SystemClock())] == [
        m.number for m in migrations.available() if m.number >= 4
    ]
    migrations.check(database)


@pytest.fixture
def migrate_further(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Database, str], None]:
    """Migrates as the next version does, which brings one more file."""
    original = migrations.available

    def migrate(database: Database, name: str) -> None:
        shutil.copytree(migrations.SQL_DIRECTORY, tmp_path, dirs_exist_ok=True)
        (tmp_path / name).write_text(
            "ALTER TABLE `{prefix}log_visit` ADD COLUMN `mood` tinyint DEFAULT NULL;\n"
            "ALTER TABLE `{prefix}footfall_dead_letter` ADD COLUMN `weight` int NOT NULL DEFAULT 0;\n"
        )
        with monkeypatch.context() as patch:
            patch.setattr(migrations, "available", lambda: original(tmp_path))
            migrations.migrate(database, SystemClock())
            migrations.check(database)

    return migrate


def test_the_version_before_goes_on_after_a_migration(
    new_settings: NewSettings, migrate_further: Callable[[Database, str], None]
) -> None:
    settings = new_settings()
    database = Database(settings)
    put_sites(database)
    migrate_further(database, "9000_mood.sql")
    migrations.check(database)
    assert migrations.migrate(database, SystemClock()) == []
    view = TrackingRequest(1_785_000_000.0, "192.0.2.1", b"idsite=1&rec=1&url=http%3A%2F%2Fshop.example.com", b"", {})
    record(Recorder(database, settings, SystemClock()), database, [view])
    DeadLetters(database, SystemClock()).add([DeadLetter("16-03", b"x", "There is no such site")])
    assert database.query("SELECT COUNT(*), COUNT(mood) FROM log_visit") == [(1, 0)]
    assert database.query("SELECT weight FROM footfall_dead_letter") == [(0,)]


def test_the_version_before_refuses_a_breaking_migration(
    new_settings: NewSettings, migrate_further: Callable[[Database, str], None]
) -> None:
    database = Database(new_settings())
    migrate_further(database, "9000_mood.breaking.sql")
    for call in (lambda: migrations.migrate(database, SystemClock()), lambda: migrations.check(database)):
        with pytest.raises(FootfallError, match=r"9000.*upgrade Footfall"):
            call()


def test_a_database_that_lacks_a_migration_is_named(new_settings: NewSettings) -> None:
    with pytest.raises(FootfallError, match="run `footfall migrate`"):
        migrations.check(Database(new_settings(migrated=False)))


def test_two_prefixes_live_in_one_database(new_settings: NewSettings) -> None:
    settings = new_settings(migrated=False, table_prefix="one_")
    for prefix in ("one_", "two_"):
        migrations.migrate(Database(replace(settings, table_prefix=prefix)), SystemClock())
    assert {"one_log_visit", "two_log_visit"} <= tables(Database(settings))
