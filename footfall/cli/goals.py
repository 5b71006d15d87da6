"""`footfall goal`: what a site wants its visitors to do."""

import click

from footfall.cli.workbench import json_option, show, site_option, workbench
from footfall.entities.goals import ATTRIBUTES, GREATER_THAN, TEXT_PATTERNS, GoalSettings
from footfall.goals import VISIT_ATTRIBUTES


@click.group()
def goal() -> None:
    """Create, delete and list a site's goals: what counts as a conversion."""


@goal.command()
@site_option
@click.option("--name", required=True, help="What people call it, up to 50 characters.")
@click.option("--match", "attribute", type=click.Choice(ATTRIBUTES), required=True, help="What converts it.")
@click.option("--pattern", default="", help="What that is compared with.")
@click.option(
    "--how", type=click.Choice(TEXT_PATTERNS), default="contains", show_default=True, help="How it is compared."
)
@click.option("--case-sensitive", is_flag=True, help="Tell A from a.")
@click.option("--many", is_flag=True, help="Count every conversion of a visit, not only the first.")
@click.option("--revenue", type=float, default=0.0, help="Of each conversion, in the site's currency.")
@click.option("--event-value-as-revenue", is_flag=True, help="The revenue is the value of the event.")
@click.option("--description", default="", help="Up to 255 characters.")
def create(
    idsite: int,
    name: str,
    attribute: str,
    pattern: str,
    how: str,
    case_sensitive: bool,
    many: bool,
    revenue: float,
    event_value_as_revenue: bool,
    description: str,
) -> None:
    """Create a goal and print its number (idgoal), alone, on standard output.

    It converts when the page URL, the title, a download, an outlink or an event matches the pattern; when a visit lasts
    longer than so many minutes (visit_duration) or has more than so many actions or page views; or, manually,
    when the client says so.

    \b
    Examples:
      footfall goal create --site 1 --name Thanks --match url --pattern /thanks --revenue 10
      footfall goal create --site 1 --name Long --match visit_duration --pattern 10
      footfall goal create --site 1 --name Called --match manually --many
    """
    settings = GoalSettings(
        name=name,
        match_attribute=attribute,
        pattern=pattern,
        pattern_type=GREATER_THAN if attribute in VISIT_ATTRIBUTES else how,
        case_sensitive=case_sensitive,
        revenue=revenue,
        allow_multiple=many,
        description=description,
        event_value_as_revenue=event_value_as_revenue,
    )
    click.echo(workbench().goals.create(idsite, settings))


@goal.command()
@site_option
@click.option("--goal", "idgoal", type=click.IntRange(1), required=True, help="The goal's number.")
def delete(idsite: int, idgoal: int) -> None:
    """Delete a goal: it converts no more. Its conversions and archives stay, its number is not used again.

    \b
    Example:
      footfall goal delete --site 1 --goal 3
    """
    workbench().goals.delete(idsite, idgoal)


@goal.command("list")
@site_option
@json_option
def list_goals(idsite: int, as_json: bool) -> None:
    """List a site's goals: number, name, what converts them, revenue. With --json, everything that is set of each.

    \b
    Example:
      footfall goal list --site 1
    """
    tools = workbench()
    tools.sites.find(idsite)
    columns = ("idgoal", "name", "match_attribute", "pattern_type", "pattern", "revenue")
    show(tools.goals.all(idsite), columns, as_json)
