"""`footfall reset`: empties the database and the queue."""

import re
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import click
from redis import Redis
from rq import Queue, Worker
from rq.command import send_shutdown_command

from footfall import migrations
from footfall.clock import SystemClock
from footfall.database import Database
from footfall.errors import FootfallError
from footfall.queue import keys
from footfall.queue.connection import connect, explained
from footfall.queue.lanes import LANES
from footfall.settings import Settings, load

_TABLE = re.compile(r"CREATE TABLE IF NOT EXISTS `\{prefix\}(\w+)`")
_ARCHIVE = re.compile(r"archive_(numeric|blob)_\d{4}_\d{2}")
_STOP_SECONDS = 10.0  # a worker that was killed stays listed for a minute: it is not waited for longer
_MATOMO_ONLY = "plugin_setting"  # a table of every Matomo 5 that Footfall has no use for


@click.command()
@click.option("--yes", is_flag=True, help="Do it without asking.")
def reset(yes: bool) -> None:
    """Empty the database and the queue: sites, users, visits, archives, waiting requests; everything.

    Only tables that Footfall made are emptied, and only Redis keys that begin with `footfall:` are deleted. The
    database of a Matomo is refused. Meant for development and tests (`make reset`).
    """
    settings = load()
    database = Database(settings)
    if database.query(
        "SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = %s",
        (settings.table_prefix + _MATOMO_ONLY,),
    ):
        raise FootfallError(f"The database {database.name!r} is that of a Matomo: it is not emptied.")
    parts = urlsplit(settings.database_url)
    if not yes:
        click.confirm(f"Empty the database {database.name!r} at {parts.hostname or 'a local socket'}?", abort=True)
    empty_queue(connect(settings.redis_url), settings)
    empty_database(database)
    click.echo("database and queue are empty", err=True)


def empty_queue(redis: Redis, settings: Settings) -> None:
    """Forget all waiting requests and what is known about them.

    First the waiting requests go. Then the running workers are told to end, as they keep ids of rows in mind that are
    about to vanish; their pool replaces them. Once the last has finished the batch in its hands, the rest goes.
    """
    with explained(settings.redis_url):
        jobs = Queue(keys.drain_queue(), connection=redis)
        for lane in LANES:
            Queue(keys.drain_queue(lane), connection=redis).empty()
        _delete(redis, keys.requests("*"))
        workers = {worker.name for worker in Worker.all(queue=jobs)}
        for name in workers:
            send_shutdown_command(redis, name)
        end = time.monotonic() + _STOP_SECONDS
        while workers & {worker.name for worker in Worker.all(queue=jobs)} and time.monotonic() < end:
            time.sleep(0.05)
        _delete(redis, f"{keys.PREFIX}*")


def _delete(redis: Redis, pattern: str) -> None:
    for key in redis.scan_iter(pattern, count=1000):
        redis.delete(key)


def empty_database(database: Database) -> None:
    """Leave the database as it is right after `footfall migrate`."""
    migrations.migrate(database, SystemClock())
    rows = database.query(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'"
    )
    present = {str(name) for (name,) in rows}
    for name in _own_tables():
        if database.prefix + name in present:
            database.execute(f"TRUNCATE TABLE {database.table(name)}")
    for full in present:
        name = full.removeprefix(database.prefix)
        if full.startswith(database.prefix) and _ARCHIVE.fullmatch(name):
            database.execute(f"DROP TABLE {database.table(name)}")


def _own_tables() -> Iterator[str]:
    """The tables that migrations make, but for the one that remembers them, without the prefix."""
    for migration in migrations.available():
        yield from _TABLE.findall(migration.path.read_text(encoding="utf-8"))
