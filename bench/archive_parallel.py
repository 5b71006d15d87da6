"""What several archivers do side by side: `python bench/archive_parallel.py [--sites N --days N --processes N]`.

First, 20 sites with 20 days each: how long `archive_cli run` takes in one process and in two. Then 50 sites with 40
days each, worked by eight processes at once: whether each archive is made exactly once, and whether all end without an
error. Each process runs the real command. Servers: those of `make services`; the database footfall_bench_parallel is
kept for the next run. Ends with status 1 when an archive is missing or made twice, or a process fails.
"""

import argparse
import re
import statistics
import subprocess
import sys
import time
from datetime import date, timedelta

from archive import DAY, SITE, fill_actions, fill_day
from support import environment, settings

from footfall.archiving.periods import Period, PeriodKind
from footfall.archiving.tables import ArchiveTables
from footfall.database import Database
from footfall.settings import Settings

VISITS, ACTIONS, PAGES = 50, 150, 100
_MADE = re.compile(r"^(\d+) archives of (\d+) sites made", re.MULTILINE)
_OFFSET = 1_000_000  # between the ids of two sites' rows


def days_of(count: int) -> list[date]:
    return [DAY + timedelta(days=number) for number in range(count)]


def fill(database: Database, sites: range, days: int) -> None:
    """Sites that have so many days, each with the same visits, and no others."""
    present: dict[int, int] = dict(
        database.query(
            "SELECT idsite, COUNT(DISTINCT DATE(visit_last_action_time)) FROM log_visit "
            "WHERE idsite >= %s AND idsite < %s GROUP BY idsite",
            (sites.start, sites.stop),
        )
    )
    if present == dict.fromkeys(sites, days):
        return
    for table in ("site", "log_visit", "log_link_visit_action"):
        database.execute(f"DELETE FROM {table} WHERE idsite >= %s AND idsite < %s", (sites.start, sites.stop))
    for day in days_of(days):
        fill_day(database, sites[0], day, VISITS, ACTIONS, PAGES, VISITS)
    for idsite in sites:
        database.execute(SITE, (idsite,))
        for table in ("log_visit", "log_link_visit_action") if idsite > sites[0] else ():
            _copy(database, table, sites[0], idsite)


def _copy(database: Database, table: str, origin: int, idsite: int) -> None:
    """Give a site the rows of another."""
    columns = [
        str(name)
        for (name,) in database.query(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = %s "
            "AND COALESCE(generation_expression, '') = ''",
            (table,),
        )
    ]
    ids = {"idvisit", "idlink_va", "last_idlink_va"}
    shift = (idsite - origin) * _OFFSET
    values = (str(idsite) if c == "idsite" else f"`{c}` + {shift}" if c in ids else f"`{c}`" for c in columns)
    names = ", ".join(f"`{column}`" for column in columns)
    database.execute(f"INSERT INTO {table} ({names}) SELECT {', '.join(values)} FROM {table} WHERE idsite = {origin}")


def forget(database: Database, sites: range, days: int) -> None:
    """Remove all archives; say that there is news of each day of some sites."""
    for month in ArchiveTables(database).existing_months():
        database.execute(f"DROP TABLE archive_numeric_{month}, archive_blob_{month}")
    for table in ("sequence", "archive_invalidations", "footfall_touched_day"):
        database.execute(f"TRUNCATE TABLE {table}")
    for idsite in sites:
        database.execute(
            "INSERT INTO footfall_touched_day (idsite, date1, ts_touched) VALUES "
            + ", ".join(["(%s, %s, UTC_TIMESTAMP())"] * days),
            [value for day in days_of(days) for value in (idsite, day)],
        )


def run(own: Settings, sites: range, processes: int) -> tuple[float, int, list[str]]:
    """Work these sites in so many processes; seconds, archives made, and what went wrong."""
    command = [
        sys.executable,
        "-c",
        "from archive_cli.cli import main; main()",
        "run",
        "--sites",
        f"{sites[0]}-{sites[-1]}",
    ]
    started = time.perf_counter()
    running = [
        subprocess.Popen(command, env=environment(own), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(processes)
    ]
    answers = [process.communicate() for process in running]
    seconds = time.perf_counter() - started
    made = sum(int(match[1]) for out, _ in answers if (match := _MADE.search(out)))
    wrong = [
        f"exit status {process.returncode}: {err.strip()[-500:]}"
        for process, (_, err) in zip(running, answers, strict=True)
        if process.returncode or "Traceback" in err or "deadlock" in err.lower()
    ]
    return seconds, made, wrong


def wanted(days: int) -> set[Period]:
    """The periods of a site that have archives."""
    kinds = (PeriodKind.DAY, PeriodKind.WEEK, PeriodKind.MONTH, PeriodKind.YEAR)
    return {Period.of(kind, day) for day in days_of(days) for kind in kinds}


def stored(database: Database) -> tuple[int, int]:
    """How many archives of all visits there are, and how many periods of sites they are of."""
    rows = [
        row
        for month in ArchiveTables(database).existing_months()
        for row in database.query(
            f"SELECT idsite, period, date1, date2 FROM archive_numeric_{month} WHERE name = 'done' AND value = 1"
        )
    ]
    return len(rows), len(set(rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sites", type=int, default=50, help="sites that are worked side by side (default 50)")
    parser.add_argument("--days", type=int, default=40, help="days of each (default 40)")
    parser.add_argument("--processes", type=int, default=8, help="processes that work them (default 8)")
    parser.add_argument("--rounds", type=int, default=3, help="how often one and two processes are timed (default 3)")
    options = parser.parse_args()
    own = settings("footfall_bench_parallel", 14)
    database = Database(own)
    fill_actions(database)
    few, many = range(1_001, 1_021), range(1, options.sites + 1)
    fill(database, few, 20)
    fill(database, many, options.days)

    seconds: dict[int, list[float]] = {1: [], 2: []}
    problems = []
    for _ in range(options.rounds):
        for processes, taken in seconds.items():
            forget(database, few, 20)
            duration, _, wrong = run(own, few, processes)
            taken.append(duration)
            problems += wrong
    one, two = (statistics.median(taken) for taken in seconds.values())
    sys.stdout.write(
        f"20 sites, 20 days each ({20 * len(wanted(20)):,} archives): one process {one:.1f} s, two {two:.1f} s: "
        f"{two / one:.2f} of the time\n"
    )

    forget(database, many, options.days)
    expected = options.sites * len(wanted(options.days))
    duration, made, wrong = run(own, many, options.processes)
    archives, periods = stored(database)
    problems += wrong
    sys.stdout.write(
        f"{options.sites} sites, {options.days} days each, {options.processes} processes: {duration:.1f} s; of "
        f"{expected:,} archives {made:,} were made, {archives:,} are there, of {periods:,} different periods\n"
    )
    if not made == archives == periods == expected:
        problems.append("not every archive was made exactly once")
    if problems:
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main()
