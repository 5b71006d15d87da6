"""`footfall user`: who may see and manage what."""

import sys
from collections.abc import Sequence

import click

from footfall.cli.workbench import json_option, login_option, show, workbench
from footfall.entities.users import LEVELS, NO_ACCESS


@click.group()
def user() -> None:
    """Create, list and delete users, and give them access to sites."""


@user.command()
@login_option
@click.option("--email", required=True, help="The user's email address; no other user may have it.")
@click.option("--no-password", is_flag=True, help="The user will only ever use tokens.")
def create(login: str, email: str, no_password: bool) -> None:
    """Create a user, who has access to nothing yet.

    The password is asked for, or read from standard input when that is no terminal.

    \b
    Examples:
      footfall user create --login anna --email anna@example.org
      footfall user create --login robot --email robot@example.org --no-password
    """
    workbench().users.create(login, None if no_password else _password(), email)


def _password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().rstrip("\n")


@user.command("list")
@json_option
def list_users(as_json: bool) -> None:
    """List all users: login, email, whether they are superusers, and their access to sites.

    \b
    Example:
      footfall user list --json
    """
    users = workbench().users
    found = [{**user, "access": users.access_of(user["login"])} for user in users.all()]
    show(found, ("login", "email", "superuser_access", "access"), as_json)


@user.command()
@login_option
@click.option("--level", type=click.Choice([*LEVELS, NO_ACCESS]), help="The access to the sites.")
@click.option("--site", "idsites", type=click.IntRange(1), multiple=True, help="A site's number; again for another.")
@click.option("--all-sites", is_flag=True, help="All sites there are now.")
@click.option("--superuser/--no-superuser", default=None, help="Give or take access to everything.")
def access(login: str, level: str | None, idsites: Sequence[int], all_sites: bool, superuser: bool | None) -> None:
    """Give a user access to sites, instead of the access to them so far.

    view sees reports; write also sets up goals and dimensions; admin also manages the site and its users' access. A
    superuser may do everything.

    \b
    Examples:
      footfall user access --login anna --level write --site 1 --site 3
      footfall user access --login anna --level noaccess --all-sites
      footfall user access --login anna --superuser
    """
    if (level is None) == (superuser is None):
        raise click.UsageError("Give either --level, or --superuser or --no-superuser.")
    if level is not None and bool(idsites) == all_sites:
        raise click.UsageError("Name the sites: --site with each number, or --all-sites.")
    tools = workbench()
    if superuser is not None:
        tools.users.set_superuser(login, superuser)
    elif level is not None:
        tools.users.set_access(login, level, tools.sites.ids() if all_sites else idsites)


@user.command()
@login_option
@click.option("--yes", is_flag=True, help="Do it without asking.")
def delete(login: str, yes: bool) -> None:
    """Delete a user with tokens and access. The only superuser cannot be deleted.

    \b
    Example:
      footfall user delete --login anna --yes
    """
    users = workbench().users
    found = users.find(login)
    if not yes:
        click.confirm(f"Delete user {login} ({found['email']})?", abort=True)
    users.delete(login)
