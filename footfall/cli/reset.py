"""`footfall reset`: empties the database, the queue and the spool."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import click

from footfall import migrations
from footfall.clock import SystemClock
from footfall.database import Database
from footfall.errors import FootfallError
from footfall.queue.spool import Spool
from footfall.queue.stores import open_queue
from footfall.settings import load

_TABLE = re.compile(r"CREATE TABLE IF NOT EXISTS `\{prefix\}(\w+)`")
_ARCHIVE = re.compile(r"archive_(numeric|blob)_\d{4}_\d{2}")
_MATOMO_ONLY = "plugin_setting"  # a table of every Matomo 5 that Footfall has no use for


@click.command()
@click.option("--yes", is_flag=True, help="Do it without asking.")
def reset(yes: bool) -> None:
    """Empty the database, the queue and this machine's spool: sites, users, visits, archives, waiting requests.

    Only tables that Footfall made are emptied, and of Redis only keys that begin with `footfall:`. The
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
    Spool(settings.spool_directory, settings.spool_bytes, settings.spool_fsync).clear()
    open_queue(settings).empty()
    empty_database(database)
    click.echo("database, queue and spool are empty", err=True)


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
