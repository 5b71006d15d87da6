"""What /metrics says about the work of all processes, and while servers are away."""

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import redis
from click.testing import Result
from falcon import testing
from log_rows import add_site, add_visit
from prometheus_client.parser import text_string_to_metric_families
from queues import queue_on
from row_recorder import RowRecorder, new_row_recorder

from footfall.archiving.logreader import LogReader
from footfall.clock import FixedClock
from footfall.database import Database
from footfall.errors import ConfigurationError, DatabaseUnavailable
from footfall.metrics.declared import ARCHIVES
from footfall.queue import counters
from footfall.queue.counters import CountWriter
from footfall.queue.redis import keys
from footfall.queue.request import TrackingRequest, encode
from footfall.settings import Settings
from footfall.users import Users
from queue_workers.draining import drain
from queue_workers.tools import IMPATIENT, Tools, new_tools
from queue_workers.worker import DrainWorker
from tracker_api.app import create_app

PROMETHEUS = "the token of Prometheus"
BEARER = {"Authorization": f"Bearer {PROMETHEUS}"}
SHARD = "16-03"
NOBODY = "redis://127.0.0.1:1/0"

Samples = dict[tuple[str, ...], float]
Scrape = Callable[[], Samples]
Run = Callable[..., Result]


@pytest.fixture
def client(settings: Settings, clock: FixedClock) -> testing.TestClient:
    return testing.TestClient(create_app(replace(settings, metrics_token=PROMETHEUS), clock))


@pytest.fixture
def scrape(client: testing.TestClient, monkeypatch: pytest.MonkeyPatch) -> Scrape:
    monkeypatch.setattr("tracker_api.scrape._WAIT_SECONDS", 30.0)
    return lambda: samples(client)


