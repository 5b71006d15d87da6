"""What the commands that set something up share: the entities, values checked as arguments, tables."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from footfall import migrations
from footfall.changes import Changes
from footfall.clock import SystemClock
from footfall.database import Database
from footfall.entities.dimensions import DimensionRepository
from footfall.entities.goals import GoalRepository
from footfall.entities.languages import LanguageRepository
from footfall.entities.sites import SiteRepository
from footfall.entities.users import UserRepository
from footfall.errors import InvalidInput
from footfall.queue.stores import open_queue
from footfall.settings import load
from footfall.users import Users


@dataclass(frozen=True)
class Workbench:
    """The entities of the installation, and its tokens."""

    sites: SiteRepository
    goals: GoalRepository
    dimensions: DimensionRepository
    users: UserRepository
    languages: LanguageRepository
    tokens: Users
    changes: Changes


def workbench() -> Workbench:
    """The workbench for the settings of the environment.

    Raises:
        FootfallError: the database cannot be reached, or is not of this version.
    """
    settings, clock = load(), SystemClock()
    database, changes = Database(settings), Changes(open_queue(settings).board)
    migrations.check(database)
    users = UserRepository(database, clock, changes)
    return Workbench(
        sites=SiteRepository(database, clock, changes),
        goals=GoalRepository(database, changes),
        dimensions=DimensionRepository(database, changes),
        users=users,
        languages=LanguageRepository(database, users),
        tokens=Users(database, settings, clock),
        changes=changes,
    )


class Checked(click.ParamType):
    """An argument's value that an entity's check has to accept; otherwise the command ends with status 2.

    Args:
        name: what `--help` shows for the value.
        check: one of footfall/entities/checks.py.
    """

    def __init__(self, name: str, check: Callable[[str], Any]) -> None:
        self.name = name
        self._check = check

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return self._check(value)
        except InvalidInput as error:
            self.fail(str(error), param, ctx)


site_option = click.option("--site", "idsite", type=click.IntRange(1), required=True, help="The site's number.")
login_option = click.option("--login", required=True, help="The user's login.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


def show(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], as_json: bool) -> None:
    """Print these columns of the rows as a table, or everything as JSON."""
    rows = list(rows)
    if as_json:
        click.echo(json.dumps(rows, indent=2, default=_text))
        return
    table = Table(*columns)
    for row in rows:
        table.add_row(*(_text(row[column]) for column in columns))
    Console().print(table)


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return "" if value is None else str(value)
