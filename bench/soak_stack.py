"""The stack that a soak run watches: its processes, what /metrics says of it, and its memory over time."""

import os
import signal
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

from memory import resident
from prometheus_client.parser import text_string_to_metric_families
from support import ROOT, children, cpu_seconds, free_port, procfile_command, servers

_UP_SECONDS = 60
_DOWN_SECONDS = 20
TOKEN = "the token of the soak run"


class Stack:
    """The processes.

    Args:
        port: of 127.0.0.1, where the endpoint listens.
        environment: that a further process of the stack needs.
        logs: the directory of their output.
    """

    def __init__(self, port: int, environment: dict[str, str], logs: Path) -> None:
        self.port = port
        self.logs = logs
        self._environment = environment
        self._started: list[subprocess.Popen[bytes]] = []
        self._roots: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: list[str]) -> "subprocess.Popen[bytes]":
        """Start a process that ends with the stack."""
        with (self.logs / f"{name}.log").open("ab") as output:
            process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment, stdout=output, stderr=output, start_new_session=True
            )
        self._started.append(process)
        return process

    def start_all(self, workers: int, nice: int) -> None:
        """Start the endpoint and the pool, and wait until they are ready."""
        self._roots["endpoint"] = self.start("endpoint", procfile_command("api", self.port))
        self._roots["pool"] = self.start(
            "pool", ["nice", "-n", str(nice), "queue_workers", "run", "--workers", str(workers)]
        )
        end = time.monotonic() + _UP_SECONDS
        while len(children(self._roots["pool"].pid)) <= workers or not self._answers():
            if time.monotonic() > end:
                raise SystemExit(f"The stack does not come up: look at {self.logs}")
            time.sleep(0.2)

    def processes(self) -> dict[str, int]:
        """Their ids by name: `endpoint` and `pool`, with a number each those below them, and the servers."""
        found: dict[str, int] = {}
        for name, root in self._roots.items():
            found[name] = root.pid
            found |= {f"{name} {place}": pid for place, pid in enumerate(sorted(children(root.pid)[1:]), 1)}
        private = servers()
        return found | {name: pid for name, pid in (("mariadb", private.mariadb), ("redis", private.redis)) if pid}

    def stop(self) -> None:
        """End what was started, the latest first."""
        for process in reversed(self._started):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self._started:
            try:
                process.wait(_DOWN_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def metrics(self) -> dict[tuple[str, ...], float]:
        """What /metrics says: values by name, without `footfall_`, and label values by the labels' names."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        if answer.status != 200:
            raise SystemExit(f"/metrics answered {answer.status}: {text}")
        return {
            (
                sample.name.removeprefix("footfall_"),
                *(value for _, value in sorted(sample.labels.items())),
            ): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def _answers(self) -> bool:
        try:
            connection = HTTPConnection("127.0.0.1", self.port, timeout=1)
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            return False


@contextmanager
def running(environment: dict[str, str], logs: Path, workers: int, nice: int) -> Iterator[Stack]:
    """The stack, ready, until the block ends.

    Args:
        workers: drain workers.
        nice: how far they stand back behind the endpoint where both want the processor (0 to 19).
    """
    stack = Stack(free_port(), environment, logs)
    try:
        stack.start_all(workers, nice)
        yield stack
    finally:
        stack.stop()


@dataclass
class Watch:
    """What was seen of the stack while it worked.

    Args:
        memory: MiB over time by process.
        oldest: the age of the oldest waiting request over time, in seconds.
        depth: how many requests waited over time.
        drained: how many had left the queue over time, with the moment.
        archivers: exit statuses of the archivers; their peak memory in MiB.
    """

    stack: Stack
    archive_seconds: float
    memory: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    oldest: list[float] = field(default_factory=list)
    depth: list[float] = field(default_factory=list)
    drained: list[tuple[float, float]] = field(default_factory=list)
    archivers: list[int] = field(default_factory=list)
    archiver_peak: float = 0.0
    replaced: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._begun = time.monotonic()
        self._processes = self.stack.processes()
        self._cpu = {name: cpu_seconds([pid]) for name, pid in self._processes.items()}
        self._archiver: subprocess.Popen[bytes] | None = None
        self._archive_at = self._begun + self.archive_seconds
        self._archiver_cpu = 0.0

    def look(self) -> None:
        """Look once at everything."""
        present = self.stack.processes()
        self.replaced |= {name for name, pid in self._processes.items() if present.get(name) != pid}
        for name, pid in self._processes.items():
            if (size := resident(pid)) is not None:
                self.memory[name].append(size)
        found = self.stack.metrics()
        self.oldest.append(max(value for name, value in found.items() if name[0] == "queue_oldest_seconds"))
        self.depth.append(waiting(found))
        self.drained.append((time.monotonic(), found["requests_drained_total",]))
        self._look_after_archiver()

    def end(self) -> None:
        """Wait for an archiver that is at work."""
        self._archive_at = float("inf")
        while self._archiver is not None:
            time.sleep(0.1)
            self._look_after_archiver()

    def fastest(self) -> float:
        """The most requests a second that left the queue between two looks a second or more apart."""
        pairs = zip(self.drained, self.drained[1:], strict=False)
        return max(((b - a) / (then - now) for (now, a), (then, b) in pairs if then - now >= 1.0), default=0.0)

    def cores(self) -> dict[str, float]:
        """How many processors each kind of process kept busy."""
        seconds = time.monotonic() - self._begun
        spent: Counter[str] = Counter()
        for name, pid in self._processes.items():
            if Path(f"/proc/{pid}").exists():
                spent[name.split()[0]] += cpu_seconds([pid]) - self._cpu[name]  # type: ignore[assignment]
        spent["archiver"] = self._archiver_cpu  # type: ignore[assignment]
        return {name: round(cpu / seconds, 3) for name, cpu in spent.items()}

    def _look_after_archiver(self) -> None:
        if self._archiver is None:
            if time.monotonic() >= self._archive_at:
                self._archiver = self.stack.start("archiver", ["archive_cli", "run"])
                self._archive_at = time.monotonic() + self.archive_seconds
            return
        self.archiver_peak = max(self.archiver_peak, resident(self._archiver.pid) or 0.0)
        pid, status, usage = os.wait4(self._archiver.pid, os.WNOHANG)
        if pid:
            self._archiver.returncode = os.waitstatus_to_exitcode(status)
            self.archivers.append(self._archiver.returncode)
            self.archiver_peak = max(self.archiver_peak, usage.ru_maxrss / 1024)
            self._archiver_cpu += usage.ru_utime + usage.ru_stime
            self._archiver = None


def waiting(metrics: dict[tuple[str, ...], float]) -> float:
    """How many requests are accepted and not recorded yet."""
    depth = sum(value for name, value in metrics.items() if name[0] == "queue_depth")
    return depth + metrics["spooled_requests",]


@dataclass(frozen=True)
class Account:
    """Where every request is that was acknowledged.

    Args:
        rows: of log_link_visit_action; `actions` says how many there must be.
    """

    acknowledged: int
    recorded: int
    excluded: int
    dead: int
    recovered: int
    waiting: int
    actions: int
    rows: int

    @classmethod
    def of(cls, metrics: dict[tuple[str, ...], float], acknowledged: int, actions: int, rows: int) -> "Account":
        """The account by what /metrics says."""

        def total(name: str) -> int:
            return round(sum(value for key, value in metrics.items() if key[0] == name))

        return cls(
            acknowledged,
            total("requests_recorded_total"),
            total("requests_excluded_total"),
            total("requests_dead_total"),
            total("requests_recovered_total"),
            round(waiting(metrics)),
            actions,
            rows,
        )

    @property
    def lost(self) -> int:
        """How many are nowhere; negative for those that are there twice."""
        return self.acknowledged - self.recorded - self.excluded - self.dead - self.recovered - self.waiting
