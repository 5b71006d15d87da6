"""What our database user may do, tried with statements that change nothing."""

import mysql.connector
from mysql.connector import errorcode

from footfall.health.finding import Check, Finding, Need, ok, problem
from footfall.health.installation import Installation

_DENIED = {
    errorcode.ER_TABLEACCESS_DENIED_ERROR,
    errorcode.ER_DBACCESS_DENIED_ERROR,
    errorcode.ER_SPECIFIC_ACCESS_DENIED_ERROR,
    errorcode.ER_COLUMNACCESS_DENIED_ERROR,
}
# Each changes nothing in tables that are there, and is refused like one that does.
_WORK = {
    "SELECT": "SELECT 1 FROM {table} LIMIT 0",
    "INSERT": "INSERT INTO {table} (number, name, ts_applied) SELECT 0, '', NOW() FROM {table} WHERE 1 = 0",
    "UPDATE": "UPDATE {table} SET number = number WHERE 1 = 0",
    "DELETE": "DELETE FROM {table} WHERE 1 = 0",
    "CREATE": "CREATE TABLE IF NOT EXISTS {table} (number int)",
}
_MIGRATE = {"ALTER": "ALTER TABLE {table}"}
_LOCK = "footfall_doctor"


def privileges(installation: Installation) -> list[Finding]:
    """Whether the user may do what workers, endpoints, archivers and migrations do."""
    denied = [name for name, statement in _WORK.items() if not _may(installation, statement)]
    if denied:
        return [
            problem(
                f"our database user may not {', '.join(denied)}",
                f"`GRANT {', '.join(_WORK)} ON {installation.database.name}.* TO …` (CREATE: archive tables).",
            )
        ]
    found = [ok(f"our database user may {', '.join(_WORK)}")]
    if not all(_may(installation, statement) for statement in _MIGRATE.values()):
        found.append(ok("it may not ALTER: `footfall migrate` needs a user who may"))
    return found


def locks(installation: Installation) -> Finding:
    """Whether advisory locks work: some proxies and clusters have none, or one for each server."""
    database = installation.database
    name = f"{_LOCK}/{database.name}/{database.prefix}"[:64]
    ((taken, mine),) = database.query("SELECT GET_LOCK(%s, 1), IS_USED_LOCK(%s) = CONNECTION_ID()", (name, name))
    database.query("SELECT RELEASE_LOCK(%s)", (name,))
    if taken is None or (taken == 1 and mine != 1):
        return problem(
            "GET_LOCK does not work on this connection: two archivers may work on the same site",
            "connect to the server itself, not through a proxy that shares connections.",
        )
    return ok("advisory locks (GET_LOCK) work")


def _may(installation: Installation, statement: str) -> bool:
    try:
        sql = statement.format(table=installation.database.table("footfall_migration"))
        if sql.startswith("SELECT"):
            installation.database.query(sql)
        else:
            installation.database.execute(sql)
    except mysql.connector.Error as error:
        if error.errno in _DENIED:
            return False
        raise
    return True


CHECKS = (
    Check("database.privileges", privileges, Need.TABLES),
    Check("database.locks", locks, Need.DATABASE),
)
