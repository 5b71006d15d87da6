"""Whether the tables are there and as they must be."""

import re
from collections import defaultdict
from collections.abc import Iterable

from footfall import migrations
from footfall.health.finding import Check, Finding, Need, ok, problem, warning
from footfall.health.installation import Installation
from footfall.health.needed import needed_tables

_FULL_SHARE, _NEARLY_FULL_SHARE = 0.98, 0.8
_LARGEST = {"tinyint": 2**8, "smallint": 2**16, "mediumint": 2**24, "int": 2**32, "bigint": 2**64}
_SHOWN = 5
_MIGRATE = "run `footfall migrate`; where that changes nothing, add it by hand as sql/ has it."


def applied(installation: Installation) -> Finding:
    """Whether the migrations of this version are applied."""
    migrations.check(installation.database)
    newer = sorted(set(migrations.applied(installation.database)) - {one.number for one in migrations.available()})
    text = f"all {len(migrations.available())} migrations of this version are applied"
    return ok(text + (f", and {len(newer)} of a newer one" if newer else ""))


def complete(installation: Installation) -> list[Finding]:
    """Whether tables, columns and indexes that we need are missing."""
    columns, indexes = _columns(installation), _indexes(installation)
    lost, slow = [], []
    for name, needed in sorted(needed_tables().items()):
        if name not in columns:
            lost.append(f"table {name}")
            continue
        lost += [f"column {name}.{column}" for column in sorted(needed.columns - columns[name])]
        unique = [found for found, is_unique in indexes[name] if is_unique]
        lost += [f"unique index {name} ({', '.join(key)})" for key in sorted(needed.unique) if key not in unique]
        every = [found for found, _ in indexes[name]]
        slow += [
            f"index {name} ({', '.join(key)})"
            for key in sorted(needed.indexes)
            if not any(found[: len(key)] == key for found in every)
        ]
    found = []
    if lost:
        found.append(problem(f"missing in the database: {_listed(lost)}", _MIGRATE))
    if slow:
        found.append(warning(f"missing in the database: {_listed(slow)}: some statements are slow", _MIGRATE))
    return found or [ok("no table, column or index is missing")]


def engines(installation: Installation) -> Finding:
    """Whether all tables take part in transactions."""
    rows = installation.database.query(
        "SELECT table_name, engine FROM information_schema.tables "
        "WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' AND engine <> 'InnoDB'"
    )
    wrong = [f"{name} ({engine})" for name, engine in _ours(installation, rows)]
    if wrong:
        return problem(
            f"tables without transactions: {_listed(wrong)}: after a crash requests are missing or counted twice",
            "`ALTER TABLE … ENGINE=InnoDB`.",
        )
    return ok("all tables are InnoDB")


def characters(installation: Installation) -> Finding:
    """Whether texts take any character."""
    rows = installation.database.query(
        "SELECT table_name, column_name, character_set_name FROM information_schema.columns "
        "WHERE table_schema = DATABASE() AND character_set_name NOT IN ('utf8mb4', 'ascii', 'binary')"
    )
    wrong = [f"{name}.{column} ({charset})" for name, column, charset in _ours(installation, rows)]
    if wrong:
        return problem(
            f"columns that take not every character: {_listed(wrong)}: a request with an emoji becomes a dead letter",
            "`ALTER TABLE … CONVERT TO CHARACTER SET utf8mb4`.",
        )
    return ok("all texts are utf8mb4")


def numbers(installation: Installation) -> list[Finding]:
    """Whether the ids of a table are about to run out."""
    rows = installation.database.query(
        "SELECT t.table_name, c.column_type, t.auto_increment FROM information_schema.tables t "
        "JOIN information_schema.columns c ON c.table_schema = t.table_schema AND c.table_name = t.table_name "
        "WHERE t.table_schema = DATABASE() AND t.auto_increment IS NOT NULL AND c.extra LIKE '%auto_increment%'"
    )
    found = []
    for name, kind, following in _ours(installation, rows):
        used = int(following) / _largest(str(kind))
        if used >= _NEARLY_FULL_SHARE:
            finding = problem if used >= _FULL_SHARE else warning
            found.append(finding(f"{used:.0%} of the ids of {name} are used ({kind})", "make its column a bigint."))
    return found or [ok("no table runs out of ids")]


def _largest(kind: str) -> int:
    base = re.split(r"[ (]", kind, maxsplit=1)[0]
    return _LARGEST.get(base, 2**64) // (1 if "unsigned" in kind else 2)


def _ours(installation: Installation, rows: Iterable[tuple[object, ...]]) -> list[tuple[str, ...]]:
    """The rows about tables that we need, without prefix."""
    prefix, needed = installation.database.prefix, needed_tables()
    found = [(str(name), *map(str, rest)) for name, *rest in rows]
    return sorted(
        (name[len(prefix) :], *rest)
        for name, *rest in found
        if name.startswith(prefix) and name[len(prefix) :] in needed
    )


def _columns(installation: Installation) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    rows = installation.database.query(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = DATABASE()"
    )
    for name, column in _ours(installation, rows):
        found[name].add(column)
    return found


def _indexes(installation: Installation) -> dict[str, list[tuple[tuple[str, ...], bool]]]:
    """The columns of each index and whether it is unique, by table."""
    rows = installation.database.query(
        "SELECT table_name, index_name, LPAD(seq_in_index, 3, '0'), column_name, non_unique "
        "FROM information_schema.statistics WHERE table_schema = DATABASE()"
    )
    parts: dict[tuple[str, str], list[str]] = defaultdict(list)
    unique: dict[tuple[str, str], bool] = {}
    for name, index, _, column, is_other in _ours(installation, rows):
        parts[name, index].append(column)
        unique[name, index] = is_other == "0"
    found: dict[str, list[tuple[tuple[str, ...], bool]]] = defaultdict(list)
    for (name, index), columns in parts.items():
        found[name].append((tuple(columns), unique[name, index]))
    return found


def _listed(names: list[str]) -> str:
    rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + rest


CHECKS = (
    Check("schema.migrations", applied, Need.DATABASE, gives=Need.TABLES),
    Check("schema.complete", complete, Need.TABLES),
    Check("schema.engines", engines, Need.TABLES),
    Check("schema.characters", characters, Need.TABLES),
    Check("schema.ids", numbers, Need.TABLES),
)
