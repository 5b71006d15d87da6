"""`footfall site`: the sites whose traffic is recorded."""

import json
import re
from urllib.parse import urlsplit

import click
from rich.console import Console
from rich.table import Table

from footfall import migrations
from footfall.clock import SystemClock
from footfall.database import Database
from footfall.errors import InvalidInput
from footfall.settings import load
from footfall.timezones import site_zone


def _url(_context: click.Context, _parameter: click.Parameter, urls: tuple[str, ...]) -> tuple[str, ...]:
    for url in urls:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise click.BadParameter(f"{url!r} must begin with http:// or https:// and name a host.")
    return tuple(url.rstrip("/") for url in urls)


def _timezone(_context: click.Context, _parameter: click.Parameter, name: str) -> str:
    try:
        site_zone(name)
    except InvalidInput:
        raise click.BadParameter(f"{name!r} is no time zone; use a name such as UTC or Europe/Berlin.") from None
    return name


def _currency(_context: click.Context, _parameter: click.Parameter, code: str) -> str:
    if not re.fullmatch(r"[A-Z]{3}", code.upper()):
        raise click.BadParameter(f"{code!r} is no currency; use a code of three letters such as EUR.")
    return code.upper()


@click.group()
def site() -> None:
    """Create and list the sites whose traffic is recorded."""


@site.command()
@click.option("--name", required=True, help="What people call the site, up to 90 characters.")
@click.option("--url", "urls", required=True, multiple=True, callback=_url, help="Its address; again for an alias.")
@click.option("--timezone", default="UTC", show_default=True, callback=_timezone, help="Where its days begin and end.")
@click.option("--currency", default="USD", show_default=True, callback=_currency, help="Of its revenue.")
def create(name: str, urls: tuple[str, ...], timezone: str, currency: str) -> None:
    """Create a site and print its number (idsite), alone, on standard output.

    \b
    Example:
      footfall site create --name Shop --url https://shop.example.org --timezone Europe/Berlin --currency EUR
    """
    database = Database(load())
    migrations.check(database)
    now = SystemClock().now().replace(tzinfo=None, microsecond=0)
    with database.transaction():
        idsite = database.insert(
            f"INSERT INTO {database.table('site')} (name, main_url, ts_created, timezone, currency, type, "
            "sitesearch_keyword_parameters, sitesearch_category_parameters, excluded_ips, excluded_parameters, "
            "excluded_user_agents, excluded_referrers, `group`) "
            "VALUES (%s, %s, %s, %s, %s, 'website', '', '', '', '', '', '', '')",
            (name, urls[0], now, timezone, currency),
        )
        for alias in urls[1:]:
            database.execute(f"INSERT INTO {database.table('site_url')} (idsite, url) VALUES (%s, %s)", (idsite, alias))
    click.echo(idsite)


@site.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def show(as_json: bool) -> None:
    """List all sites."""
    database = Database(load())
    migrations.check(database)
    rows = database.query(
        f"SELECT idsite, name, main_url, timezone, currency FROM {database.table('site')} ORDER BY idsite"
    )
    columns = ("idsite", "name", "main_url", "timezone", "currency")
    if as_json:
        click.echo(json.dumps([dict(zip(columns, row, strict=True)) for row in rows], indent=2))
        return
    table = Table(*columns)
    for row in rows:
        table.add_row(*map(str, row))
    Console().print(table)
