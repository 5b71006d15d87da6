"""A private installation: its servers, its processes, and proxies between them; whatever is killed can be restarted."""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from private_redis import PrivateRedis
from stack import API, BIN, children, is_open, wait_for

from faults.mariadb import PrivateMariaDB
from faults.proxy import Proxy
from faults.spool_disk import SpoolDisk
from footfall.queue.shards import layout

DATABASE, UNDISTURBED = "faults", "faults_undisturbed"
SECRET_KEY = "the salt of the rig"
SHARDS = layout(8)
ENDPOINTS, WORKERS = 2, 3
LEASE_SECONDS = 5
TAKEN_OVER_SECONDS = 12
"""When a worker that was stopped has lost its shard for certain (lease, asked key, sweep)."""
_PORTS = range(21_000, 22_000)
_START_SECONDS = 60
_ARCHIVE_PAUSE = 4.0


class Supervised:
    """One of our commands, as a supervisor keeps it: begun anew on the same terms when it was killed."""

    def __init__(self, environment: dict[str, str], log: Path, *command: str) -> None:
        self._environment = environment
        self._log = log
        self._command = [str(BIN / command[0]), *command[1:]]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin it."""
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The id of its process."""
        assert self._process is not None
        return self._process.pid

    def children(self) -> list[int]:
        """The ids of its children."""
        return [] if self._process is None else children(self._process)

    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """kill -9, of the process alone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def end(self) -> None:
        """SIGTERM; SIGKILL after ten seconds."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(12)
        except subprocess.TimeoutExpired:
            self.kill()

    def wait(self) -> int:
        """Wait for its end; its exit status."""
        assert self._process is not None
        return self._process.wait()


@dataclass
class Links:
    """The proxies, one for each pair of ends."""

    endpoint_redis: Proxy
    worker_redis: Proxy
    worker_mariadb: Proxy
    archiver_mariadb: Proxy
    all: list[Proxy] = field(init=False)

    def __post_init__(self) -> None:
        self.all = [self.endpoint_redis, self.worker_redis, self.worker_mariadb, self.archiver_mariadb]


class Archiving:
    """`archive_cli run`, now and then, until it is paused."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.command = Supervised(environment, log, "archive_cli", "run")
        self._wanted = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="archiving", daemon=True)
        self._thread.start()

    def resume(self) -> None:
        """Run again and again."""
        self._wanted.set()

    def pause(self) -> None:
        """No further run; returns when none is under way."""
        self._wanted.clear()
        wait_for(lambda: not self.command.is_running(), 60, "the end of the archiver")

    def end(self) -> None:
        """Never again."""
        self._over.set()
        self._wanted.set()
        self.command.end()
        self._thread.join()

    def _run(self) -> None:
        while self._wanted.wait() and not self._over.is_set():
            self.command.start()
            self.command.wait()
            self._over.wait(_ARCHIVE_PAUSE)


class Installation:
    """Everything that a fault can hit.

    Args:
        directory: for data, logs and the spool.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        mariadb_port, redis_port, self.port = _free_ports(3)
        self.mariadb = PrivateMariaDB(directory, mariadb_port)
        self.redis = PrivateRedis(directory, redis_port)
        self.disk = SpoolDisk(directory / "disk", lambda: self.api.children())
        self.links = Links(Proxy(redis_port), Proxy(redis_port), Proxy(mariadb_port), Proxy(mariadb_port))
        for proxy in self.links.all:
            proxy.start()
        worker = self._environment(self.links.worker_mariadb.port, self.links.worker_redis.port)
        archiver = self._environment(self.links.archiver_mariadb.port, redis_port)
        endpoint = self._environment(mariadb_port, self.links.endpoint_redis.port)
        bind = ("--bind", f"127.0.0.1:{self.port}", "--workers", str(ENDPOINTS))
        self.api = Supervised(endpoint, directory / "api.log", *API, *bind)
        self.pool = Supervised(worker, directory / "pool.log", "queue_workers", "run", "--workers", str(WORKERS))
        self.archiving = Archiving(archiver, directory / "archive.log")

    def _environment(self, mariadb_port: int, redis_port: int, database: str = DATABASE) -> dict[str, str]:
        return {
            **os.environ,
            "FOOTFALL_ENV": os.devnull,
            "DATABASE_URL": self.mariadb.url(database, mariadb_port),
            "REDIS_URL": f"redis://127.0.0.1:{redis_port}/0",
            "SECRET_KEY": SECRET_KEY,
            "SPOOL_DIRECTORY": str(self.disk.spool),
            "QUEUE_SHARDS": str(len(SHARDS)),
            "QUEUE_BATCH_SIZE": "25",
            "QUEUE_LEASE_SECONDS": str(LEASE_SECONDS),
            "QUEUE_PUSH_SECONDS": "1",
            "QUEUE_SWEEP_SECONDS": "1",
            "TODAY_ARCHIVE_SECONDS": "0",
            "LOG_LEVEL": "INFO",
        }

    def environment(self, database: str) -> dict[str, str]:
        """For a command on one of the databases, past the proxies."""
        return self._environment(self.mariadb.port, self.redis.port, database)

    def start_servers(self) -> None:
        """Start MariaDB and Redis; the databases are empty."""
        self.redis.start()
        self.mariadb.start()
        for database in (DATABASE, UNDISTURBED):
            self.mariadb.create(database)

    def start(self) -> None:
        """Start the processes, and wait until they are there."""
        self.api.start()
        self.pool.start()
        self.wait_until_whole()

    def wait_until_whole(self) -> None:
        """Wait until everything that was killed is there again."""
        for process in (self.api, self.pool):
            assert process.is_running(), f"{process} ended by itself: see {self.directory}"
        wait_for(lambda: is_open(self.port) and len(self.api.children()) == ENDPOINTS, _START_SECONDS, "the endpoint")
        wait_for(lambda: len(self.pool.children()) == WORKERS, _START_SECONDS, "the workers")

    def restart_api(self) -> None:
        """Begin the endpoint again after it was killed, as often as it takes to get the port."""
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            self.api.start()
            while self.api.is_running():
                if is_open(self.port) and len(self.api.children()) == ENDPOINTS:
                    return
                time.sleep(0.05)
        raise AssertionError(f"the endpoint cannot be started again: see {self.directory}")

    def end(self) -> None:
        """End everything, by process id."""
        self.archiving.end()
        self.api.end()
        self.pool.end()
        for proxy in self.links.all:
            proxy.stop()
        self.redis.kill()
        self.redis.client.close()
        self.mariadb.kill()


def _free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody takes while their server is down: none of those for outgoing connections."""
    free: list[int] = []
    for port in random.sample(_PORTS, len(_PORTS)):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            free.append(port)
        if len(free) == count:
            break
    return free


@contextmanager
def installation(directory: Path) -> Iterator[Installation]:
    """An installation with its servers and no process of ours yet, which ends with the block."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started ends with the rig
    made = Installation(directory)
    try:
        made.start_servers()
        yield made
    finally:
        made.end()
