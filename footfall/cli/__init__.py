"""The `footfall` admin command: sets up the database, sites, goals and users, and looks whether all is well."""

from typing import Any

import click
import mysql.connector

from footfall import migrations
from footfall.cli.dimensions import dimension
from footfall.cli.doctor import doctor
from footfall.cli.goals import goal
from footfall.cli.languages import language
from footfall.cli.reset import reset
from footfall.cli.sites import site
from footfall.cli.tokens import token
from footfall.cli.users import user
from footfall.clock import SystemClock
from footfall.database import Database
from footfall.errors import FootfallError
from footfall.settings import load


class _Failed(click.ClickException):
    """Ends the command with status 1 and the message alone on standard error."""

    def show(self, file: Any = None) -> None:
        click.echo(self.message, err=True)


class _Commands(click.Group):
    """Shows errors that a person can do something about as a sentence, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except FootfallError as error:
            raise _Failed(str(error)) from error
        except mysql.connector.Error as error:
            raise _Failed(f"The database refused: {error}. `footfall doctor` looks for the cause.") from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="footfall")
def main() -> None:
    """Set up and look after Footfall.

    The servers are those of DATABASE_URL and REDIS_URL, from the environment or from the file .local/env that
    `make services` writes; docs/settings.md lists every setting.

    \b
    A new installation:
      footfall migrate
      footfall site create --name Shop --url https://shop.example.org
      footfall token create --login admin --superuser
      footfall doctor

    Exit status: 0 done, 1 failed (the reason is on standard error), 2 wrong arguments.
    """


@main.command()
def migrate() -> None:
    """Bring the database up to this version of Footfall.

    Creates what is missing and says what was applied. Tables that are there already keep their columns and rows, so
    this is safe on the database of a Matomo 5 (set TABLE_PREFIX to its prefix); the only columns added to its tables
    are generated ones. Run it once after every upgrade; running it again does nothing.
    """
    database = Database(load())
    applied = migrations.migrate(database, SystemClock())
    for migration in applied:
        click.echo(f"applied {migration.number:04d} {migration.name}")
    if not applied:
        click.echo("nothing to do: the database is up to date")


for _command in (site, goal, dimension, user, token, language, doctor, reset):
    main.add_command(_command)
