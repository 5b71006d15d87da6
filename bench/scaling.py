"""Several worker processes beside one: rates, and who gets the CPU."""

import multiprocessing
import os
import random
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from support import ServerThread, cpu_seconds, machine_seconds, say, servers
from workload import push, traffic

from footfall.clock import SystemClock
from footfall.database import Database
from footfall.queue.shards import layout
from footfall.queue.stores import open_queue
from footfall.settings import Settings
from footfall.tracking.recorder import Recorder
from queue_workers.draining import drain
from queue_workers.tools import IMPATIENT, new_tools

ROUNDS = 3
WARM_UP = 8_000


@dataclass
class Spent:
    """What draining took with a number of workers, summed over its rounds; times in seconds.

    Args:
        cpu: of the workers, of the MariaDB threads that serve them, of Redis, and of all else on the machine: MariaDB's
            other threads, and whoever shares the machine with the measurement.
    """

    requests: int = 0
    wall: float = 0.0
    cpu: dict[str, float] = field(default_factory=lambda: dict.fromkeys(("worker", "mariadb", "redis", "others"), 0.0))


def compare(own: Settings, workers: int, count: int, mixed: bool) -> None:
    """Drain `count` requests by one worker and by several, in turn, and print both."""
    queue, dice = open_queue(own), random.Random()
    context = multiprocessing.get_context("fork")
    crew = []
    for _ in range(workers):
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(own, theirs), daemon=True)
        process.start()
        crew.append((process, ours))
    push(queue, list(traffic(WARM_UP, time.time(), dice, mixed)))
    _drain([pipe for _, pipe in crew])
    spent = {number: Spent() for number in (1, workers)}
    for number in [1, workers] * ROUNDS:
        requests = list(traffic(count // ROUNDS, time.time(), dice, mixed))
        push(queue, requests)
        store = [servers().redis]
        redis_before, machine_before = cpu_seconds(store), machine_seconds()
        started = time.perf_counter()
        worker, mariadb = _drain([pipe for _, pipe in crew[:number]])
        took = spent[number]
        took.wall += time.perf_counter() - started
        took.requests += len(requests)
        own_cpu = {"worker": worker, "mariadb": mariadb, "redis": cpu_seconds(store) - redis_before}
        own_cpu["others"] = machine_seconds() - machine_before - sum(own_cpu.values())
        for who, seconds in own_cpu.items():
            took.cpu[who] += seconds
    for process, pipe in crew:
        pipe.send(None)
        process.join()
    rates = {number: took.requests / took.wall for number, took in spent.items()}
    for number, took in spent.items():
        say(
            {
                "drain": f"{number} workers",
                "requests": took.requests,
                "requests_per_second": round(rates[number]),
                "times_one_worker": round(rates[number] / rates[1], 2),
                **{f"{who}_ms_per_1000": round(cpu / took.requests * 1e6, 1) for who, cpu in took.cpu.items()},
                **{f"{who}_cores": round(cpu / took.wall, 2) for who, cpu in took.cpu.items()},
                "cores": os.cpu_count(),
            }
        )


def _drain(crew: "list[Connection]") -> tuple[float, float]:
    """Have these workers drain everything; the CPU seconds that they and their MariaDB threads took."""
    for pipe in crew:
        pipe.send("drain")
    spent = [pipe.recv() for pipe in crew]
    return sum(worker for worker, _ in spent), sum(mariadb for _, mariadb in spent)


def _work(own: Settings, pipe: Connection) -> None:
    """A worker process: drains all shards whenever it is told to."""
    database, queue, clock = Database(own), open_queue(own), SystemClock()
    tools = new_tools(own, clock, database, queue, Recorder(database, own, clock), patience=IMPATIENT)
    shards = list(layout(own.queue_shards))
    random.shuffle(shards)  # so that workers do not ask for the same shard at once
    thread = ServerThread(database)
    while pipe.recv() is not None:
        started = time.process_time(), thread.cpu_ns()
        while waiting := {shard for shard, depth in queue.depths(shards).items() if depth}:
            if not sum([drain(tools, shard) for shard in shards if shard in waiting]):
                time.sleep(0.002)  # others have them in hand
        pipe.send((time.process_time() - started[0], (thread.cpu_ns() - started[1]) / 1e9))
