"""`footfall token`: who may ask for reports."""

from datetime import datetime

import click

from footfall.cli.workbench import workbench


@click.group()
def token() -> None:
    """Make the tokens that the API asks for (token_auth)."""


@token.command()
@click.option("--login", required=True, help="Whose token it is; the user is created when missing.")
@click.option("--superuser", is_flag=True, help="Also give the user access to every site.")
@click.option("--description", default="made by footfall token create", help="What the token is for.")
@click.option("--expires", type=click.DateTime(["%Y-%m-%d"]), help="The day from which it works no more, UTC.")
def create(login: str, superuser: bool, description: str, expires: datetime | None) -> None:
    """Make a token and print it, alone, on standard output.

    It cannot be shown again: the database holds only its hash, made with SECRET_KEY as Matomo makes it with its salt.

    \b
    Example:
      TOKEN=$(footfall token create --login admin --superuser)
      curl -d "module=API&method=VisitsSummary.get&idSite=1&period=day&date=today&format=JSON&token_auth=$TOKEN" \\
           http://127.0.0.1:8000/index.php
    """
    tools = workbench()
    token = tools.tokens.create_token(login, description, superuser, expires)
    tools.changes.announce()
    click.echo(token)
