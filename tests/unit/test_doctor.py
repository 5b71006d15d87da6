"""What `footfall doctor` says, by what settings and servers say about themselves."""

import threading
import time
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from footfall.clock import FixedClock
from footfall.errors import DatabaseUnavailable, FootfallError, QueueUnavailable
from footfall.health import clocks, configuration, database_server, location, programs, redis_server, spool
from footfall.health.checks import CHECKS, checks_of
from footfall.health.configuration import RULES
from footfall.health.examination import examine
from footfall.health.finding import Check, Finding, Need, State, ok, problem
from footfall.health.installation import Installation
from footfall.health.needed import needed_tables
from footfall.settings import Settings

NOW = datetime(2026, 8, 20, 12, 0, tzinfo=UTC)
GOOD_SETTINGS = Settings(secret_key="78eedb69a1efe9ff9f2eb016d44104e6")
GOOD_REDIS = {
    "redis_version": "7.0.15",
    "redis_mode": "standalone",
    "role": "master",
    "aof_enabled": 1,
    "maxmemory": 2 * 1024**3,
    "maxmemory_policy": "noeviction",
    "used_memory": 1024**2,
    "evicted_keys": 0,
}
GOOD_DATABASE = {
    "version": "10.11.19-MariaDB",
    "max_allowed_packet": str(64 * 1024**2),
    "innodb_flush_log_at_trx_commit": "1",
    "innodb_doublewrite": "ON",
    "innodb_autoinc_lock_mode": "1",
    "log_bin": "OFF",
    "sync_binlog": "0",
    "binlog_format": "MIXED",
    "read_only": "OFF",
    "max_connections": "200",
    "wait_timeout": "28800",
    "max_statement_time": "0.000000",
}
Look = Callable[[Installation], Finding | list[Finding]]


class StubRedis:
    """Answers the commands of checks."""

    def __init__(self, now: datetime = NOW, config: dict[str, str] | None = None) -> None:
        self._now = now
        self._config = config

    def time(self) -> tuple[int, int]:
        return int(self._now.timestamp()), self._now.microsecond

    def config_get(self, name: str) -> dict[str, str]:
        if self._config is None:
            raise redis.exceptions.NoPermissionError("no config")
        return {name: self._config.get(name, "")}


def installation(settings: Settings = GOOD_SETTINGS, **parts: Any) -> Installation:
    """An installation whose parts say what they are given here."""
    found = Installation(settings, FixedClock(NOW))
    found.__dict__.update(parts)  # takes the place of what is read from the servers
    return found


def findings(look: Look, here: Installation) -> list[Finding]:
    """What the check finds; whatever is not well comes with advice, and nothing else."""
    found = look(here)
    result = found if isinstance(found, list) else [found]
    assert result
    for finding in result:
        assert bool(finding.advice) == (finding.state is not State.OK), finding
    return result


def worst(look: Look, here: Installation) -> State:
    states = {finding.state for finding in findings(look, here)}
    return max(states, key=list(State).index)


# Redis


@pytest.mark.parametrize(
    ("look", "different", "state"),
    [
        (redis_server.server, {}, State.OK),
        (redis_server.server, {"redis_version": "5.0.14"}, State.PROBLEM),
        (redis_server.server, {"redis_mode": "cluster"}, State.PROBLEM),
        (redis_server.server, {"loading": 1}, State.WARNING),
        (redis_server.role, {}, State.OK),
        (redis_server.role, {"role": "slave"}, State.PROBLEM),
        (redis_server.last_writes, {}, State.OK),
        (redis_server.last_writes, {"rdb_last_bgsave_status": "err"}, State.PROBLEM),
        (redis_server.last_writes, {"aof_last_write_status": "err"}, State.PROBLEM),
        (redis_server.eviction, {}, State.OK),
        (redis_server.eviction, {"evicted_keys": 7}, State.WARNING),
        (redis_server.eviction, {"maxmemory_policy": "allkeys-lru", "maxmemory": 0}, State.WARNING),
        (redis_server.eviction, {"maxmemory_policy": "allkeys-lru"}, State.PROBLEM),
        (redis_server.memory, {}, State.OK),
        (redis_server.memory, {"maxmemory": 1024**3}, State.WARNING),
        (redis_server.memory, {"used_memory": 1500 * 1024**2}, State.WARNING),
        (redis_server.memory, {"maxmemory": 0, "total_system_memory": 16 * 1024**3}, State.OK),
        (redis_server.memory, {"maxmemory": 0, "total_system_memory": 2 * 1024**3}, State.WARNING),
    ],
)
def test_what_redis_says_about_itself(look: Look, different: dict[str, Any], state: State) -> None:
    assert worst(look, installation(info=GOOD_REDIS | different, redis=StubRedis())) is state


