"""The main job once, end to end, on made-up traffic (`make demo`): request, queue, worker, database, archive, report.

    demo.py [--requests N]

Sends requests to the processes of the Procfile on a free port, and says at the end whether the counts add up; only
then the exit status is 0. Another run adds to the same site.
"""

import argparse
import http.client
import json
import os
import queue
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlencode

from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from traffic import SITE, Moments, Request, visits

from footfall import migrations
from footfall.clock import SystemClock
from footfall.database import Database
from footfall.errors import FootfallError
from footfall.settings import Settings, load
from footfall.users import Users

ROOT = Path(__file__).resolve().parent.parent
LOG = ROOT / ".local" / "demo.log"
SITE_NAME = "Footfall demo"
LOGIN = "footfall-demo"
DAYS = 7  # today and the six days before
PAST_SHARE = 0.8
CONNECTIONS = 8
START_SECONDS = 60
DRAIN_SECONDS = 300
CONSOLE = Console()


class Api:
    """One keep-alive connection to the endpoint."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def track(self, request: Request) -> int:
        """Send a tracking request; the HTTP status."""
        self._connection.request("GET", f"/matomo.php?send_image=0&{request.query}", headers=request.headers)
        answer = self._connection.getresponse()
        answer.read()
        return answer.status

    def get(self, path: str, token: str = "") -> tuple[int, bytes]:
        """The status and the body of a page."""
        self._connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def report(self, method: str, token: str, **parameters: object) -> Any:
        """A report of the Reporting API, decoded."""
        values = {"module": "API", "method": method, "format": "JSON", "token_auth": token, **parameters}
        self._connection.request(
            "POST", "/index.php", urlencode(values), {"Content-Type": "application/x-www-form-urlencoded"}
        )
        answer = json.loads(self._connection.getresponse().read())
        if isinstance(answer, dict) and answer.get("result") == "error":
            raise FootfallError(f"{method} failed: {answer.get('message')}")
        return answer


@dataclass(frozen=True)
class LogCounts:
    """Rows of the log tables, for one site."""

    visits: int
    actions: int
    visit_actions: int


def count_log(database: Database, idsite: int, first: date, last: date) -> LogCounts:
    """What the log tables hold of the site on these days (UTC, both included)."""
    bounds = (idsite, first, last + timedelta(days=1))
    ((visit_rows, total),) = database.query(
        f"SELECT COUNT(*), COALESCE(SUM(visit_total_actions), 0) FROM {database.table('log_visit')} "
        "WHERE idsite = %s AND visit_last_action_time >= %s AND visit_last_action_time < %s",
        bounds,
    )
    ((action_rows,),) = database.query(
        f"SELECT COUNT(*) FROM {database.table('log_link_visit_action')} "
        "WHERE idsite = %s AND server_time >= %s AND server_time < %s",
        bounds,
    )
    return LogCounts(int(visit_rows), int(action_rows), int(total))


def count_actions(database: Database, idsite: int) -> int:
    ((rows,),) = database.query(
        f"SELECT COUNT(*) FROM {database.table('log_link_visit_action')} WHERE idsite = %s", (idsite,)
    )
    return int(rows)


def demo_site(database: Database) -> int:
    """The number of the demo's site, which is created by the `footfall` command when it is not there."""
    rows = database.query(f"SELECT idsite FROM {database.table('site')} WHERE name = %s", (SITE_NAME,))
    if rows:
        return int(rows[0][0])
    return int(run("footfall", "site", "create", "--name", SITE_NAME, "--url", SITE))


