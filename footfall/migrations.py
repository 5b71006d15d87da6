"""Applies the numbered files of sql/ once each, in order, and remembers which were applied.

A file is a sequence of statements, each ending in a semicolon at the end of a line; `{prefix}` stands for the table
prefix. Every statement leaves alone what is there already, so that an existing Matomo 5 database only gains what is
ours, and so that a migration that was interrupted can be run again.

A migration adds and takes nothing away, so that processes of the version before go on beside those of the new one. One
that cannot be like that is called `NNNN_name.breaking.sql`: the former version then refuses to start. It comes a
version later than the code that can do without what it takes away.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import mysql.connector
from mysql.connector import errorcode

from footfall.clock import Clock
from footfall.database import Database
from footfall.errors import FootfallError

SQL_DIRECTORY = Path(__file__).resolve().parent.parent / "sql"
_LOCK_SECONDS = 60
_BREAKING = ".breaking"  # how the name of a migration ends that the version before cannot work with


@dataclass(frozen=True)
class Migration:
    """One numbered file: `0003_archive.sql` has number 3 and name `archive`."""

    number: int
    name: str
    path: Path

    def statements(self, prefix: str) -> Iterator[str]:
        """Its statements, with the table prefix filled in."""
        lines: list[str] = []
        for line in self.path.read_text(encoding="utf-8").splitlines():
            if line.startswith("--") or not line.strip():
                continue
            lines.append(line.replace("{prefix}", prefix))
            if line.endswith(";"):
                yield "\n".join(lines)
                lines = []


def available(directory: Path = SQL_DIRECTORY) -> list[Migration]:
    """The migrations that this version of Footfall brings, in order."""
    return [
        Migration(int(path.name[:4]), path.stem[5:], path)
        for path in sorted(directory.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    ]


def applied(database: Database) -> dict[int, str]:
    """The names of the migrations that the database has, by number; empty for a database that never had one."""
    try:
        rows = database.query(f"SELECT number, name FROM {database.table('footfall_migration')} ORDER BY number")
    except mysql.connector.Error as error:
        if error.errno == errorcode.ER_NO_SUCH_TABLE:
            return {}
        raise
    return {int(number): str(name) for number, name in rows}


def check(database: Database) -> None:
    """Raise FootfallError unless this version of Footfall can work with the database.

    It must have all migrations of this version. It may have later ones, of a newer version that runs beside this one,
    as long as none of them is breaking.
    """
    present, known = applied(database), [m.number for m in available()]
    _refuse_newer(present, known)
    if missing := sorted(set(known) - set(present)):
        raise FootfallError(
            f"The database lacks migration {missing[0]:04d} of this version of Footfall: run `footfall migrate`."
        )


def _refuse_newer(present: Mapping[int, str], known: list[int]) -> None:
    breaking = [number for number in present if number not in known and present[number].endswith(_BREAKING)]
    if breaking:
        raise FootfallError(
            f"The database has migration {breaking[-1]:04d}, which this version of Footfall cannot work with: "
            "upgrade Footfall, or use a database of this version."
        )


def migrate(database: Database, clock: Clock) -> list[Migration]:
    """Apply what is missing; the migrations that were applied.

    Two processes that migrate at once wait for each other.

    Raises:
        FootfallError: the database has a breaking migration of a newer version, or another migration holds the lock
            for too long.
    """
    lock = f"footfall_migrate_{database.name}_{database.prefix}"[:64]
    if database.query("SELECT GET_LOCK(%s, %s)", (lock, _LOCK_SECONDS)) != [(1,)]:
        raise FootfallError("Another `footfall migrate` is running on this database: wait for it, then try again.")
    try:
        database.execute(
            f"CREATE TABLE IF NOT EXISTS {database.table('footfall_migration')} ("
            "`number` int(10) unsigned NOT NULL, `name` varchar(100) NOT NULL, `ts_applied` datetime NOT NULL, "
            "PRIMARY KEY (`number`)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"
        )
        present = applied(database)
        _refuse_newer(present, [m.number for m in available()])
        missing = [m for m in available() if m.number not in present]
        for migration in missing:
            for statement in migration.statements(database.prefix):
                database.execute(statement)
            database.execute(
                f"INSERT INTO {database.table('footfall_migration')} (number, name, ts_applied) VALUES (%s, %s, %s)",
                (migration.number, migration.name, clock.now().replace(tzinfo=None)),
            )
        return missing
    finally:
        database.query("SELECT RELEASE_LOCK(%s)", (lock,))
