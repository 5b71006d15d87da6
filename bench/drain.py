"""How many requests per second ONE worker records: `python bench/drain.py [--requests N]`; or two beside one.

Realistic traffic (workload.py; `--traffic pages` is page views alone) on tables that hold a million rows already,
drained from Redis by the same code that the RQ job runs. Servers: those of `make services`; the database
footfall_bench_drain is kept for the next run. Prints requests/s and the CPU time per 1000 requests of the worker,
MariaDB and Redis. `--steps` adds the CPU time of each step, `--profile` the functions that the worker's time went into.
`--workers 2` compares two worker processes with one, in turn (scaling.py).
"""

import argparse
import cProfile
import pstats
import random
import time

from scaling import compare
from steps import CpuSteps
from support import cpu_seconds, say, servers, settings
from workload import configure, fill, is_action, push, traffic

from footfall.clock import SystemClock
from footfall.database import Database
from footfall.queue.request import TrackingRequest
from footfall.queue.stores import open_queue
from footfall.tracking.recorder import Recorder
from queue_workers.draining import drain
from queue_workers.tools import IMPATIENT, new_tools

WARM_UP = 4_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--requests", type=int, default=30_000)
    parser.add_argument("--traffic", choices=("mixed", "pages"), default="mixed")
    parser.add_argument("--steps", action="store_true", help="add the CPU time of each step")
    parser.add_argument("--profile", action="store_true", help="add the functions that the worker's time went into")
    parser.add_argument("--workers", type=int, default=1, help="compare so many worker processes with one")
    options = parser.parse_args()
    own = settings("footfall_bench_drain", 15)
    database, queue, clock = Database(own), open_queue(own), SystemClock()
    mixed = options.traffic == "mixed"
    fill(database)
    configure(database, mixed)
    queue.empty()
    if options.workers > 1:
        compare(own, options.workers, options.requests, mixed)
        return
    recorder = Recorder(database, own, clock)
    steps = recorder.steps = CpuSteps(database) if options.steps else recorder.steps
    tools = new_tools(own, clock, database, queue, recorder, patience=IMPATIENT)
    dice = random.Random()
    requests = list(traffic(WARM_UP + options.requests, time.time(), dice, mixed))

    def run(part: list[TrackingRequest]) -> None:
        waiting = push(queue, part)
        while waiting:
            waiting = [shard for shard in waiting if drain(tools, shard) or queue.depths([shard])[shard]]

    run(requests[:WARM_UP])
    measured = requests[WARM_UP:]
    before = database.query("SELECT COUNT(*) FROM log_link_visit_action")[0][0]
    shards = push(queue, measured)
    profile = cProfile.Profile()
    started, worker, private = time.perf_counter(), time.process_time(), servers()
    mariadb, store = cpu_seconds([private.mariadb]), cpu_seconds([private.redis])
    if isinstance(steps, CpuSteps):
        steps.restart()
    if options.profile:
        profile.enable()
    for shard in shards:
        while queue.depths([shard])[shard]:
            drain(tools, shard)
    profile.disable()
    seconds = time.perf_counter() - started
    count = options.requests
    recorded = database.query("SELECT COUNT(*) FROM log_link_visit_action")[0][0] - before
    actions = sum(map(is_action, measured))
    if recorded != actions:
        raise SystemExit(f"{actions} requests with an action were queued, but {recorded} actions recorded")
    say(
        {
            "drain": "one worker",
            "queue": own.queue_backend,
            "traffic": options.traffic,
            "requests": count,
            "requests_per_second": round(count / seconds),
            "worker_ms_per_1000": round((time.process_time() - worker) / count * 1e6, 1),
            "mariadb_ms_per_1000": round((cpu_seconds([private.mariadb]) - mariadb) / count * 1e6, 1),
            "redis_ms_per_1000": round((cpu_seconds([private.redis]) - store) / count * 1e6, 1),
        }
    )
    if isinstance(steps, CpuSteps):
        steps.show(count)
    if options.profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    main()
