"""What the measurements share: a database and queue of their own, the CPU time of processes, the printed line."""

import json
import os
import socket
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from footfall import migrations
from footfall.clock import SystemClock
from footfall.database import Database
from footfall.settings import Settings, load

ROOT = Path(__file__).resolve().parent.parent
_TICKS = os.sysconf("SC_CLK_TCK")


def settings(database: str, redis_db: int, *, empty: bool = False, **changes: object) -> Settings:
    """Settings for a measurement: its own database on the server of .local/env, its own Redis db.

    Args:
        empty: begin with empty tables, whatever an earlier measurement has left.
    """
    base = load()
    parts = urlsplit(base.database_url)
    redis = urlsplit(base.redis_url)
    server = Database(base)
    if empty:
        server.execute(f"DROP DATABASE IF EXISTS `{database}`")
    server.execute(f"CREATE DATABASE IF NOT EXISTS `{database}` CHARACTER SET utf8mb4")
    own = replace(
        base,
        database_url=urlunsplit(parts._replace(path=f"/{database}")),
        redis_url=urlunsplit(redis._replace(path=f"/{redis_db}")),
        secret_key=base.secret_key or "bench",
        table_prefix="",
        queue_directory=f".local/queue-{database}",
        **changes,
    )
    migrations.migrate(Database(own), SystemClock())
    return own


def environment(own: Settings) -> dict[str, str]:
    """The environment of a process that is to use these settings."""
    return {
        **os.environ,
        "DATABASE_URL": own.database_url,
        "REDIS_URL": own.redis_url,
        "SECRET_KEY": own.secret_key,
        "TABLE_PREFIX": "",
        "QUEUE_BACKEND": own.queue_backend,
        "QUEUE_DIRECTORY": own.queue_directory,
        "SPOOL_DIRECTORY": f".local/spool-{urlsplit(own.redis_url).path.strip('/')}",
    }


def procfile_command(name: str, port: int) -> list[str]:
    """How the Procfile starts a process."""
    lines = dict(line.split(":", 1) for line in (ROOT / "Procfile").read_text().splitlines() if ":" in line)
    return ["/bin/sh", "-c", lines[name].strip().replace("$PORT", str(port))]


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Servers:
    """Process ids of the private servers, where they were started by `make services`."""

    mariadb: int | None
    redis: int | None


def servers() -> Servers:
    """The servers of .local/, None for one that runs elsewhere (its CPU time is then not known)."""
    return Servers(_listener(load().database_url, "mariadbd"), _listener(load().redis_url, "redis-server"))


def _listener(url: str, program: str) -> int | None:
    """The process of this machine that runs the program with the URL's port on its command line."""
    port = urlsplit(url).port
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if program in command.split(" ")[0] and str(port) in command:
            return int(path.parent.name)
    return None


class ServerThread:
    """The MariaDB thread that serves a connection: its CPU time is what the statements cost, whoever else is served.

    Args:
        database: of this machine's private server; elsewhere the CPU time is 0.
    """

    def __init__(self, database: Database) -> None:
        self._statistics: Path | None = None
        if (pid := servers().mariadb) is not None:
            ((thread,),) = database.query("SELECT TID FROM information_schema.processlist WHERE ID = CONNECTION_ID()")
            path = Path(f"/proc/{pid}/task/{thread}/schedstat")
            self._statistics = path if path.exists() else None

    def cpu_ns(self) -> int:
        """Nanoseconds of CPU that it has used so far."""
        return int(self._statistics.read_text().split()[0]) if self._statistics else 0


def machine_seconds() -> float:
    """CPU time that all processes of this machine have used so far."""
    user, nice, system, _, _, irq, softirq, *_ = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    return sum(map(int, (user, nice, system, irq, softirq))) / _TICKS


def cpu_seconds(pids: Iterable[int | None]) -> float:
    """CPU time, user and system, that living processes have used so far."""
    total = 0.0
    for pid in pids:
        if pid is None:
            continue
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) / _TICKS
    return total


def children(pid: int) -> list[int]:
    """The process and all below it."""
    found = [pid]
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in path.read_text().split():
            found += children(int(child))
    return found


def say(figures: dict[str, object]) -> None:
    """Print the figures as one line of JSON, for a note or another program."""
    json.dump(figures, sys.stdout)
    sys.stdout.write("\n")
