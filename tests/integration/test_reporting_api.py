"""The reporting endpoint over HTTP, on archives in the database."""

import asyncio
import threading
import time
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

import falcon.asgi
import pytest
import recorded
import redis
from falcon import testing
from queues import queue_on
from rq.job import Job
from rq.serializers import JSONSerializer

from footfall.archiving.blob import stored, to_blobs
from footfall.archiving.freshness import WantedArchive
from footfall.archiving.on_demand import ARCHIVE_JOB, ArchiveFailed, ArchiveRequests
from footfall.archiving.periods import Period
from footfall.archiving.tables import Archive, ArchiveTables, Content, DoneStatus
from footfall.clock import Clock, FixedClock, SystemClock
from footfall.database import Database
from footfall.queue.redis import keys
from footfall.settings import Settings
from footfall.users import Users
from queue_workers import archive_job
from tracker_api.reporting import ReportingResource
from tracker_api.request import Request

VISITS = {"module": "API", "method": "VisitsSummary.get", "idSite": "1", "period": "day", "date": "2026-08-10"}


def app_of(settings: Settings, clock: Clock) -> falcon.asgi.App:
    app: falcon.asgi.App = falcon.asgi.App(request_type=Request)
    resource = ReportingResource(settings, clock)
    app.add_route("/index.php", resource)
    app.add_route("/api", resource)
    return app


def client_of(settings: Settings, clock: Clock) -> testing.TestClient:
    return testing.TestClient(app_of(settings, clock))


@pytest.fixture
def client(settings: Settings, clock: FixedClock) -> testing.TestClient:
    return client_of(settings, clock)


@pytest.fixture
def token(database: Database, settings: Settings, clock: FixedClock) -> str:
    return Users(database, settings, clock).create_token("admin", "tests", superuser=True)


@pytest.fixture
def sites(database: Database) -> None:
    for idsite in (1, 2):
        database.execute(
            "INSERT INTO site (idsite, name, main_url, ts_created, timezone, currency, excluded_ips, "
            "excluded_parameters, excluded_user_agents, excluded_referrers, `group`, type, "
            "sitesearch_keyword_parameters, sitesearch_category_parameters) "
            "VALUES (%s, 'Shop', 'https://shop.example.com', '2020-01-01', 'UTC', 'USD', '', '', '', '', '', "
            "'website', '', '')",
            (idsite,),
        )


@pytest.fixture
def archives(database: Database, sites: None) -> None:
    """The recorded archives of the reference, stored as ours are."""
    tables = ArchiveTables(database)
    for archive in recorded.archives():
        blobs: dict[str, bytes] = {}
        for record in archive.records:
            blobs |= to_blobs(record, stored(archive.table(record, expanded=True)))
        written = Archive(
            tables.next_ids(archive.period, 1)[0], archive.idsite, archive.period, DoneStatus.OK, datetime(2026, 9, 1)
        )
        with database.transaction():
            tables.write({written: Content(archive.numbers, blobs)})


def get(client: testing.TestClient, **parameters: str) -> testing.Result:
    return client.simulate_get("/index.php", query_string=urlencode({**VISITS, **parameters}))


def message(result: testing.Result) -> str:
    """The message of an error, which has the reference's shape."""
    answer: dict[str, Any] = result.json
    assert answer["result"] == "error"
    assert result.headers["content-type"] == "application/json; charset=utf-8"
    return str(answer["message"])


