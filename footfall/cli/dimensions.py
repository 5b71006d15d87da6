"""`footfall dimension`: what a site records beside what is always recorded."""

from collections.abc import Sequence

import click

from footfall.cli.workbench import json_option, show, site_option, workbench
from footfall.entities.dimensions import EXTRACTED_FROM, SCOPES


@click.group()
def dimension() -> None:
    """Create and list a site's custom dimensions."""


def _extraction(text: str) -> dict[str, str]:
    source, equals, pattern = text.partition("=")
    if not equals or source not in EXTRACTED_FROM:
        raise click.BadParameter(f"{text!r} is not FROM=PATTERN, FROM being one of {', '.join(EXTRACTED_FROM)}.")
    return {"dimension": source, "pattern": pattern}


@dimension.command()
@site_option
@click.option("--name", required=True, help="What people call it, up to 100 characters.")
@click.option("--scope", type=click.Choice(list(SCOPES)), required=True, help="Whether visits or actions have it.")
@click.option("--inactive", is_flag=True, help="Do not record it yet.")
@click.option("--extract", multiple=True, metavar="FROM=PATTERN", help="Take it from the page; again for another try.")
@click.option("--ignore-case", is_flag=True, help="Do not tell A from a when taking it from the page.")
def create(idsite: int, name: str, scope: str, inactive: bool, extract: Sequence[str], ignore_case: bool) -> None:
    """Create a dimension and print its number (idcustomdimension), alone, on standard output.

    Clients send its value as dimension<number>=value. An action's can also be taken from the page: from its URL (url)
    or title (action_name) with a regular expression whose group is the value, or from one of the URL's parameters
    (urlparam).

    \b
    Examples:
      footfall dimension create --site 1 --name Plan --scope visit
      footfall dimension create --site 1 --name Section --scope action --extract 'url=section-([a-z]+)'
    """
    extractions = [_extraction(text) for text in extract]
    click.echo(workbench().dimensions.create(idsite, name, scope, not inactive, extractions, not ignore_case))


@dimension.command("list")
@site_option
@json_option
def list_dimensions(idsite: int, as_json: bool) -> None:
    """List a site's dimensions: number, name, scope, the index of their column, whether they are active.

    \b
    Example:
      footfall dimension list --site 1 --json
    """
    tools = workbench()
    tools.sites.find(idsite)
    columns = ("idcustomdimension", "name", "scope", "index", "active", "extractions")
    show(tools.dimensions.all(idsite), columns, as_json)
