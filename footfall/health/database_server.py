"""MySQL or MariaDB: its version, and the settings that matter to us."""

import os
import re

import mysql.connector
from mysql.connector import errorcode

from footfall.health.finding import Check, Finding, Need, ok, problem, warning
from footfall.health.installation import Installation

_MIB = 1024**2
_VERSION = re.compile(r"(\d+)\.(\d+)")
_OLDEST = {"MariaDB": (10, 5), "MySQL": (8, 0)}
_PACKET_BYTES = 64 * _MIB
_ESCAPED = 2  # a byte of a value takes two at most in a statement
_SHORTEST_WAIT = 60
_SHORT_WAIT = 600
_BUSY_SHARE = 0.85
_PER_ENDPOINT = 12  # connections of one endpoint process: reports, tokens, status, metrics
_OTHERS = 10
_SMALL_POOL = 256 * _MIB
_LOG_TABLES = ("log_visit", "log_link_visit_action", "log_action", "log_conversion", "log_conversion_item")
_SESSION = {
    "sql_mode": "NO_ENGINE_SUBSTITUTION,STRICT_TRANS_TABLES",
    "time_zone": "+00:00",
    "isolation": "READ-COMMITTED",
    "autocommit": 1,
    "character_set_client": "utf8mb4",
}


def server(installation: Installation) -> Finding:
    """Whether it can be reached, and is one that we know."""
    release = installation.variables.get("version", "")
    kind = "MariaDB" if "mariadb" in release.lower() else "MySQL"
    text = f"{installation.database.name} on {kind} {release}"
    match = _VERSION.match(release)
    if match is None or (int(match[1]), int(match[2])) < _OLDEST[kind]:
        oldest = ".".join(map(str, _OLDEST[kind]))
        return problem(f"{text} is too old", f"use {kind} {oldest} or newer.")
    return ok(text)


def matomo(installation: Installation) -> Finding:
    """Which Matomo's tables these are, where they are one's."""
    try:
        rows = installation.database.query(
            f"SELECT option_value FROM {installation.database.table('option')} WHERE option_name = 'version_core'"
        )
    except mysql.connector.Error as error:
        if error.errno != errorcode.ER_NO_SUCH_TABLE:
            raise
        rows = []
    if not rows:
        return ok("the tables are Footfall's own, no Matomo has used them")
    version = str(rows[0][0])
    if version.partition(".")[0] != "5":
        return problem(
            f"the tables are those of a Matomo {version}",
            "update Matomo to version 5 first: Footfall writes its tables.",
        )
    return ok(f"the tables are those of a Matomo {version}")


def packet(installation: Installation) -> Finding:
    """Whether the largest statement fits."""
    settings, size = installation.settings, installation.number("max_allowed_packet")
    text = f"max_allowed_packet is {size / _MIB:.0f} MiB"
    advice = f"set max_allowed_packet={_PACKET_BYTES // _MIB}M on the server."
    letter = _ESCAPED * settings.max_body_bytes
    if size < letter:
        return problem(
            f"{text}: a request of MAX_BODY_BYTES does not fit as a dead letter ({letter} bytes at most)",
            advice,
        )
    batch = _ESCAPED * settings.queue_batch_bytes
    if size < min(batch, _PACKET_BYTES):
        return warning(f"{text}: batches of QUEUE_BATCH_BYTES are written in more statements than necessary", advice)
    return ok(text)


def session(installation: Installation) -> Finding:
    """Whether our connections are as we ask for them: a proxy in between may change that."""
    isolation = "tx_isolation" if "tx_isolation" in installation.variables else "transaction_isolation"
    ((sql_mode, time_zone, level, autocommit, charset),) = installation.database.query(
        f"SELECT @@SESSION.sql_mode, @@SESSION.time_zone, @@SESSION.{isolation}, @@SESSION.autocommit, "
        "@@SESSION.character_set_client"
    )
    modes = ",".join(sorted(str(sql_mode).split(",")))
    found = dict(zip(_SESSION, (modes, str(time_zone), str(level), int(autocommit), str(charset)), strict=True))
    wrong = [
        f"{name} is {found[name]} instead of {wanted}" for name, wanted in _SESSION.items() if found[name] != wanted
    ]
    if wrong:
        return problem(
            f"our connections are not as we ask for them: {', '.join(wrong)}",
            "look at init_connect on the server, and at the proxy in between.",
        )
    return ok("our connections are strict, in UTC, READ COMMITTED and utf8mb4")


def writable(installation: Installation) -> Finding:
    """Whether the server takes writes."""
    for name in ("read_only", "super_read_only", "innodb_read_only"):
        if installation.number(name):
            return problem(
                f"{name} is on: nothing can be recorded, requests wait in the queue",
                "point DATABASE_URL at the primary, or switch it off.",
            )
    return ok("the server takes writes")


