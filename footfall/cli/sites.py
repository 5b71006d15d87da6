"""`footfall site`: the sites whose traffic is recorded."""

from collections.abc import Callable, Sequence
from typing import Any

import click

from footfall.cli.workbench import Checked, json_option, show, workbench
from footfall.entities import checks
from footfall.entities.sites import SiteSettings

_KEEP = {"as-all-sites": 0, "yes": 1, "no": 2}
_URL = Checked("URL", checks.url)
_IDSITE = click.argument("idsite", type=click.IntRange(1))

_SETTINGS = (
    click.option("--timezone", type=Checked("NAME", checks.timezone), help="Where its days begin and end."),
    click.option("--currency", type=Checked("CODE", checks.currency), help="Of its revenue."),
    click.option("--ecommerce/--no-ecommerce", default=None, help="Whether it is a shop."),
    click.option("--site-search/--no-site-search", "sitesearch", default=None, help="Whether searches are recognised."),
    click.option("--search-parameter", multiple=True, help="URL parameter of a search's keyword; again for another."),
    click.option("--category-parameter", multiple=True, help="URL parameter of a search's category."),
    click.option(
        "--exclude-ip",
        multiple=True,
        type=Checked("ADDRESS", checks.addresses),
        help="Address, network or 203.0.113.* whose requests are not recorded; again for another.",
    ),
    click.option("--exclude-parameter", multiple=True, help="URL parameter to drop, or /pattern/; again for another."),
    click.option("--exclude-user-agent", multiple=True, help="Part of a user agent that is not recorded."),
    click.option("--exclude-referrer", multiple=True, help="Host or URL that is not taken as a referrer."),
    click.option("--known-urls/--any-url", "exclude_unknown_urls", default=None, help="Whether only its URLs count."),
    click.option("--keep-fragment", type=click.Choice(list(_KEEP)), help="Whether the #part of its URLs is kept."),
    click.option("--group", help="What people sort it under."),
)
_LISTS = {
    "search_parameter": "sitesearch_keyword_parameters",
    "category_parameter": "sitesearch_category_parameters",
    "exclude_ip": "excluded_ips",
    "exclude_parameter": "excluded_parameters",
    "exclude_user_agent": "excluded_user_agents",
    "exclude_referrer": "excluded_referrers",
}


def _with_settings(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_SETTINGS):
        command = option(command)
    return command


def _settings(name: str | None, urls: Sequence[str], given: dict[str, Any]) -> SiteSettings:
    """The settings that the options name; an empty value of a list empties it."""
    values: dict[str, Any] = {"name": name, "urls": urls or None}
    for option, value in given.items():
        if option in _LISTS:
            values[_LISTS[option]] = ",".join(value) if value else None
        elif option == "keep_fragment":
            values["keep_url_fragment"] = _KEEP.get(value)
        else:
            values[option] = value
    return SiteSettings(**values)


@click.group()
def site() -> None:
    """Create, change, delete and list the sites whose traffic is recorded.

    Workers that run see a change with their next batch.
    """


@site.command()
@click.option("--name", required=True, help="What people call the site, up to 90 characters.")
@click.option("--url", "urls", required=True, multiple=True, type=_URL, help="Its address; again for an alias.")
@_with_settings
def create(name: str, urls: Sequence[str], **given: Any) -> None:
    """Create a site and print its number (idsite), alone, on standard output.

    Its time zone is UTC and its currency USD unless you say otherwise.

    \b
    Example:
      footfall site create --name Shop --url https://shop.example.org --timezone Europe/Berlin --currency EUR
    """
    click.echo(workbench().sites.create(_settings(name, urls, given)))


@site.command()
@_IDSITE
@click.option("--name", help="What people call the site, up to 90 characters.")
@click.option(
    "--url", "urls", multiple=True, type=_URL, help="Its address instead of all present ones; again for an alias."
)
@_with_settings
def update(idsite: int, name: str | None, urls: Sequence[str], **given: Any) -> None:
    """Change the site of this number: what an option names, and nothing else.

    A list (of addresses, parameters, …) replaces the present one; an empty value empties it.

    \b
    Examples:
      footfall site update 1 --ecommerce --currency EUR
      footfall site update 1 --exclude-ip 203.0.113.7 --exclude-ip 10.0.0.0/8
      footfall site update 1 --exclude-ip ""
    """
    settings = _settings(name, urls, given)
    if settings == SiteSettings():
        raise click.UsageError("Nothing to change: name at least one setting (footfall site update --help).")
    workbench().sites.update(idsite, settings)


@site.command()
@_IDSITE
@click.option("--yes", is_flag=True, help="Do it without asking.")
def delete(idsite: int, yes: bool) -> None:
    """Delete the site of this number, its goals, dimensions and users' access.

    What was recorded and archived for it stays in the database; new requests for it are refused. The only site there
    is cannot be deleted.

    \b
    Example:
      footfall site delete 3 --yes
    """
    sites = workbench().sites
    found = sites.find(idsite)
    if not yes:
        click.confirm(f"Delete site {idsite}, {found['name']} ({found['main_url']})?", abort=True)
    sites.delete(idsite)


@site.command("list")
@json_option
def list_sites(as_json: bool) -> None:
    """List all sites: number, name, address, time zone, currency.

    With --json, everything that is set of each, for programs; an example: footfall site list --json | jq '.[].name'
    """
    show(workbench().sites.all(), ("idsite", "name", "main_url", "timezone", "currency"), as_json)
