"""The whole stack under load for a long time: `python bench/soak.py [--seconds N] [--rate N]`; or under a spike.

Starts the endpoint as the Procfile does, a pool of workers and an archiver every now and then, on the servers of `make
services` (database footfall_bench_soak, emptied before). Sends mixed traffic at a rate (open_loop.py), and in the end
accounts for every request: those that were acknowledged are recorded, excluded or dead letters, each once. Shows
latencies since the intended times, the memory of every process over time, how long requests waited, who took how much
CPU; prints the figures as one line of JSON.

`--spike 20` sends 20 times the steady rate for a while (`--spike-seconds`), and says how fast the backlog was drained
afterwards. Without `--rate` it looks first for a spike that the machine can take.

Exit status: 1 when a request was lost, doubled or not acknowledged, a process was replaced, an archiver failed, one of
our processes grew, or p99 of a spike was 100 ms or more.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from memory import Growth, growth
from open_loop import Answers, LoadGenerator, Prepared, percentile, prepare
from redis import Redis
from rich.console import Console
from rich.table import Table
from soak_stack import TOKEN, Account, Stack, Watch, running
from support import environment, say, settings
from workload import add_site, configure, is_action, traffic

from footfall.database import Database

MOST_SECONDS = 4 * 3600
MOST_RATE = 20_000
STEADY_RATE = 200
REQUESTS = 20_000  # different ones; then they come again from other visitors
LOOK_SECONDS = 2.0
DRAIN_SECONDS = 600
P99_MILLISECONDS = 100.0
PROBE_SECONDS = 8.0
PROBES = 3  # of a rate, before it counts as too high: others may want the machine for a moment
HEADROOM = 0.7  # of the fastest probe: a minute is longer than a probe
SERVERS = ("mariadb", "redis")  # whose memory their own settings bound
_console = Console(stderr=True)


class Run:
    """One run: sends, watches, and adds up."""

    def __init__(self, stack: Stack, generator: LoadGenerator, archive_seconds: float) -> None:
        self.stack = stack
        self.generator = generator
        self.watch = Watch(stack, archive_seconds)
        self.total = Answers()

    def send(self, rate: float, seconds: float) -> Answers:
        """Send at a rate, and look at the stack meanwhile."""
        self.generator.start(rate, seconds)
        while not self.generator.finished(LOOK_SECONDS):
            self.watch.look()
        answers = self.generator.answers()
        self.total.add(answers)
        return answers

    def drain(self) -> float:
        """Wait until nothing waits any more; how many requests a second left the queue meanwhile."""
        begun, end = time.monotonic(), time.monotonic() + DRAIN_SECONDS
        self.watch.look()
        first = self.watch.drained[-1][1]
        while self.watch.depth[-1] and time.monotonic() < end:
            time.sleep(0.2)
            self.watch.look()
        return (self.watch.drained[-1][1] - first) / (time.monotonic() - begun)


def soak(run: Run, rate: float, seconds: float) -> dict[str, object]:
    """A steady rate for a long time."""
    _console.print(f"{rate:g} requests/s for {seconds:g} s; the logs are in {run.stack.logs}")
    answers = run.send(rate, seconds)
    run.drain()
    return {"soak": "steady", **_figures(rate, answers)}


def spike(run: Run, rate: float, times: float, seconds: float) -> dict[str, object]:
    """A steady rate, then many times of it, then nothing until the backlog is drained."""
    rate = rate or find_spike(run) / times
    _console.print(f"{rate:.1f} requests/s for 30 s, then {rate * times:.0f} requests/s for {seconds:g} s")
    steady = run.send(rate, 30)
    answers = run.send(rate * times, seconds)
    run.watch.look()
    backlog, begun = run.watch.depth[-1], time.monotonic()
    drained = run.drain()
    return {
        "soak": "spike",
        "steady": _figures(rate, steady),
        **_figures(rate * times, answers),
        "backlog": round(backlog),
        "drained_in_seconds": round(time.monotonic() - begun, 1),
        "drained_per_second": round(drained),
        "drained_per_second_most": round(run.watch.fastest()),
    }


def find_spike(run: Run) -> float:
    """The rate of a spike that the machine can take, the workers at work beside it: with room below a p99 of 100 ms."""
    rate, best = 500.0, 0.0
    while rate <= MOST_RATE and any(_is_taken(run, rate) for _ in range(PROBES)):
        best, rate = rate, rate * 1.25
    run.drain()
    if not best:
        raise SystemExit("Not even 500 requests/s can be taken with a p99 below 100 ms: free the machine.")
    return best * HEADROOM


def _is_taken(run: Run, rate: float) -> bool:
    answers = run.send(rate, PROBE_SECONDS)
    p99 = percentile(answers.latencies, 0.99)
    _console.print(f"  {rate:6.0f} requests/s: p99 {p99:6.1f} ms, {answers.failed} not acknowledged")
    return p99 < P99_MILLISECONDS and not answers.failed


def _figures(rate: float, answers: Answers) -> dict[str, object]:
    return {
        "rate": round(rate, 1),
        "sent_per_second": round((answers.accepted + answers.failed) / answers.seconds, 1),
        "accepted": answers.accepted,
        "not_acknowledged": dict(answers.statuses),
        **{
            f"{name}_ms": round(percentile(answers.latencies, share), 1)
            for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0))
        },
        "generator_cores": round(answers.cpu / answers.seconds, 3),
        "generator_late_p99_ms": round(percentile(answers.lateness, 0.99), 1),
    }


def faults(run: Run, account: Account, grown: dict[str, Growth | None], figures: dict[str, object]) -> list[str]:
    """What must not be, in words; empty when all is well."""
    found = []
    if account.lost:
        found.append(f"{account.lost} requests were lost" if account.lost > 0 else f"{-account.lost} are there twice")
    if account.waiting:
        found.append(f"{account.waiting} requests still wait")
    if account.rows != account.actions:
        found.append(f"{account.actions} actions were acknowledged, {account.rows} are in the log")
    if run.total.failed:
        found.append(f"{run.total.failed} requests were not acknowledged: {dict(run.total.statuses)}")
    if run.watch.replaced:
        found.append(f"processes were replaced: {', '.join(sorted(run.watch.replaced))}")
    if any(run.watch.archivers):
        found.append("an archiver failed")
    ours = {name: g for name, g in grown.items() if g is not None and name not in SERVERS}
    found += [f"{name} grew by {g.last - g.second:.0f} MiB" for name, g in ours.items() if g.grows]
    if figures["soak"] == "spike" and float(str(figures["p99_ms"])) >= P99_MILLISECONDS:
        found.append(f"p99 of the spike was {figures['p99_ms']} ms")
    return found


def show_memory(grown: dict[str, Growth | None]) -> None:
    """Print the memory of every process."""
    table = Table("process", "warmed up", "at the end", "most", "grows", title="Resident memory, MiB")
    for name, found in grown.items():
        if found is None:
            table.add_row(name, "too few samples")
        else:
            verdict = ("its settings bound it" if name in SERVERS else "yes") if found.grows else "no"
            table.add_row(name, f"{found.second:.0f}", f"{found.last:.0f}", f"{found.most:.0f}", verdict)
    _console.print(table)


def prepared() -> list[Prepared]:
    """The requests, as bytes."""
    return [prepare(request, is_action(request)) for request in traffic(REQUESTS, time.time(), random.Random(), True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=1800, help="how long (at most 4 hours)")
    parser.add_argument("--rate", type=float, default=0.0, help=f"steady requests a second; default {STEADY_RATE}")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="drain workers")
    parser.add_argument("--nice", type=int, default=0, help="start the workers with this niceness")
    parser.add_argument("--connections", type=int, default=100)
    parser.add_argument("--archive-seconds", type=float, default=30.0, help="how often an archiver runs")
    parser.add_argument("--spike", type=float, default=0.0, help="so many times the steady rate, instead of a soak")
    parser.add_argument("--spike-seconds", type=float, default=60.0)
    options = parser.parse_args()
    seconds = min(options.seconds, MOST_SECONDS)
    rate = min(options.rate, MOST_RATE / max(options.spike, 1.0))
    own = settings("footfall_bench_soak", 13, empty=True)
    database, redis = Database(own), Redis.from_url(own.redis_url)
    redis.flushdb()
    add_site(database)
    configure(database, mixed=True)
    logs = Path(tempfile.mkdtemp(prefix="footfall-soak-"))
    variables = environment(own) | {
        "METRICS_TOKEN": TOKEN,
        "TRUSTED_PROXIES": "127.0.0.1",
        "LOG_LEVEL": "WARNING",
        "SPOOL_DIRECTORY": str(logs / "spool"),
        "TODAY_ARCHIVE_SECONDS": "1",
    }
    with running(variables, logs, options.workers, options.nice) as stack:
        generator = LoadGenerator(stack.port, prepared(), options.connections)
        try:
            run = Run(stack, generator, options.archive_seconds)
            if options.spike:
                figures = spike(run, rate, options.spike, options.spike_seconds)
            else:
                figures = soak(run, rate or STEADY_RATE, seconds)
            run.watch.end()
            cores = run.watch.cores()
            metrics = stack.metrics()
        finally:
            generator.close()
    rows = int(database.query("SELECT COUNT(*) FROM log_link_visit_action")[0][0])
    account = Account.of(metrics, run.total.accepted, run.total.actions, rows)
    grown = {name: growth(samples) for name, samples in run.watch.memory.items()}
    redis.flushdb()
    wrong = faults(run, account, grown, figures)
    show_memory(grown)
    say(
        {
            **figures,
            "oldest_seconds_max": round(max(run.watch.oldest), 1),
            "waiting_max": round(max(run.watch.depth)),
            "account": {**asdict(account), "lost": account.lost},
            "archives": len(run.watch.archivers),
            "archiver_peak_mib": round(run.watch.archiver_peak),
            "cores": cores,
            "memory_mib": {name: [round(g.second), round(g.last), round(g.most)] for name, g in grown.items() if g},
            "wrong": wrong,
        }
    )
    for sentence in wrong:
        _console.print(sentence, style="red")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