def durability(installation: Installation) -> list[Finding]:
    """Whether what is committed survives a crash: Redis forgets a request once it is committed here."""
    found = []
    flush = installation.number("innodb_flush_log_at_trx_commit")
    if flush != 1:
        crash = "of its machine" if flush == 2 else "of the server"
        finding = warning if flush == 2 else problem
        found.append(
            finding(
                f"innodb_flush_log_at_trx_commit is {flush}: a crash {crash} loses the last second of what is recorded",
                "set innodb_flush_log_at_trx_commit=1.",
            )
        )
    if installation.variables.get("innodb_doublewrite", "").lower() in ("off", "0"):
        found.append(
            warning(
                "innodb_doublewrite is off: a crash may tear pages", "switch it on, unless the disk rules that out."
            )
        )
    if installation.number("log_bin") and installation.number("sync_binlog") != 1:
        found.append(
            warning(
                f"the binary log is on and sync_binlog is {installation.number('sync_binlog')}: after a crash replicas "
                "and point-in-time recovery lack what was recorded last",
                "set sync_binlog=1 where replicas or such backups matter.",
            )
        )
    return found or [ok("what is committed survives a crash (innodb_flush_log_at_trx_commit=1)")]


def binary_log(installation: Installation) -> Finding:
    """Whether the binary log takes what READ COMMITTED transactions write."""
    if not installation.number("log_bin"):
        return ok("the binary log is off")
    mode = installation.variables.get("binlog_format", "ROW").upper()
    if mode == "STATEMENT":
        return problem(
            "binlog_format is STATEMENT: the server refuses what READ COMMITTED transactions write",
            "set binlog_format=ROW.",
        )
    return ok(f"the binary log is on, in format {mode}")


def auto_increment(installation: Installation) -> Finding:
    """Whether several workers can insert at once."""
    mode = installation.number("innodb_autoinc_lock_mode")
    if mode == 0:
        return warning(
            "innodb_autoinc_lock_mode is 0: workers wait for each other at every insert",
            "set innodb_autoinc_lock_mode=2 (with binlog_format=ROW) or 1.",
        )
    return ok(f"innodb_autoinc_lock_mode is {mode}")


def connections(installation: Installation) -> list[Finding]:
    """Whether the server takes as many connections as our processes open."""
    most, used = installation.number("max_connections"), int(installation.counters.get("max_used_connections", 0))
    workers = installation.settings.workers or os.cpu_count() or 1
    needed = workers + 2 * _PER_ENDPOINT + _OTHERS
    found = []
    if most < needed:
        found.append(
            warning(
                f"max_connections is {most}: {workers} workers, two endpoint processes and archivers need {needed}",
                f"set max_connections to {2 * needed} or so; {_PER_ENDPOINT} more for each further endpoint process.",
            )
        )
    elif used >= _BUSY_SHARE * most:
        found.append(
            warning(
                f"{used} of {most} connections (max_connections) were in use at once",
                "raise max_connections, or find out who opens so many (SHOW PROCESSLIST).",
            )
        )
    refused = int(installation.counters.get("connection_errors_max_connections", 0))
    if refused:
        found.append(warning(f"{refused} connections were refused since the server started", "raise max_connections."))
    return found or [ok(f"max_connections is {most}, at most {used} were in use at once")]


def timeouts(installation: Installation) -> list[Finding]:
    """Whether the server leaves long work alone: an archiver computes for minutes while it holds its lock."""
    found = []
    wait = installation.number("wait_timeout")
    if wait < _SHORT_WAIT:
        finding = problem if wait < _SHORTEST_WAIT else warning
        found.append(
            finding(
                f"wait_timeout is {wait} s: an archiver that computes for longer loses its connection, and its work",
                "set wait_timeout=28800 (the default), in a proxy in between as well.",
            )
        )
    for name, unit in (("max_statement_time", "s"), ("max_execution_time", "ms")):
        value = installation.variables.get(name, "0")
        if value.replace(".", "", 1).strip("0"):
            found.append(
                warning(
                    f"{name} is {value} {unit}: reading a large day for an archive is cut off",
                    f"set {name}=0 for our user.",
                )
            )
    return found or [ok(f"wait_timeout is {wait} s, and statements have no time limit")]


def buffer_pool(installation: Installation) -> Finding:
    """A hint: whether the indexes of the log have a chance to be in memory."""
    database, pool = installation.database, installation.number("innodb_buffer_pool_size")
    names = [database.prefix + name for name in _LOG_TABLES]
    ((size,),) = database.query(
        "SELECT COALESCE(SUM(index_length), 0) FROM information_schema.tables WHERE table_schema = DATABASE() "
        f"AND table_name IN ({', '.join(['%s'] * len(names))})",
        names,
    )
    indexes = int(size)
    text = f"innodb_buffer_pool_size is {pool / _MIB:,.0f} MiB, the indexes of the log take {indexes / _MIB:,.0f} MiB"
    if pool < indexes / 4 or (pool < _SMALL_POOL and indexes > pool):
        return warning(text, "raise it until the indexes of the recent weeks fit: 60 % of the machine's memory, say.")
    return ok(text)


CHECKS = (
    Check("database.server", server, Need.DATABASE),
    Check("database.matomo", matomo, Need.DATABASE),
    Check("database.writable", writable, Need.DATABASE),
    Check("database.session", session, Need.DATABASE),
    Check("database.max-allowed-packet", packet, Need.DATABASE),
    Check("database.durability", durability, Need.DATABASE),
    Check("database.binary-log", binary_log, Need.DATABASE),
    Check("database.auto-increment", auto_increment, Need.DATABASE),
    Check("database.connections", connections, Need.DATABASE),
    Check("database.timeouts", timeouts, Need.DATABASE),
    Check("database.buffer-pool", buffer_pool, Need.DATABASE),
)
