"""What the tables must have, read from the statements of sql/ that make them."""

import re
from dataclasses import dataclass, field

from footfall import migrations

_CREATE = re.compile(r"CREATE TABLE IF NOT EXISTS `\{prefix\}(\w+)` \((.*?)\n\)", re.DOTALL)
_ADD_COLUMN = re.compile(r"ALTER TABLE `\{prefix\}(\w+)`.*?ADD COLUMN `(\w+)`")
_COLUMN = re.compile(r"\s*`(\w+)` ")
_KEY = re.compile(r"\s*(PRIMARY KEY|UNIQUE KEY|KEY)(?: `\w+`)? \((.*)\),?$")
_NAME = re.compile(r"`(\w+)`")


@dataclass
class NeededTable:
    """A table.

    Args:
        unique: the columns of each unique index, the primary key among them.
        indexes: those of the others.
    """

    columns: set[str] = field(default_factory=set)
    unique: set[tuple[str, ...]] = field(default_factory=set)
    indexes: set[tuple[str, ...]] = field(default_factory=set)


def needed_tables() -> dict[str, NeededTable]:
    """What all migrations make, by the table's name without prefix."""
    tables: dict[str, NeededTable] = {}
    for migration in migrations.available():
        text = migration.path.read_text(encoding="utf-8")
        for name, body in _CREATE.findall(text):
            _read(tables.setdefault(name, NeededTable()), body)
        for name, column in _ADD_COLUMN.findall(text):
            tables.setdefault(name, NeededTable()).columns.add(column)
    return tables


def _read(table: NeededTable, body: str) -> None:
    for line in body.splitlines():
        if key := _KEY.match(line):
            columns = tuple(_NAME.findall(key[2]))
            (table.indexes if key[1] == "KEY" else table.unique).add(columns)
        elif column := _COLUMN.match(line):
            table.columns.add(column[1])
