"""The real processes without any Redis: the queue lies in files or in MySQL tables."""

import json
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode, urlsplit, urlunsplit
from urllib.request import Request, urlopen

import pytest
from click.testing import Result
from faults.proxy import Cut, Proxy
from stack import children, running, wait_for
from steady_load import Load, add_site, assert_recorded_once_in_order, recorded_names

from footfall.clock import SystemClock
from footfall.database import Database
from footfall.queue.flush import Flush
from footfall.queue.lanes import IMPORT
from footfall.queue.producer import Producer
from footfall.queue.request import TrackingRequest, encode
from footfall.queue.state import read_state
from footfall.queue.stores import open_queue
from footfall.settings import Settings
from footfall.users import Users

NO_REDIS = "redis://127.0.0.1:1/0"
EnvironmentOf = Callable[[Settings], dict[str, str]]
RunCommand = Callable[..., Result]


@pytest.fixture(params=["files", "mysql"])
def stored(request: pytest.FixtureRequest, settings: Settings, database: Database, tmp_path: Path) -> Settings:
    add_site(database)
    directory = str(tmp_path / "queue")
    return replace(settings, queue_backend=request.param, queue_directory=directory, redis_url=NO_REDIS)


@pytest.fixture
def own_environment(stored: Settings, environment_of: EnvironmentOf) -> dict[str, str]:
    return {**environment_of(stored), "QUEUE_PUSH_SECONDS": "1", "QUEUE_SWEEP_SECONDS": "1", "WEB_CONCURRENCY": "2"}


def is_empty(settings: Settings) -> Callable[[], bool]:
    queue = open_queue(settings)
    return lambda: read_state(queue, SystemClock(), 1000).pending == 0


def test_every_acknowledged_request_is_recorded_once_and_in_order_while_processes_are_killed(
    stored: Settings, own_environment: dict[str, str], database: Database, tmp_path: Path
) -> None:
    chance = random.Random(11)
    with running({**own_environment, "QUEUE_BATCH_SIZE": "50"}, tmp_path, workers=2) as stack:
        with Load(stack.port, clients=3) as load:
            for round_ in range(8):
                time.sleep(chance.uniform(0.1, 0.4))
                if alive := children(stack.api if round_ % 4 == 3 else stack.pool):
                    os.kill(chance.choice(alive), signal.SIGKILL)
            wait_for(lambda: len(recorded_names(database)) > 200, 30, "enough is recorded")
        wait_for(is_empty(stored), 40, "everything is recorded")
    assert all("503" not in failure for failure in load.failed), load.failed[:5]
    assert_recorded_once_in_order(load, database)


def ask(port: int, path: str, token: str, **parameters: str) -> dict[str, object]:
    request = Request(f"http://127.0.0.1:{port}/{path}?{urlencode(parameters)}")
    request.add_header("Authorization", f"Bearer {token}")
    with urlopen(request, timeout=30) as answer:
        return dict(json.load(answer))


def test_status_reports_changes_and_archives_work_as_with_redis(
    stored: Settings, own_environment: dict[str, str], database: Database, run_command: RunCommand, tmp_path: Path
) -> None:
    token = Users(database, stored, SystemClock()).create_token("admin", "test", superuser=True)
    beside = {name: own_environment[name] for name in ("QUEUE_BACKEND", "QUEUE_DIRECTORY", "REDIS_URL")}
    with running(own_environment, tmp_path, workers=2) as stack:
        shown = json.loads(run_command("queue_workers status --json", **beside).stdout)
        assert [worker["state"] for worker in shown["workers"]] == ["idle", "idle"]
        with Load(stack.port, clients=1) as load:
            wait_for(lambda: len(load.acknowledged[0]) >= 20, 20, "requests are taken")
        wait_for(is_empty(stored), 20, "everything is recorded")
        queue = ask(stack.port, "queue", token)
        assert (queue["pending"], queue["dead"], queue["full"]) == (0, 0, None)
        assert len(queue["shards"]) == 16  # type: ignore[arg-type]

        # A site that is made while workers run is known to their next batch.
        made = run_command("footfall site create --name Other --url https://other.example", **beside)
        assert made.exit_code == 0, made.stderr
        with urlopen(f"{stack.tracker}?idsite=2&rec=1&url=https%3A%2F%2Fother.example%2F&_id=00000000000000aa"):
            pass
        wait_for(lambda: "other.example/" in recorded_names(database), 20, "the new site's page view")
        assert database.query("SELECT COUNT(*) FROM footfall_dead_letter") == [(0,)]

        # An archive that a report wants is made by a worker.
        today = SystemClock().now().date()
        visits = ask(
            stack.port,
            "index.php",
            token,
            module="API",
            method="VisitsSummary.get",
            idSite="2",
            format="json",
            period="range",
            date=f"{today.replace(day=1)},{today}",
        )
        assert visits["nb_visits"] == 1
        doctor = run_command("footfall doctor --json", **beside)
        assert doctor.exit_code == 0, doctor.stdout
        assert "requests wait" in doctor.stdout


