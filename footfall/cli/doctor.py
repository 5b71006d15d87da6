"""`footfall doctor`: looks at everything Footfall stands on and says what to do about what is wrong."""

import json
import platform
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from itertools import chain
from typing import Literal

import click
import mysql.connector

from footfall import migrations
from footfall.clock import SystemClock
from footfall.database import Database
from footfall.errors import FootfallError
from footfall.queue.backend import Backend
from footfall.queue.redis.backend import RedisBackend
from footfall.queue.state import read_state
from footfall.queue.stores import open_queue
from footfall.settings import Settings, load

_PACKAGES = ("footfall", "mysql-connector-python", "redis", "hiredis", "rq", "falcon", "polars", "device-detector")
_PACKET_BYTES = 64 * 1024 * 1024
_STRANDED_SECONDS = 60
_COLORS = {"ok": "green", "warn": "yellow", "fail": "red"}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Args:
        state: `ok`; `warn`, works but not as it should; `fail`, cannot work.
        subject: what was looked at.
        text: what was found.
        advice: what to do about it; empty when nothing is to be done.
    """

    state: Literal["ok", "warn", "fail"]
    subject: str
    text: str
    advice: str = ""


Check = Callable[[], Iterator[Finding]]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def doctor(as_json: bool) -> None:
    """Look whether everything Footfall needs is there and set up well.

    One line each: ok, warn (works, but not as it should) or fail (cannot work), and what to do. The exit status is 1
    when something failed, so this can stand in front of a deployment.
    """
    findings = list(examine(load()))
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            mark = click.style(f"{finding.state:4}", fg=_COLORS[finding.state])
            click.echo(f"{mark}  {finding.subject}: {finding.text}")
            if finding.advice:
                click.echo(f"      → {finding.advice}")
    if any(finding.state == "fail" for finding in findings):
        raise click.exceptions.Exit(1)


def examine(settings: Settings) -> Iterator[Finding]:
    """Everything that was found, the ground first; a server that cannot be reached is one finding."""
    database, queue = Database(settings), open_queue(settings)
    checks: list[tuple[str, Check]] = [
        ("programs", programs),
        ("settings", lambda: secret_key(settings)),
        ("database", lambda: chain(database_server(database), schema(database))),
        (queue.kind, lambda: chain(store(queue), waiting(queue, settings))),
    ]
    for subject, check in checks:
        try:
            yield from check()
        except FootfallError as error:
            yield Finding("fail", subject, str(error))
        except mysql.connector.Error as error:
            yield Finding("fail", subject, f"the database refused: {error}")


def programs() -> Iterator[Finding]:
    """What is installed."""
    packages = ", ".join(f"{package} {version(package)}" for package in _PACKAGES)
    yield Finding("ok", "programs", f"Python {platform.python_version()}, {packages}")
    if mysql.connector.HAVE_CEXT:
        yield Finding("ok", "programs", "mysql-connector uses its C extension")
    else:
        yield Finding(
            "warn",
            "programs",
            "mysql-connector cannot load its C extension: it takes three times the processor time",
            "install the version that requirements.txt names.",
        )


def secret_key(settings: Settings) -> Iterator[Finding]:
    """Whether tokens can be checked."""
    settings.require_secret_key()
    yield Finding("ok", "settings", "SECRET_KEY is set")


def database_server(database: Database) -> Iterator[Finding]:
    """The settings of MySQL or MariaDB that matter."""
    rows = database.query("SELECT VERSION(), @@max_allowed_packet, @@innodb_autoinc_lock_mode")
    release, packet, lock_mode = rows[0]
    yield Finding("ok", "database", f"{database.name} on {release}")
    if packet < _PACKET_BYTES:
        yield Finding(
            "warn",
            "database",
            f"max_allowed_packet is {packet // 1024} KiB: a batch or a large report may not fit",
            "set max_allowed_packet=64M on the server.",
        )
    else:
        yield Finding("ok", "database", f"max_allowed_packet is {packet // 1024 // 1024} MiB")
    if lock_mode == 0:
        yield Finding(
            "warn",
            "database",
            "innodb_autoinc_lock_mode is 0: workers wait for each other at every insert",
            "set innodb_autoinc_lock_mode=1 or 2 on the server.",
        )
    else:
        yield Finding("ok", "database", f"innodb_autoinc_lock_mode is {lock_mode}")


def schema(database: Database) -> Iterator[Finding]:
    """Whether the tables are those of this version."""
    migrations.check(database)
    yield Finding("ok", "schema", f"all {len(migrations.available())} migrations are applied")


def store(queue: Backend) -> Iterator[Finding]:
    """Whether the store that the queue lies in keeps what it acknowledged."""
    queue.ping()
    if isinstance(queue, RedisBackend):
        yield from redis_server(queue)


def redis_server(queue: RedisBackend) -> Iterator[Finding]:
    """Whether Redis keeps what it acknowledged."""
    info = queue.info()
    yield Finding("ok", "redis", f"Redis {info['redis_version']}")
    if info.get("aof_enabled"):
        yield Finding("ok", "redis", "the append-only file is on")
    else:
        yield Finding(
            "warn",
            "redis",
            "the append-only file is off: accepted requests are lost when Redis ends",
            "set appendonly yes and appendfsync everysec.",
        )
    policy = info.get("maxmemory_policy", "unknown")
    if policy == "noeviction":
        yield Finding("ok", "redis", "maxmemory-policy is noeviction")
    elif not info.get("maxmemory"):
        yield Finding(
            "warn",
            "redis",
            f"maxmemory-policy is {policy}: with a maxmemory, Redis would drop accepted requests when it is full",
            "set maxmemory-policy noeviction.",
        )
    else:
        yield Finding(
            "fail",
            "redis",
            f"maxmemory-policy is {policy}: Redis drops accepted requests when it is full",
            "set maxmemory-policy noeviction.",
        )


def waiting(queue: Backend, settings: Settings) -> Iterator[Finding]:
    """Whether accepted requests are being recorded."""
    state = read_state(queue, SystemClock(), settings.queue_batch_size)
    stranded = [s for s in state.shards if s.oldest_seconds > _STRANDED_SECONDS and s.holder is None]
    if stranded:
        yield Finding(
            "warn",
            "queue",
            f"{sum(s.depth for s in stranded)} requests in {len(stranded)} shards wait for a worker, "
            f"the oldest for {max(s.oldest_seconds for s in stranded):.0f} s",
            "look whether workers run (`queue_workers status`), start them (`queue_workers run`).",
        )
    else:
        yield Finding("ok", "queue", f"{state.pending} requests wait, the oldest for {state.oldest_seconds:.0f} s")
