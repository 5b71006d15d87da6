"""`footfall doctor`: looks at everything Footfall stands on and says what to do about what is wrong."""

import json
from collections import Counter

import click

from footfall.clock import SystemClock
from footfall.health.checks import checks_of
from footfall.health.examination import Result, examine
from footfall.health.finding import State
from footfall.health.installation import Installation
from footfall.settings import load

_COLORS = {State.OK: "green", State.WARNING: "yellow", State.PROBLEM: "red"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option("--strict", is_flag=True, help="End with status 1 for warnings as well.")
@click.option("--quiet", is_flag=True, help="Leave out what is ok.")
def doctor(as_json: bool, strict: bool, quiet: bool) -> None:
    """Look whether everything Footfall needs is there and set up well, and is doing its work.

    Looks at programs, settings, database (server, tables, privileges), Redis, the queue, the spool of this machine and
    archiving. Each finding is ok, a warning (works, but not as it should) or a problem (does not work, or loses
    something), with what to do about it. Nothing is changed.

    The exit status is 1 when there is a problem, so this can stand in front of a deployment, or in monitoring.

    \b
    Examples:
      footfall doctor
      footfall doctor --quiet --strict
      footfall doctor --json | jq '.[] | select(.state != "ok")'
    """
    results, installation = [], Installation(load(), SystemClock())
    for result in examine(installation, checks_of(installation)):
        results.append(result)
        if not as_json and not (quiet and result.finding.state is State.OK):
            _print(result)
    counts = Counter(result.finding.state for result in results)
    if as_json:
        click.echo(json.dumps([_document(result) for result in results], indent=2))
    else:
        click.echo(f"{counts[State.PROBLEM]} problems, {counts[State.WARNING]} warnings, {counts[State.OK]} ok")
    if counts[State.PROBLEM] or (strict and counts[State.WARNING]):
        raise click.exceptions.Exit(1)


def _document(result: Result) -> dict[str, str]:
    finding = result.finding
    return {"check": result.check, "state": finding.state, "text": finding.text, "advice": finding.advice}


def _print(result: Result) -> None:
    finding = result.finding
    click.echo(f"{click.style(f'{finding.state:7}', fg=_COLORS[finding.state])}  {result.check}: {finding.text}")
    if finding.advice:
        click.echo(f"         → {finding.advice}")