def run(*command: str) -> str:
    """Run a command of ours; its standard output. Its standard error is shown when it fails."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise FootfallError(f"`{' '.join(command)}` failed:\n{done.stderr[-3000:]}{done.stdout[-1000:]}")
    return done.stdout.strip()


@contextmanager
def processes() -> Iterator[int]:
    """The processes of the Procfile, running and ready; the port of the endpoint. They end with the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with LOG.open("wb") as log:
        honcho = subprocess.Popen(
            ["honcho", "start"],
            cwd=ROOT,
            env={**os.environ, "PORT": str(port)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        wait_until_ready(port, honcho)
        yield port
    finally:
        # honcho passes this on, and kills those of its processes that do not end within five seconds.
        honcho.terminate()
        honcho.wait()


def wait_until_ready(port: int, honcho: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and honcho.poll() is None:
        try:
            if Api(port).get("/readyz")[0] == 200:
                return
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.05)
    tail = b"\n".join(LOG.read_bytes().splitlines()[-15:]).decode(errors="replace")
    raise FootfallError(f"The processes of the Procfile did not get ready; {LOG} ends with:\n{tail}")


def send(port: int, work: list[list[Request]]) -> float:
    """Send all visits over several connections, each visit over one of them; the seconds it took.

    Raises:
        FootfallError: a request was not accepted.
    """
    waiting: queue.SimpleQueue[list[Request]] = queue.SimpleQueue()
    for visit in work:
        waiting.put(visit)
    failures: list[str] = []
    with Progress(console=CONSOLE, transient=True, disable=not CONSOLE.is_terminal) as progress:
        task = progress.add_task("sending", total=sum(map(len, work)))

        def send_visits() -> None:
            api = Api(port)
            try:
                while not failures:
                    visit = waiting.get_nowait()
                    for request in visit:
                        status = api.track(request)
                        if status != 204:
                            failures.append(f"a tracking request was answered with status {status}")
                    progress.advance(task, len(visit))
            except queue.Empty:
                pass
            except (OSError, http.client.HTTPException) as error:
                failures.append(f"a connection broke: {error!r}")

        threads = [threading.Thread(target=send_visits, daemon=True) for _ in range(CONNECTIONS)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if failures:
        raise FootfallError(f"Sending failed: {failures[0]}; see {LOG}.")
    return time.monotonic() - began


def wait_until_drained(port: int, token: str) -> None:
    api, end, pending = Api(port), time.monotonic() + DRAIN_SECONDS, -1
    while time.monotonic() < end:
        pending = json.loads(api.get("/queue", token)[1])["pending"]
        if pending == 0:
            return
        time.sleep(0.02)
    raise FootfallError(f"{pending} requests are still in the queue after {DRAIN_SECONDS} s; see {LOG}.")


def show(by_day: dict[str, Any], pages: list[dict[str, Any]]) -> None:
    """Print visits by day and the top pages."""
    table = Table(title="Visits by day (VisitsSummary.get)", title_justify="left")
    table.add_column("day", no_wrap=True)
    metrics = {
        "visits": "nb_visits",
        "visitors": "nb_uniq_visitors",
        "actions": "nb_actions",
        "bounces": "bounce_rate",
        "per visit": "nb_actions_per_visit",
        "seconds": "avg_time_on_site",
    }
    for name in metrics:
        table.add_column(name, justify="right")
    for day, row in by_day.items():
        table.add_row(day, *(str(row.get(metric, 0)) if row else "0" for metric in metrics.values()))
    CONSOLE.print(table)
    table = Table("page", title=f"Top pages of these {DAYS} days (Actions.getPageUrls)", title_justify="left")
    metrics = {"views": "nb_hits", "visits": "nb_visits", "entries": "entry_nb_visits", "exit rate": "exit_rate"}
    for name in metrics:
        table.add_column(name, justify="right")
    for row in sorted(pages, key=lambda row: -int(row["nb_hits"]))[:10]:
        table.add_row(str(row["label"]), *(str(row.get(metric, 0)) for metric in metrics.values()))
    CONSOLE.print(table)


def next_commands(idsite: int) -> str:
    return f"""
What you might run next:
  . .venv/bin/activate
  make up                          the same processes in the foreground, http://127.0.0.1:8000
  queue_workers status             what waits in the queue
  archive_cli status               what is to be archived
  footfall doctor                  whether everything is set up well
  TOKEN=$(footfall token create --login admin --superuser)
  curl "http://127.0.0.1:8000/matomo.php?idsite={idsite}&rec=1&url=https://shop.example.org/hello&action_name=Hello"
  archive_cli run --sites {idsite}
  curl -d "token_auth=$TOKEN" "http://127.0.0.1:8000/index.php?module=API&method=VisitsSummary.get&idSite={idsite}&period=day&date=today&format=JSON"
"""


def main(requests: int) -> bool:
    """The whole demo; whether the counts add up."""
    # Whatever arrived is in the reports at the end, however young today's archive of the last run is.
    os.environ["TODAY_ARCHIVE_SECONDS"] = "0"
    settings: Settings = load()
    database, clock = Database(settings), SystemClock()
    migrations.migrate(database, clock)
    idsite = demo_site(database)
    token = Users(database, settings, clock).create_token(LOGIN, "made by make demo", superuser=True)
    try:
        return play(database, idsite, token, requests)
    finally:
        for table in ("user_token_auth", "user"):
            database.execute(f"DELETE FROM {database.table(table)} WHERE login = %s", (LOGIN,))


def play(database: Database, idsite: int, token: str, requests: int) -> bool:
    """Send, record, archive, report; whether the counts add up."""
    before = count_actions(database, idsite)
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [midnight - timedelta(days=age) for age in range(1, DAYS)]
    work, sent = [], 0
    for visit in visits(random.Random(), idsite, Moments(days, token, PAST_SHARE)):
        work.append(visit)
        sent += len(visit)
        if sent >= requests:
            break
    with processes() as port:
        CONSOLE.print(f"sending {sent:,} requests of {len(work):,} visits over {CONNECTIONS} connections")
        began = time.monotonic()
        sending = send(port, work)
        wait_until_drained(port, token)
        recording = time.monotonic() - began
        last = datetime.now(UTC).date()
        first = last - timedelta(days=DAYS - 1)
        began = time.monotonic()
        run("archive_cli", "run", "--sites", str(idsite))
        archiving = time.monotonic() - began
        api, dates = Api(port), f"{first},{last}"
        by_day = api.report("VisitsSummary.get", token, idSite=idsite, period="day", date=dates)
        pages = api.report(
            "Actions.getPageUrls", token, idSite=idsite, period="range", date=dates, flat=1, filter_limit=-1
        )
    log, recorded = count_log(database, idsite, first, last), count_actions(database, idsite) - before
    CONSOLE.print(f"accepted  {sent:,} requests in {sending:.1f} s: {sent / sending:,.0f} a second")
    CONSOLE.print(f"recorded  {recorded:,} actions by {recording:.1f} s: {recorded / recording:,.0f} a second")
    CONSOLE.print(f"archived  {log.visits:,} visits and {log.actions:,} actions of {DAYS} days in {archiving:.1f} s\n")
    show(by_day, pages)
    reported = [row for row in by_day.values() if row]
    sums = [
        ("actions recorded = requests sent", recorded, sent),
        ("visits in reports = rows of log_visit", sum(int(row["nb_visits"]) for row in reported), log.visits),
        ("actions in reports = actions of visits", sum(int(row["nb_actions"]) for row in reported), log.visit_actions),
        ("page views in reports = rows of log_link_visit_action", sum(int(p["nb_hits"]) for p in pages), log.actions),
    ]
    for what, one, other in sums:
        print(f"{'equal   ' if one == other else 'UNEQUAL '} {what}: {one:,} and {other:,}")
    return all(one == other for _, one, other in sums)


def end(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(143)  # through every `finally`


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=5000, help="how many requests to send, about (default 5000)")
    wanted = parser.parse_args().requests
    signal.signal(signal.SIGTERM, end)
    os.chdir(ROOT)
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    try:
        good = main(wanted)
    except FootfallError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
    if not good:
        sys.exit("The counts do not add up.")
    print(next_commands(demo_site(Database(load()))))
