"""`footfall token`: who may ask for reports."""

import click

from footfall import migrations
from footfall.clock import SystemClock
from footfall.database import Database
from footfall.settings import load
from footfall.users import Users


@click.group()
def token() -> None:
    """Make the tokens that the Reporting API asks for (token_auth)."""


@token.command()
@click.option("--login", required=True, help="Whose token it is; the user is created when missing.")
@click.option("--superuser", is_flag=True, help="Also give the user access to every site.")
@click.option("--description", default="made by footfall token create", help="What the token is for.")
def create(login: str, superuser: bool, description: str) -> None:
    """Make a token and print it, alone, on standard output.

    It cannot be shown again: the database holds only its hash, made with SECRET_KEY as Matomo makes it with its salt.

    \b
    Example:
      TOKEN=$(footfall token create --login admin --superuser)
      curl -d "module=API&method=VisitsSummary.get&idSite=1&period=day&date=today&format=JSON&token_auth=$TOKEN" \\
           http://127.0.0.1:8000/index.php
    """
    settings = load()
    database = Database(settings)
    migrations.check(database)
    click.echo(Users(database, settings, SystemClock()).create_token(login, description, superuser))