def samples(client: testing.TestClient, headers: dict[str, str] = BEARER) -> Samples:
    """The values by name and label values, in the order of the labels' names, as Prometheus reads them."""
    answer = client.simulate_get("/metrics", headers=headers)
    assert answer.status_code == 200, answer.text
    return {
        (sample.name.removeprefix("footfall_"), *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@pytest.fixture
def recorder(database: Database) -> RowRecorder:
    return new_row_recorder(database)


@pytest.fixture
def tools(
    settings: Settings, clock: FixedClock, database: Database, redis_client: redis.Redis, recorder: RowRecorder
) -> Tools:
    settings = replace(settings, queue_batch_size=10)
    return new_tools(settings, clock, database, queue_on(redis_client), recorder, patience=IMPATIENT)


def push(client: redis.Redis, *queries: str) -> None:
    for query in queries:
        request = TrackingRequest(1_785_000_000.0, "192.0.2.1", query.encode(), b"", {})
        client.rpush(keys.requests(SHARD), encode(request))


# Workers


def test_every_request_is_counted_by_what_became_of_it(tools: Tools, redis_client: redis.Redis, scrape: Scrape) -> None:
    push(redis_client, *"abcdefg", "rejected", "excluded", "excluded", "poison", "h")
    redis_client.rpush(keys.requests(SHARD), b"unreadable")
    assert drain(tools, SHARD) == 13
    found = scrape()
    assert found["requests_recorded_total",] == 8
    assert found["requests_excluded_total", "excluded address"] == 2
    assert (found["requests_dead_total", "rejected"], found["requests_dead_total", "failed"]) == (1, 2)
    assert found["requests_recovered_total",] == 0
    assert found["requests_drained_total",] == 13
    assert found["dead_letters",] == 3


def test_batches_are_counted_by_size_time_and_step(tools: Tools, redis_client: redis.Redis, scrape: Scrape) -> None:
    push(redis_client, *[f"{n:02d}" for n in range(22)])
    drain(tools, SHARD)
    found = scrape()
    assert [found["batch_requests_bucket", bound] for bound in ("1.0", "2.0", "5.0", "10.0", "+Inf")] == [0, 1, 1, 3, 3]
    assert found["batch_requests_sum",] == 22
    assert found["batch_seconds_count",] == 3
    for step in ("read", "decode", "commit"):
        assert found["batch_step_seconds_count", step] == 3
    total = sum(value for name, value in found.items() if name[0] == "batch_step_seconds_sum" and name[1] != "trim")
    assert total == pytest.approx(found["batch_seconds_sum",], rel=0.2)


def test_what_a_killed_worker_had_committed_is_counted_when_it_is_found(
    tools: Tools, redis_client: redis.Redis, scrape: Scrape, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(redis_client, *[f"{n:02d}" for n in range(15)])

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tools.queue, "trim", killed)
        with pytest.raises(KeyboardInterrupt):
            drain(tools, SHARD)
    drain(tools, SHARD)
    found = scrape()
    assert (found["requests_recovered_total",], found["requests_recorded_total",]) == (10, 5)


def test_accepted_requests_are_those_that_wait_and_those_that_were_counted_out(
    client: testing.TestClient, tools: Tools, scrape: Scrape
) -> None:
    for number in range(25):
        client.simulate_get("/matomo.php", query_string=f"idsite=1&rec=1&uid=one&n={number}")
    ((shard, depth),) = [(name[1], value) for name, value in scrape().items() if name[0] == "queue_depth" and value]
    assert depth == 25
    drain(replace(tools, stopping=stop_after(2)), shard)
    found = scrape()
    assert found["requests_recorded_total",] == found["queue_depth", shard] + 15 == 20
    assert found["requests_accepted_total",] == 25


def stop_after(batches: int) -> Callable[[], bool]:
    left = iter([False] * batches)
    return lambda: next(left, True)


def test_workers_are_counted_busy_and_idle_while_they_are_heard_of(redis_client: redis.Redis, scrape: Scrape) -> None:
    workers = [DrainWorker(keys.JOB_QUEUES, name=f"host-{n}", connection=redis_client) for n in range(3)]
    for worker in workers:
        worker.register_birth()
    workers[0].set_state("busy")
    redis_client.delete(workers[2].key)  # killed: what Redis knew of it has expired
    found = scrape()
    assert (found["workers", "busy"], found["workers", "idle"]) == (1, 1)


# Archivers


def test_archives_are_counted_and_logged_one_by_one(run_command: Run, database: Database, scrape: Scrape) -> None:
    add_site(database, 1)
    for number in range(3):
        add_visit(database, 1, datetime(2026, 7, 1, 12) + timedelta(days=number), ["a", "docs/b"])
    database.execute(
        "INSERT INTO segment (name, definition, hash, login, enable_all_users, enable_only_idsite, auto_archive, "
        "deleted) VALUES ('Some', 'visitCount>=1', MD5('visitCount>=1'), 'a', 1, 0, 1, 0)"
    )
    run_command("archive_cli invalidate --sites 1 --dates 2026-07-01,2026-07-03")
    before = scrape()
    assert before["invalidations", "day", "waiting"] == 3
    assert "archiver_last_run_timestamp_seconds" not in [name for name, *_ in before]
    result = run_command("archive_cli run", LOG_FORMAT="json")
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    days = [line for line in lines if line["logger"] == "footfall.archive" and line["period"] == "day"]
    assert [(line["date"], line.get("segment", "")) for line in days] == [
        (f"2026-07-0{day}", segment) for day in (3, 2, 1) for segment in ("", "visitCount>=1")
    ]
    assert [line["visits"] for line in days if "segment" not in line] == [1, 1, 1]
    assert all(line["site"] == 1 and line["records"] > 20 for line in days if line["visits"])
    assert {line["together"] for line in days} == {2}
    after = scrape()
    made = {name[2]: value for name, value in after.items() if name[:2] == ("archives_total", "made")}
    assert made == {"day": 6, "week": 2, "month": 2, "year": 2}
    assert after["archive_seconds_count", "day"] == 3


def test_an_archive_that_cannot_be_made_is_counted_and_the_backlog_says_so(
    run_command: Run, database: Database, scrape: Scrape, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_site(database, 1)
    add_visit(database, 1, datetime(2026, 7, 1, 12), ["a"])

    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(LogReader, "read", fail)
        assert run_command("archive_cli run").exit_code == 1
    found = scrape()
    assert found["archives_total", "failed", "day"] == 1
    assert found["invalidations", "day", "failed"] == 1


def test_what_is_counted_without_redis_is_added_once_it_is_there(
    settings: Settings, redis_client: redis.Redis, clock: FixedClock
) -> None:
    writer = CountWriter(queue_on(redis.Redis.from_url(NOBODY)).board, clock)
    writer.tally.count(ARCHIVES, "day", "made")
    writer.write()
    found = CountWriter(queue_on(redis_client).board, clock)
    found.tally.put_back(writer.tally.take())
    found.write()
    found.write()
    assert counters.read(queue_on(redis_client).board).of(ARCHIVES, "day", "made") == 1


# While servers are away


def test_without_redis_the_rest_is_shown(settings: Settings, clock: FixedClock) -> None:
    found = samples(
        testing.TestClient(create_app(replace(settings, metrics_token=PROMETHEUS, redis_url=NOBODY), clock))
    )
    assert (found["redis_up",], found["database_up",]) == (0, 1)
    assert found["spool_requests",] == 0
    assert found["dead_letters",] == 0
    assert not [name for name, *_ in found if name.startswith(("requests_", "queue_", "batch_"))]


@pytest.fixture
def silent_server() -> Iterator[int]:
    """The port of a server that takes connections and never says a word."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield int(server.getsockname()[1])


@pytest.mark.parametrize("away", ["refused", "silent"])
def test_without_the_database_the_rest_is_shown(
    settings: Settings, clock: FixedClock, silent_server: int, away: str
) -> None:
    port = silent_server if away == "silent" else 1
    settings = replace(settings, metrics_token=PROMETHEUS, database_url=f"mysql://root@127.0.0.1:{port}/nothing")
    client = testing.TestClient(create_app(settings, clock))
    client.simulate_get("/matomo.php", query_string="idsite=1&rec=1")
    found = samples(client)
    assert (found["redis_up",], found["database_up",]) == (1, 0)
    assert found["requests_accepted_total",] == 1
    assert not [name for name, *_ in found if name in ("dead_letters", "invalidations", "archiving_due")]
    assert client.simulate_get("/readyz").status_code == 200


def test_a_superuser_s_token_is_taken_for_an_hour_while_the_database_is_away(
    settings: Settings,
    clock: FixedClock,
    database: Database,
    client: testing.TestClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    token = Users(database, settings, clock).create_token("admin", "test", superuser=True)
    bearer = {"Authorization": f"Bearer {token}"}
    assert samples(client, bearer)["database_up",] == 1

    def away(*_: object) -> None:
        raise DatabaseUnavailable("away")

    monkeypatch.setattr(Database, "connection", away)
    clock.moment += timedelta(seconds=1800)
    assert samples(client, bearer)["database_up",] == 0
    assert client.simulate_get("/metrics", headers={"Authorization": "Bearer " + "f" * 32}).status_code == 503
    clock.moment += timedelta(seconds=3600)
    assert client.simulate_get("/metrics", headers=bearer).status_code == 503


# The token of Prometheus


def test_the_token_of_prometheus_opens_metrics_alone(client: testing.TestClient) -> None:
    assert client.simulate_get("/metrics", headers=BEARER).status_code == 200
    assert client.simulate_get("/queue", headers=BEARER).status_code == 401
    assert "error" in client.simulate_get("/api?method=SitesManager.getAllSites&format=JSON", headers=BEARER).text
    for wrong in ("", "Bearer", "Bearer ", f"Bearer {PROMETHEUS}x", f"Basic {PROMETHEUS}"):
        assert client.simulate_get("/metrics", headers={"Authorization": wrong}).status_code == 401
    assert client.simulate_get("/metrics", params={"token_auth": PROMETHEUS}).status_code == 401


def test_a_token_of_prometheus_that_could_be_guessed_is_refused(settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match="METRICS_TOKEN must have 16 characters or more"):
        create_app(replace(settings, metrics_token="short"))