def test_a_report_is_answered_from_query_string_and_from_form(
    client: testing.TestClient, token: str, archives: None
) -> None:
    by_query = get(client, token_auth=token)
    assert by_query.status_code == 200
    assert by_query.json["nb_visits"] == 12
    form = client.simulate_post(
        "/index.php",
        body=urlencode({**VISITS, "token_auth": token}),
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert form.json == by_query.json
    assert client.simulate_get("/api", query_string=urlencode({**VISITS, "token_auth": token})).json == by_query.json


@pytest.mark.parametrize("parameters", [{"expanded": "1"}, {"flat": "1"}])
def test_tables_are_read_with_their_subtables(
    client: testing.TestClient, token: str, archives: None, parameters: dict[str, str]
) -> None:
    answer = get(client, token_auth=token, method="Actions.getPageUrls", filter_limit="-1", **parameters).json
    shape = "expanded" if "expanded" in parameters else "flat"
    (expected,) = (
        line["answer"]
        for line in recorded.reports()
        if (line["idSite"], line["date"], line["period"], line["method"], line["shape"])
        == (1, "2026-08-10", "day", "Actions.getPageUrls", shape)
    )
    assert [row["label"] for row in answer] == [row["label"] for row in expected]
    assert [row["nb_hits"] for row in answer] == [row["nb_hits"] for row in expected]


def test_a_subtable_is_answered_by_its_id(client: testing.TestClient, token: str, archives: None) -> None:
    root = get(client, token_auth=token, method="Actions.getPageUrls").json
    (docs,) = (row for row in root if row["label"] == "docs")
    below = get(client, token_auth=token, method="Actions.getPageUrls", idSubtable=str(docs["idsubdatatable"])).json
    assert sum(row["nb_hits"] for row in below) == docs["nb_hits"]


def test_a_request_without_a_token_or_with_an_unknown_one_is_refused(client: testing.TestClient, sites: None) -> None:
    for parameters, told in (({}, "token_auth is missing"), ({"token_auth": "0" * 32}, "not known or has expired")):
        result = get(client, **parameters)
        assert result.status_code == 401
        assert told in message(result)


def test_a_site_needs_view_access(
    client: testing.TestClient, database: Database, settings: Settings, clock: FixedClock, archives: None
) -> None:
    token = Users(database, settings, clock).create_token("eve", "tests")
    database.execute("INSERT INTO access (login, idsite, access) VALUES ('eve', 2, 'view')")
    refused = get(client, token_auth=token)
    assert refused.status_code == 401
    assert "no view access to site 1" in message(refused)
    assert get(client, token_auth=token, idSite="1,2").status_code == 401
    assert get(client, token_auth=token, idSite="2").json["nb_visits"] == 3
    assert list(get(client, token_auth=token, idSite="all").json) == ["2"]


@pytest.mark.parametrize(
    ("changed", "status", "told"),
    [
        ({"idSite": "99"}, 200, "There is no site 99"),
        ({"period": "fortnight"}, 200, "There is no period"),
        ({"date": "not-a-date"}, 200, "is not a date"),
        ({"date": ""}, 200, "date is missing"),
        ({"method": "VisitsSummary.nothing"}, 400, "There is no method"),
        ({"method": ""}, 400, "There is no method"),
        ({"segment": "nonsense==1"}, 200, "segment"),
        ({"format": "yaml"}, 400, "The formats are: csv, json"),
        ({"module": "CoreHome"}, 404, "module=API"),
    ],
)
def test_errors_have_the_references_status_and_shape(
    client: testing.TestClient, token: str, sites: None, changed: dict[str, str], status: int, told: str
) -> None:
    result = get(client, token_auth=token, **changed)
    assert result.status_code == status
    assert told in message(result)


def test_a_body_over_the_limit_is_refused(settings: Settings, clock: FixedClock) -> None:
    client = client_of(replace(settings, max_body_bytes=100), clock)
    result = client.simulate_post("/index.php", body="x" * 101)
    assert result.status_code == 413
    assert "larger than 100 bytes" in message(result)


def test_a_database_that_is_down_is_told(settings: Settings, clock: FixedClock) -> None:
    client = client_of(replace(settings, database_url="mysql://root@127.0.0.1:1/none"), clock)
    result = get(client, token_auth="0" * 32)
    assert result.status_code == 503
    assert "ask again later" in message(result)


# On demand

RANGE = Period.range(date(2026, 8, 3), date(2026, 8, 5))


def jobs(redis_client: redis.Redis) -> list[bytes]:
    return list(redis_client.lrange(f"rq:queue:{keys.ARCHIVE_QUEUE}", 0, -1))


WANTED = WantedArchive(1, RANGE, "")


def test_an_archive_is_asked_for_once_and_unfinished_until_it_is_made(redis_client: redis.Redis) -> None:
    one, other = ArchiveRequests(queue_on(redis_client)), ArchiveRequests(queue_on(redis_client))
    one.ask(WANTED)
    other.ask(WANTED)
    assert len(jobs(redis_client)) == 1
    with one.working(WANTED):
        other.ask(WANTED)
        assert other.unfinished([WANTED]) == {WANTED}
    assert len(jobs(redis_client)) == 1
    assert other.unfinished([WANTED]) == set()


def test_another_archive_is_another_job(redis_client: redis.Redis) -> None:
    requests = ArchiveRequests(queue_on(redis_client))
    for other in (WANTED, replace(WANTED, idsite=2), replace(WANTED, period=RANGE.shifted(1))):
        requests.ask(other)
    requests.ask(replace(WANTED, segment="actions>3"))
    assert len(jobs(redis_client)) == 4


def test_an_archive_that_cannot_be_made_is_told(redis_client: redis.Redis) -> None:
    requests = ArchiveRequests(queue_on(redis_client))
    with pytest.raises(ZeroDivisionError), requests.working(WANTED):
        raise ZeroDivisionError
    with pytest.raises(ArchiveFailed, match="cannot be made"):
        requests.unfinished([WANTED])


def test_a_killed_worker_strands_nobody_for_long(redis_client: redis.Redis) -> None:
    ArchiveRequests(queue_on(redis_client)).ask(WANTED)
    (key,) = redis_client.keys(b"footfall:archive-asked:*")
    assert 0 < redis_client.ttl(key) <= 60


def test_a_range_is_archived_when_a_report_asks_for_it(
    settings: Settings, clock: FixedClock, token: str, archives: None, redis_client: redis.Redis
) -> None:
    """The archives of its days are there already, stored as the reference's."""
    settings = replace(settings, archive_time_limit_seconds=20)
    worker = threading.Thread(target=run_one_job, args=(settings,))
    worker.start()
    answer = get(client_of(settings, clock), token_auth=token, period="range", date="2026-08-10,2026-08-11").json
    worker.join()
    assert answer["nb_visits"] == 12
    assert redis_client.keys(b"footfall:archive-asked:*") == []


def run_one_job(settings: Settings) -> None:
    """What a worker does with the first job of the archive queue, once there is one."""
    with redis.Redis.from_url(settings.redis_url) as connection:
        _, job_id = connection.blpop([f"rq:queue:{keys.ARCHIVE_QUEUE}"], timeout=10)
        job = Job.fetch(job_id.decode(), connection=connection, serializer=JSONSerializer)
        assert job.func_name == ARCHIVE_JOB
        archive_job.archive_with(settings, *job.args)


def test_a_range_that_takes_too_long_is_being_prepared(
    settings: Settings, clock: FixedClock, token: str, archives: None, redis_client: redis.Redis
) -> None:
    client = client_of(replace(settings, archive_time_limit_seconds=0), clock)
    result = get(client, token_auth=token, period="range", date="2026-08-10,2026-08-11")
    assert result.status_code == 503
    assert "being prepared" in message(result)
    job = redis_client.hgetall(b"rq:job:" + jobs(redis_client)[0])
    assert ARCHIVE_JOB.encode() in job[b"description"]


def test_requests_that_wait_for_archives_hold_no_other_report_up(
    settings: Settings, clock: FixedClock, token: str, archives: None
) -> None:
    settings = replace(settings, archive_time_limit_seconds=3)

    async def ask() -> tuple[list[int], float]:
        async with testing.ASGIConductor(app_of(settings, SystemClock())) as conductor:
            slow = [
                asyncio.ensure_future(
                    conductor.simulate_get(
                        "/index.php",
                        query_string=urlencode({**VISITS, "token_auth": token, "period": "range", "date": dates}),
                    )
                )
                for dates in (f"2026-08-{first:02d},2026-08-14" for first in range(1, 11))
            ]
            await asyncio.sleep(0.5)
            began = time.monotonic()
            await conductor.simulate_get("/index.php", query_string=urlencode({**VISITS, "token_auth": token}))
            took = time.monotonic() - began
            return [(await answer).status_code for answer in slow], took

    statuses, took = asyncio.run(ask())
    assert statuses == [503] * 10
    assert took < 1
