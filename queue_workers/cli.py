"""The `queue_workers` command: drains the request queue into the log tables, and shows how it stands."""

import json
import os
import sys
import time

import click
from rich.console import Console
from rich.live import Live

from footfall import log
from footfall.clock import SystemClock
from footfall.command_line import CONTEXT, Commands, keep_journal
from footfall.database import Database
from footfall.migrations import check
from footfall.queue.layouts import all_shards
from footfall.queue.stores import open_queue
from footfall.settings import load
from queue_workers.dead_cli import dead


@click.group(cls=Commands, context_settings=CONTEXT)
@click.version_option(package_name="footfall")
def main() -> None:
    """Record the tracking requests that wait in the queue.

    The endpoint puts each request into one of QUEUE_SHARDS parts of the queue, by visitor. Workers take batches from
    these and write them to the log tables, each request exactly once, also when a worker is killed in between.

    \b
    Keep workers running, and look at them:
      queue_workers run
      queue_workers status --watch

    \b
    Without workers, for a test or before an upgrade:
      queue_workers drain

    \b
    What could not be recorded, and why; once the cause is removed, have it recorded:
      queue_workers dead
      queue_workers dead replay --all

    The servers are those of DATABASE_URL and REDIS_URL, from the environment or from the file .local/env.

    Exit status: 0 done, 1 failed (the reason is on standard error), 2 wrong arguments.
    """


@main.command()
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Worker processes. Default: the setting WORKERS, or one per processor.",
)
def run(workers: int | None) -> None:
    """Run the workers and the sweep, in the foreground.

    Each worker is a process that drains one shard at a time. One that dies is replaced, and its shard goes to another
    one at once. The sweep looks every QUEUE_SWEEP_SECONDS for shards that nobody drains. Any number of machines can
    run this side by side.

    SIGTERM or Ctrl+C finishes the batches in hand and ends within 10 seconds; what is left stays in the queue.

    \b
    Examples:
      queue_workers run
      queue_workers run --workers 4
    """
    # Here, so that the other commands do not wait for what only recording needs.
    from queue_workers.pool import Pool

    settings = load()
    log.configure(settings.log_level, settings.log_format)
    Pool(settings, workers or settings.workers or os.cpu_count() or 1).run()


@main.command()
@click.option("--watch", is_flag=True, help="Show it again every second, until Ctrl+C.")
@click.option("--json", "as_json", is_flag=True, help="As JSON; with --watch, one line per second.")
def status(watch: bool, as_json: bool) -> None:
    """Show depth and age of every shard, the rate, and the workers.

    The rate is measured over one second. `pending` requests are accepted and not yet in the database.

    \b
    Examples:
      queue_workers status
      queue_workers status --watch
      queue_workers status --json | jq .pending
    """
    from queue_workers.status import StatusReader, render

    settings = load()
    reader = StatusReader(open_queue(settings), Database(settings), SystemClock(), settings)
    reader.read()
    time.sleep(1)
    if not watch:
        now = reader.read()
        click.echo(json.dumps(now.document(), indent=2)) if as_json else Console().print(render(now))
        return
    try:
        if as_json:
            while True:
                click.echo(json.dumps(reader.read().document()))
                sys.stdout.flush()
                time.sleep(1)
        with Live(render(reader.read()), screen=sys.stdout.isatty(), auto_refresh=False) as live:
            while True:
                time.sleep(1)
                live.update(render(reader.read()), refresh=True)
    except KeyboardInterrupt:
        return


@main.command()
def drain() -> None:
    """Record everything that waits, here and now, and end when the queue is empty.

    Works beside running workers: a shard that one of them drains is waited for.

    \b
    Example:
      queue_workers drain
    """
    from footfall.tracking.recorder import Recorder
    from queue_workers.draining import drain as drain_shard
    from queue_workers.tools import IMPATIENT, new_tools

    settings, clock = load(), SystemClock()
    log.configure(settings.log_level, settings.log_format)
    keep_journal(settings)
    database, queue = Database(settings), open_queue(settings)
    check(database)
    recorder = Recorder(database, settings, clock)
    tools = new_tools(settings, clock, database, queue, recorder, patience=IMPATIENT)
    drained, started = 0, clock.monotonic()
    while True:
        waiting = [shard for shard, depth in queue.depths(all_shards(queue)).items() if depth]
        if not waiting:
            break
        news = sum(drain_shard(tools, shard) for shard in waiting)
        drained += news
        if not news:
            time.sleep(0.1)
    click.echo(f"{drained} requests drained in {clock.monotonic() - started:.1f} s, the queue is empty")


main.add_command(dead)
