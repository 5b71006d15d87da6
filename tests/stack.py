"""The running stack, for tests from outside: gunicorn with the HTTP endpoint, and `queue_workers run`."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis
from queues import queue_on

from footfall.queue.shards import layout

BIN = Path(sys.executable).parent
SHARDS = layout(16)
API = (
    *("gunicorn", "tracker_api.app:create_app()", "--worker-class", "tracker_api.server.TrackerWorker"),
    *("--no-control-socket", "--log-level", "warning"),
)


@dataclass(frozen=True)
class Stack:
    """The processes.

    Args:
        port: of 127.0.0.1, where the endpoint listens.
        log: the directory of api.log and pool.log.
    """

    port: int
    api: "subprocess.Popen[bytes]"
    pool: "subprocess.Popen[bytes]"
    log: Path

    @property
    def tracker(self) -> str:
        """The URL that clients are given."""
        return f"http://127.0.0.1:{self.port}/matomo.php"

    def processes(self) -> set[int]:
        """The ids of all of them; one that died and was replaced has another."""
        return {self.api.pid, self.pool.pid, *children(self.api), *children(self.pool)}


@contextmanager
def running(environment: dict[str, str], log: Path, workers: int) -> Iterator[Stack]:
    """The stack, ready, until the block ends.

    Args:
        log: the directory that its processes' output goes to.
        workers: drain workers.
    """
    port = free_port()
    with (
        process(environment, log / "api.log", *API, "--bind", f"127.0.0.1:{port}") as api,
        process(environment, log / "pool.log", "queue_workers", "run", "--workers", str(workers)) as pool,
    ):
        wait_for(lambda: len(children(pool)) == workers and is_open(port), 30, "the stack is up")
        yield Stack(port, api, pool, log)


@contextmanager
def process(environment: dict[str, str], output: Path, *command: str) -> "Iterator[subprocess.Popen[bytes]]":
    """One of our commands as a process, which ends with the block."""
    with output.open("ab") as file:
        child = subprocess.Popen(
            [str(BIN / command[0]), *command[1:]], env=environment, stdout=file, stderr=subprocess.STDOUT
        )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(15)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def children(parent: "subprocess.Popen[bytes]") -> list[int]:
    """The ids of its child processes: the workers of a pool, or of gunicorn."""
    try:
        return [int(pid) for pid in Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_open(port: int) -> bool:
    """Whether somebody listens on this port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(holds: Callable[[], object], seconds: float, what: str) -> None:
    """Wait until something holds; a failed test when it does not in time."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def pending(client: redis.Redis) -> int:
    """How many requests wait in the queue."""
    return sum(queue_on(client).depths(list(SHARDS)).values())
