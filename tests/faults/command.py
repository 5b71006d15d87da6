"""The command of the fault rig: `make test-faults`, or `python tests/faults --help`."""

import json
import random
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path

import click
import services
from packages import install
from rich.console import Console

from faults import report, spool_disk
from faults.kinds import KINDS
from faults.rig import Plan, run


@click.command()
@click.option("--injections", type=click.IntRange(1), default=200, show_default=True, help="How many faults.")
@click.option("--seed", type=int, help="The faults of an earlier run again; without it, others each time.")
@click.option("--rate", type=click.FloatRange(1), default=60.0, show_default=True, help="Requests a second.")
@click.option("--longest", type=click.FloatRange(0.5), default=4.0, show_default=True, help="Seconds a fault may last.")
@click.option(
    "--pause", type=click.FloatRange(0), default=5.0, show_default=True, help="Seconds from one to the next, at most."
)
@click.option(
    "--between-checks", type=click.IntRange(1), default=20, show_default=True, help="Faults from check to check."
)
@click.option("--short", is_flag=True, help="Each kind of fault once and briefly, then a check: what `make test` does.")
@click.option("--write", is_flag=True, help="Put the figures into docs/reliability.md when nothing is wrong.")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON on standard output.")
def main(
    injections: int,
    seed: int | None,
    rate: float,
    longest: float,
    pause: float,
    between_checks: int,
    short: bool,
    write: bool,
    as_json: bool,
) -> None:
    """Break a private installation at random moments, and prove that nothing is lost or doubled.

    It starts a MariaDB, a Redis, the endpoint, workers and archivers of its own, sends numbered requests, and injects
    faults. Now and then it stops, waits until everything is recorded, and checks: every acknowledged request is there
    once, and visits and archives are those of an undisturbed recording. When something is wrong it stops, and keeps
    data and logs.

    \b
    Examples:
      python tests/faults --injections 30
      python tests/faults --seed 7 --write

    Exit status: 0 nothing is wrong, 1 something is, 2 wrong arguments.
    """
    spool_disk.enter_namespace()
    for program in services.PACKAGES:
        if services.find(program) is None:
            install(services.PACKAGES[program], f"{program} not found")
    if seed is None:
        seed = random.randrange(1_000_000)
    plan = Plan(seed, injections, longest, pause, between_checks, rate)
    if short:
        plan = Plan(seed, len(KINDS), longest=1.2, pause=1.0, between_checks=len(KINDS), rate=rate)
    directory = Path(tempfile.mkdtemp(prefix="footfall-faults-"))
    console = Console(stderr=True)
    console.print(f"seed {plan.seed}; data and logs in {directory}", highlight=False)
    result = run(plan, directory, lambda text: console.print(text, highlight=False))
    if as_json:
        click.echo(json.dumps(asdict(result), default=str))
    else:
        Console().print(report.table(result))
    if result.problems:
        for problem in result.problems:
            console.print(problem, style="red", highlight=False, markup=False)
        console.print(f"seed {plan.seed}; see {directory}", highlight=False)
        raise click.exceptions.Exit(1)
    shutil.rmtree(directory, ignore_errors=True)
    if write:
        report.write(result)