@pytest.mark.parametrize(
    ("aof", "config", "state"),
    [
        (1, {"appendfsync": "everysec"}, State.OK),
        (1, {"appendfsync": "always"}, State.OK),
        (1, {"appendfsync": "no"}, State.WARNING),
        (1, None, State.OK),
        (0, {"save": "3600 1 300 100"}, State.WARNING),
        (0, {"save": ""}, State.PROBLEM),
        (0, None, State.WARNING),
    ],
)
def test_a_redis_that_forgets_in_a_crash_is_named(aof: int, config: dict[str, str] | None, state: State) -> None:
    here = installation(info=GOOD_REDIS | {"aof_enabled": aof}, redis=StubRedis(config=config))
    assert worst(redis_server.persistence, here) is state


@pytest.mark.parametrize(
    ("ahead", "state", "text"),
    [
        (0.0, State.OK, "agree"),
        (1.5, State.OK, "agree"),
        (-3.0, State.WARNING, "3.0 s behind"),
        (7.5, State.WARNING, "7.5 s ahead of"),
        (3600.0, State.PROBLEM, "3600.0 s ahead of"),
    ],
)
def test_clocks_that_differ_are_named(ahead: float, state: State, text: str) -> None:
    here = installation(redis=StubRedis(NOW + timedelta(seconds=ahead)))
    (finding,) = findings(clocks.redis_clock, here)
    assert finding.state is state and text in finding.text


# MySQL and MariaDB


@pytest.mark.parametrize(
    ("look", "different", "state"),
    [
        (database_server.writable, {}, State.OK),
        (database_server.writable, {"read_only": "ON"}, State.PROBLEM),
        (database_server.writable, {"super_read_only": "1"}, State.PROBLEM),
        (database_server.packet, {}, State.OK),
        (database_server.packet, {"max_allowed_packet": str(16 * 1024**2)}, State.WARNING),
        (database_server.packet, {"max_allowed_packet": str(4 * 1024**2)}, State.PROBLEM),
        (database_server.durability, {}, State.OK),
        (database_server.durability, {"innodb_flush_log_at_trx_commit": "2"}, State.WARNING),
        (database_server.durability, {"innodb_flush_log_at_trx_commit": "0"}, State.PROBLEM),
        (database_server.durability, {"log_bin": "ON", "sync_binlog": "0"}, State.WARNING),
        (database_server.durability, {"log_bin": "ON", "sync_binlog": "1"}, State.OK),
        (database_server.durability, {"innodb_doublewrite": "OFF"}, State.WARNING),
        (database_server.binary_log, {}, State.OK),
        (database_server.binary_log, {"log_bin": "ON"}, State.OK),
        (database_server.binary_log, {"log_bin": "ON", "binlog_format": "STATEMENT"}, State.PROBLEM),
        (database_server.auto_increment, {}, State.OK),
        (database_server.auto_increment, {"innodb_autoinc_lock_mode": "0"}, State.WARNING),
        (database_server.timeouts, {}, State.OK),
        (database_server.timeouts, {"wait_timeout": "300"}, State.WARNING),
        (database_server.timeouts, {"wait_timeout": "30"}, State.PROBLEM),
        (database_server.timeouts, {"max_statement_time": "30.000000"}, State.WARNING),
        (database_server.timeouts, {"max_execution_time": "30000"}, State.WARNING),
    ],
)
def test_what_the_database_says_about_itself(look: Look, different: dict[str, str], state: State) -> None:
    assert worst(look, installation(variables=GOOD_DATABASE | different)) is state


@pytest.mark.parametrize(
    ("release", "state"),
    [
        ("10.11.19-MariaDB-0+deb12u1", State.OK),
        ("11.4.2-MariaDB", State.OK),
        ("10.4.34-MariaDB", State.PROBLEM),
        ("8.0.36", State.OK),
        ("8.4.0", State.OK),
        ("5.7.44-log", State.PROBLEM),
        ("", State.PROBLEM),
    ],
)
def test_versions_of_the_database(release: str, state: State) -> None:
    class Named:
        name = "footfall"

    assert worst(database_server.server, installation(variables={"version": release}, database=Named())) is state


