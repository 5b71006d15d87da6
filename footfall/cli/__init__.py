"""The `footfall` admin command: sets up the database, sites, goals and users, and looks whether all is well."""

import click

from footfall import migrations
from footfall.cli.dimensions import dimension
from footfall.cli.doctor import doctor
from footfall.cli.exporting import export
from footfall.cli.goals import goal
from footfall.cli.importing import import_logs
from footfall.cli.languages import language
from footfall.cli.profile import profile
from footfall.cli.replaying import replay
from footfall.cli.reset import reset
from footfall.cli.sites import site
from footfall.cli.tokens import token
from footfall.cli.users import user
from footfall.clock import SystemClock
from footfall.command_line import CONTEXT, Commands
from footfall.database import Database
from footfall.settings import load


@click.group(cls=Commands, context_settings=CONTEXT)
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


for _command in (site, goal, dimension, user, token, language, doctor, profile, reset, import_logs, export, replay):
    main.add_command(_command)