def test_what_is_imported_drained_by_hand_or_replayed_is_recorded(
    stored: Settings, own_environment: dict[str, str], database: Database, run_command: RunCommand, tmp_path: Path
) -> None:
    log = tmp_path / "access.log"
    log.write_text(
        "".join(
            f'198.51.100.{n} - - [19/Aug/2026:10:00:{n:02d} +0000] "GET /page-{n} HTTP/1.1" 200 5 "-" "Mozilla/5.0"\n'
            for n in range(30)
        )
    )
    beside = {name: own_environment[name] for name in ("QUEUE_BACKEND", "QUEUE_DIRECTORY", "REDIS_URL")}
    done = run_command(f"footfall import --site 1 {log}", **beside)
    assert done.exit_code == 0, done.stderr
    with Producer(stored, IMPORT) as imports:
        assert not imports.full()
    assert json.loads(run_command("queue_workers status --json", **beside).stdout)["lanes"]["import"] == {"pending": 30}
    assert run_command("queue_workers drain", **beside).stdout.startswith("30 requests drained")
    assert len(recorded_names(database)) == 30

    lost = b"idsite=2&rec=1&url=https%3A%2F%2Fother.example%2F"
    record = encode(TrackingRequest(time.time(), "192.0.2.1", lost, b"", {}))
    open_queue(stored).pusher().push(Flush("test", 1, [3], [record], 0.0))
    assert run_command("queue_workers drain", **beside).stdout.startswith("1 requests drained")
    run_command("footfall site create --name Other --url https://other.example", **beside)
    assert run_command("queue_workers dead replay --all", **beside).stdout.startswith("1 dead letters are back")
    assert run_command("queue_workers drain", **beside).stdout.startswith("1 requests drained")
    assert recorded_names(database)[-1] == "other.example/"


def test_reset_empties_the_queue_and_has_workers_start_anew(
    stored: Settings, own_environment: dict[str, str], run_command: RunCommand, tmp_path: Path
) -> None:
    beside = {name: own_environment[name] for name in ("QUEUE_BACKEND", "QUEUE_DIRECTORY", "REDIS_URL")}
    with running(own_environment, tmp_path, workers=1) as stack:
        wait_for(lambda: open_queue(stored).workers(), 20, "the worker is known")
        before = children(stack.pool)
        assert run_command("footfall reset --yes", **beside).exit_code == 0
        wait_for(lambda: children(stack.pool) and children(stack.pool) != before, 20, "another worker")


# When the database that the queue lies in is away


@pytest.fixture
def proxy(settings: Settings) -> Iterator[Proxy]:
    proxy = Proxy(urlsplit(settings.database_url).port or 3306)
    proxy.start()
    yield proxy
    proxy.stop()


@pytest.mark.parametrize("cut", [Cut.SILENT, Cut.COMMIT_LOST])
def test_a_queue_in_a_database_that_is_away_leaves_requests_to_the_spool(
    settings: Settings,
    environment_of: EnvironmentOf,
    database: Database,
    proxy: Proxy,
    tmp_path: Path,
    cut: Cut,
) -> None:
    add_site(database)
    parts = urlsplit(settings.database_url)
    through = urlunsplit(parts._replace(netloc=f"root@127.0.0.1:{proxy.port}"))
    stored = replace(settings, queue_backend="mysql", redis_url=NO_REDIS)
    environment = environment_of(replace(stored, database_url=through))
    environment |= {"QUEUE_PUSH_SECONDS": "1", "QUEUE_SWEEP_SECONDS": "1", "QUEUE_LEASE_SECONDS": "5"}
    segments = Path(settings.spool_directory) / "segments"
    with running(environment, tmp_path, workers=1) as stack:
        with Load(stack.port, clients=3) as load:
            wait_for(lambda: sum(map(len, load.acknowledged)) > 100, 20, "requests are taken")
            proxy.cut(cut)
            wait_for(lambda: any(segments.glob("*")), 20, "the spool takes over")
            taken = sum(map(len, load.acknowledged))
            wait_for(lambda: sum(map(len, load.acknowledged)) > taken + 50, 20, "requests are taken still")
            proxy.mend()
            wait_for(lambda: not any(segments.glob("*")), 20, "the spool is empty")
        wait_for(is_empty(stored), 40, "everything is recorded")
    assert load.failed == []
    assert_recorded_once_in_order(load, database)