@pytest.mark.parametrize(
    ("most", "counters", "state"),
    [
        ("200", {"max_used_connections": "20"}, State.OK),
        ("20", {}, State.WARNING),
        ("200", {"max_used_connections": "190"}, State.WARNING),
        ("200", {"connection_errors_max_connections": "3"}, State.WARNING),
    ],
)
def test_too_few_connections_are_named(most: str, counters: dict[str, str], state: State) -> None:
    here = installation(replace(GOOD_SETTINGS, workers=2), variables={"max_connections": most}, counters=counters)
    assert worst(database_server.connections, here) is state


def test_the_batch_limit_and_the_body_limit_decide_what_packet_is_needed() -> None:
    variables = GOOD_DATABASE | {"max_allowed_packet": str(16 * 1024**2)}
    small = replace(GOOD_SETTINGS, queue_batch_bytes=1024**2)
    large = replace(GOOD_SETTINGS, max_body_bytes=20 * 1024**2)
    assert worst(database_server.packet, installation(small, variables=variables)) is State.OK
    assert worst(database_server.packet, installation(large, variables=variables)) is State.PROBLEM


# Settings


def test_the_defaults_make_sense() -> None:
    for look in (configuration.words, configuration.sense, configuration.proxies, configuration.secret_key):
        assert worst(look, installation()) is State.OK


@pytest.mark.parametrize(
    ("key", "state"),
    [("", State.PROBLEM), ("secret", State.WARNING), ("a" * 32, State.WARNING), ("e3c9d8f1" * 4, State.OK)],
)
def test_a_secret_key_that_is_missing_or_can_be_guessed(key: str, state: State) -> None:
    assert worst(configuration.secret_key, installation(Settings(secret_key=key))) is state


BROKEN: list[tuple[dict[str, Any], State]] = [
    ({"max_body_bytes": 200_000_000}, State.PROBLEM),
    ({"max_memory_bytes": 5_000_000}, State.WARNING),
    ({"queue_max_requests": 500}, State.WARNING),
    ({"queue_lease_seconds": 2}, State.WARNING),
    ({"queue_sweep_seconds": 300}, State.WARNING),
    ({"queue_push_seconds": 30}, State.WARNING),
    ({"workers": 32}, State.WARNING),
    ({"spool_directory": ""}, State.WARNING),
    ({"spool_bytes": 1024}, State.WARNING),
    ({"spool_fsync": "no"}, State.WARNING),
    ({"dead_letter_limit": 0}, State.WARNING),
    ({"brute_force_attempts": 0}, State.WARNING),
    ({"anonymize_ip_bytes": 16}, State.WARNING),
    ({"tracker_cache_seconds": 86_400}, State.WARNING),
    ({"log_to_database": "errors", "log_database_days": 0}, State.WARNING),
    ({"today_archive_seconds": 200_000}, State.WARNING),
    ({"queue_shards": 0}, State.PROBLEM),
    ({"visit_standard_length": 0}, State.PROBLEM),
]


@pytest.mark.parametrize(("different", "state"), BROKEN)
def test_settings_that_make_no_sense_are_named_with_their_values(different: dict[str, Any], state: State) -> None:
    found = findings(configuration.sense, installation(replace(GOOD_SETTINGS, **different)))
    assert max((finding.state for finding in found), key=list(State).index) is state
    assert any(name.upper() in finding.text for name in different for finding in found)
    assert not any("{" in finding.text for finding in found)


def test_each_rule_is_broken_by_one_of_the_cases() -> None:
    cases = [replace(GOOD_SETTINGS, **different) for different, _ in BROKEN]
    for rule in RULES:
        assert not rule.is_broken(GOOD_SETTINGS)
        assert any(rule.is_broken(case) for case in cases), rule.text


@pytest.mark.parametrize(
    "different",
    [
        {"spool_fsync": "sometimes"},
        {"archive_on_demand": "often"},
        {"log_to_database": "everything"},
        {"sql_profiling": "maybe"},
        {"log_format": "xml"},
        {"log_level": "LOUD"},
        {"metrics_token": "short"},
    ],
)
def test_words_that_a_setting_does_not_know_are_problems(different: dict[str, str]) -> None:
    (finding,) = findings(configuration.words, installation(replace(GOOD_SETTINGS, **different)))
    assert finding.state is State.PROBLEM
    assert next(iter(different)).upper() in finding.text


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("", State.OK),
        ("10.0.0.0/8, 192.0.2.1, 2001:db8::/32", State.OK),
        ("0.0.0.0/0", State.WARNING),
        ("::/0", State.WARNING),
        ("balancer.example.org", State.PROBLEM),
    ],
)
def test_proxies_that_let_anybody_claim_an_address(text: str, state: State) -> None:
    assert worst(configuration.proxies, installation(replace(GOOD_SETTINGS, trusted_proxies=text))) is state


@pytest.mark.parametrize(("mode", "state"), [(0o600, State.OK), (0o644, State.WARNING)])
def test_an_env_file_that_others_can_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, state: State
) -> None:
    file = tmp_path / "env"
    file.write_text("SECRET_KEY=x\n")
    file.chmod(mode)
    monkeypatch.setenv("FOOTFALL_ENV", str(file))
    assert worst(configuration.env_file, installation()) is state


def test_a_geoip_file_that_is_missing_damaged_or_old(tmp_path: Path) -> None:
    assert worst(location.geoip_file, installation()) is State.OK
    file = tmp_path / "countries.mmdb"
    here = installation(replace(GOOD_SETTINGS, geoip_database=str(file)))
    assert worst(location.geoip_file, here) is State.PROBLEM
    file.write_bytes(b"no such database")
    assert worst(location.geoip_file, here) is State.PROBLEM
    writer = MMDBWriter(database_type="Countries")
    writer.insert_network(IPSet(["192.0.2.0/24"]), {"country": {"iso_code": "DE"}})
    writer.to_db_file(str(file))
    made = datetime.now(UTC)
    for days, state in ((10, State.OK), (100, State.WARNING)):
        here.clock = FixedClock(made + timedelta(days=days))
        assert worst(location.geoip_file, here) is state


# Programs and the disk


def test_this_machine_can_run_footfall() -> None:
    for look in (programs.interpreter, programs.packages, programs.extensions):
        assert worst(look, installation()) is State.OK


def test_too_few_open_files_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs.resource, "getrlimit", lambda _: (1024, 4096))
    assert worst(programs.open_files, installation()) is State.WARNING
    assert worst(programs.open_files, installation(replace(GOOD_SETTINGS, max_connections=500))) is State.OK


def spool_in(path: Path, **different: Any) -> Installation:
    return installation(replace(GOOD_SETTINGS, spool_directory=str(path), **different))


def test_a_spool_that_is_not_there_yet_is_not_made_by_looking(tmp_path: Path) -> None:
    here = spool_in(tmp_path / "var" / "spool")
    for look in (spool.directory, spool.space, spool.contents, spool.damaged):
        findings(look, here)
    assert worst(spool.directory, here) is State.OK
    assert not (tmp_path / "var").exists()


def test_a_spool_that_cannot_be_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert worst(spool.directory, spool_in(tmp_path / "file")) is State.PROBLEM
    (tmp_path / "open").mkdir(mode=0o755)
    assert worst(spool.directory, spool_in(tmp_path / "open")) is State.WARNING
    assert worst(spool.directory, installation(replace(GOOD_SETTINGS, spool_directory=""))) is State.WARNING


def test_a_disk_with_less_room_than_the_spool_may_take(tmp_path: Path) -> None:
    assert worst(spool.space, spool_in(tmp_path, spool_bytes=2**60)) is State.WARNING


def test_what_lies_damaged_in_the_spool_is_named(tmp_path: Path) -> None:
    assert worst(spool.damaged, spool_in(tmp_path)) is State.OK
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "0001-12").write_bytes(b"xyz")
    (finding,) = findings(spool.damaged, spool_in(tmp_path))
    assert finding.state is State.WARNING and "3 bytes in 1 files" in finding.text


# What the tables must have


def test_what_the_tables_must_have_is_read_from_the_migrations() -> None:
    tables = needed_tables()
    assert {"log_visit", "log_action", "site", "footfall_shard", "logger_error", "archive_invalidations"} <= set(tables)
    assert {"idvisit", "visitor_days_since_last", "location_provider"} <= tables["log_visit"].columns
    assert ("idvisit",) in tables["log_visit"].unique
    assert ("idsite", "idorder") in tables["log_conversion"].unique
    assert ("generation", "shard") in tables["footfall_shard"].unique
    assert ("type", "hash") in tables["log_action"].indexes
    assert "date_used" in tables["footfall_device"].columns
    for name, table in tables.items():
        assert table.columns and table.unique, name
        for key in table.unique | table.indexes:
            assert set(key) <= table.columns, (name, key)


# One thing that is wrong does not hide another


def run(*checks: Check, seconds: float = 5.0) -> list[tuple[str, State]]:
    return [(result.check, result.finding.state) for result in examine(installation(), checks, seconds)]


def raising(error: Exception) -> Look:
    def look(_: Installation) -> Finding:
        raise error

    return look


def fine(_: Installation) -> Finding:
    return ok("fine")


def test_a_server_that_is_away_is_one_problem_and_the_others_are_looked_at() -> None:
    assert run(
        Check("database.server", raising(DatabaseUnavailable("It is away: start it.")), Need.DATABASE),
        Check("database.more", fine, Need.DATABASE),
        Check("tables.more", fine, Need.TABLES),
        Check("redis.server", fine, Need.REDIS),
        Check("disk", fine),
    ) == [
        ("database.server", State.PROBLEM),
        ("redis.server", State.OK),
        ("disk", State.OK),
        ("doctor", State.WARNING),
    ]


def test_a_redis_that_goes_away_in_between_hides_nothing_either() -> None:
    assert run(
        Check("redis.first", fine, Need.REDIS),
        Check("redis.second", raising(redis.ConnectionError("gone")), Need.REDIS),
        Check("redis.third", raising(QueueUnavailable("never asked: x")), Need.REDIS),
        Check("database", fine, Need.DATABASE),
    ) == [
        ("redis.first", State.OK),
        ("redis.second", State.PROBLEM),
        ("database", State.OK),
        ("doctor", State.WARNING),
    ]


def test_a_server_that_hangs_is_not_waited_for_twice() -> None:
    def hang(_: Installation) -> Finding:
        threading.Event().wait(30)
        return ok("never")

    began = time.monotonic()
    assert run(
        Check("redis.first", hang, Need.REDIS),
        Check("redis.second", hang, Need.REDIS),
        Check("disk", fine),
        seconds=0.2,
    ) == [("redis.first", State.PROBLEM), ("disk", State.OK), ("doctor", State.WARNING)]
    assert time.monotonic() - began < 20


def test_without_the_tables_of_this_version_only_what_needs_them_is_left_out() -> None:
    def unmigrated(_: Installation) -> Finding:
        return problem("no tables", "migrate.")

    assert run(
        Check("schema", unmigrated, Need.DATABASE, gives=Need.TABLES),
        Check("sites", fine, Need.TABLES),
        Check("database.more", fine, Need.DATABASE),
    ) == [("schema", State.PROBLEM), ("database.more", State.OK), ("doctor", State.WARNING)]


def test_addresses_that_make_no_sense_are_one_problem_each() -> None:
    settings = replace(GOOD_SETTINGS, database_url="postgres://x/y", redis_url="http://x")
    here = Installation(settings, FixedClock(NOW))
    results = list(examine(here, checks_of(here)))
    wrong = [result.check for result in results if result.finding.state is State.PROBLEM]
    assert wrong == ["database.server", "redis.server"]
    assert {"programs.packages", "spool.directory"} <= {result.check for result in results}


def test_a_check_that_fails_itself_is_a_problem_and_no_end() -> None:
    assert run(Check("broken", raising(ZeroDivisionError("x"))), Check("disk", fine)) == [
        ("broken", State.PROBLEM),
        ("disk", State.OK),
    ]


def test_a_message_is_told_from_its_advice() -> None:
    (result,) = examine(installation(), [Check("x", raising(FootfallError("Nothing is there: make it.")))])
    assert (result.finding.text, result.finding.advice) == ("Nothing is there", "make it.")


def test_every_check_has_a_name_of_its_own_and_says_what_it_looks_at() -> None:
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names)
    assert all(name.count(".") == 1 for name in names)
    assert all(check.look.__doc__ for check in CHECKS)


def test_rules_name_settings_that_there_are() -> None:
    known = {field.name for field in fields(Settings)}
    assert set(configuration._POSITIVE) <= known
