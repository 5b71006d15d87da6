"""The tracking endpoint and the state of the queue over HTTP (ASGI), with a real Redis."""

import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import falcon
import pytest
import redis
from falcon import testing

from footfall.clock import FixedClock
from footfall.database import Database
from footfall.queue.redis import keys
from footfall.queue.request import TrackingRequest, decode
from footfall.queue.shards import layout
from footfall.settings import Settings
from footfall.users import Users
from tracker_api.app import create_app

GOOD = "idsite=1&rec=1&url=http%3A%2F%2Fa%2F&_id=0123456789abcdef"
DEAD_REDIS = "redis://127.0.0.1:1/0"


@pytest.fixture
def client(settings: Settings, clock: FixedClock) -> testing.TestClient:
    return testing.TestClient(create_app(settings, clock))


@pytest.fixture
def queued(settings: Settings, redis_client: redis.Redis) -> Callable[[], list[TrackingRequest]]:
    """The requests in the queue."""

    def read() -> list[TrackingRequest]:
        lists = [keys.requests(shard) for shard in layout(settings.queue_shards)]
        return [decode(record) for name in lists for record in redis_client.lrange(name, 0, -1)]  # type: ignore[union-attr]

    return read


Queued = Callable[[], list[TrackingRequest]]


@pytest.mark.parametrize("path", ["/matomo.php", "/piwik.php"])
def test_a_request_is_queued_as_received_and_answered_with_the_image(
    client: testing.TestClient, queued: Queued, clock: FixedClock, path: str
) -> None:
    headers = {"User-Agent": "Browser/1.0 ü", "Accept-Language": "de", "Cookie": "secret=1", "Sec-CH-UA": '"x";v="1"'}
    answer = client.simulate_get(path, query_string=GOOD + "&x=%FF&y=a+b", headers=headers, remote_addr="192.0.2.9")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")
    assert answer.content.startswith(b"GIF89a") and len(answer.content) == 43
    assert answer.headers["cache-control"] == "no-store"
    (request,) = queued()
    assert request.query == (GOOD + "&x=%FF&y=a+b").encode()
    assert (request.received_at, request.address, request.body) == (clock.moment.timestamp(), "192.0.2.9", b"")
    assert set(request.headers) == {"user-agent", "accept-language", "sec-ch-ua"}


def test_send_image_0_is_answered_204_without_a_body(client: testing.TestClient, queued: Queued) -> None:
    answer = client.simulate_get("/matomo.php", query_string=GOOD + "&send_image=0")
    assert (answer.status_code, answer.content) == (204, b"")
    assert len(queued()) == 1


def test_a_form_body_is_queued_beside_the_query(client: testing.TestClient, queued: Queued) -> None:
    answer = client.simulate_post(
        "/matomo.php",
        query_string="rec=1",
        body="idsite=1&rec=0&url=http%3A%2F%2Fa%2F",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 200
    (request,) = queued()
    assert (request.query, request.body) == (b"rec=1", b"idsite=1&rec=0&url=http%3A%2F%2Fa%2F")


@pytest.mark.parametrize(
    "query",
    [
        "rec=1",
        "idsite=&rec=1",
        "idsite=abc&rec=1",
        "idsite=0&rec=1",
        "idsite=-1&rec=1",
        "idsite=01&rec=1",
        "idsite=1.5&rec=1",
        "idsite=4294967296&rec=1",
        pytest.param(f"idsite={'9' * 5000}&rec=1", id="more digits than Python reads"),
        "idsite[]=1&rec=1",
        "idsite=1&idsite=x&rec=1",
        "idsite=%D9%A1&rec=1",
    ],
)
def test_a_missing_or_malformed_site_is_refused_with_400_and_one_sentence(
    client: testing.TestClient, queued: Queued, query: str
) -> None:
    answer = client.simulate_get("/matomo.php", query_string=query)
    assert answer.status_code == 400
    assert "idsite" in answer.text and answer.text.count("\n") == 1
    assert queued() == []


@pytest.mark.parametrize("query", ["idsite=1", "idsite=1&rec=0", "idsite=1&rec=2", ""])
def test_rec_other_than_1_is_answered_and_not_queued(client: testing.TestClient, queued: Queued, query: str) -> None:
    assert client.simulate_get("/matomo.php", query_string=query).status_code == 200
    assert queued() == []


def test_query_strings_of_any_bytes_are_taken(client: testing.TestClient, queued: Queued) -> None:
    assert status_of(client, query_string=GOOD.encode() + b"&title=\xff\x80%E4") == 200
    assert queued()[0].query.endswith(b"&title=%FF%80%E4")


def test_who_names_a_version_of_http_that_does_not_exist_is_answered_all_the_same(client: testing.TestClient) -> None:
    assert status_of(client, query_string=GOOD.encode(), http_version="2.0") == 200
    assert status_of(client, query_string=b"rec=1", http_version="0.9") == 400


def status_of(client: testing.TestClient, **scope: object) -> int:
    """What a request is answered that the test client itself would not send."""
    events: list[dict[str, Any]] = []

    async def call() -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request"}

        async def send(event: dict[str, Any]) -> None:
            events.append(event)

        await client.app({**testing.create_scope(path="/matomo.php"), **scope}, receive, send)

    falcon.async_to_sync(call)
    return int(events[0]["status"])


def test_one_visitor_stays_in_one_shard(client: testing.TestClient, redis_client: redis.Redis) -> None:
    for n in range(5):
        client.simulate_get("/matomo.php", query_string=f"{GOOD}&n={n}", headers={"User-Agent": f"browser {n}"})
    lengths = [redis_client.llen(keys.requests(shard)) for shard in layout(16)]
    assert sorted(lengths)[-1] == 5


# Bulk


def test_a_bulk_body_is_one_request_per_entry_and_bad_entries_are_counted(
    client: testing.TestClient, queued: Queued
) -> None:
    body = {"requests": [f"?{GOOD}", "?rec=1", {"idsite": 1, "rec": 1, "url": "http://b/"}, 7], "token_auth": "t" * 32}
    answer = client.simulate_post("/matomo.php", json=body)
    assert answer.status_code == 200
    assert answer.json == {"status": "success", "tracked": 2, "invalid": 2, "invalid_indices": [1, 3]}
    assert {(request.query, request.bulk_token) for request in queued()} == {
        (GOOD.encode(), "t" * 32),
        (b"idsite=1&rec=1&url=http%3A%2F%2Fb%2F", "t" * 32),
    }


def test_a_bulk_body_is_one_whatever_its_content_type(client: testing.TestClient, queued: Queued) -> None:
    body = json.dumps({"requests": [f"?{GOOD}"], "send_image": 0})
    answer = client.simulate_post("/matomo.php", body=body, headers={"Content-Type": "text/plain;charset=UTF-8"})
    assert answer.json == {"status": "success", "tracked": 1, "invalid": 0}
    assert len(queued()) == 1


def test_an_unreadable_bulk_body_is_answered_as_the_reference_does_with_a_sentence(
    client: testing.TestClient, queued: Queued
) -> None:
    answer = client.simulate_post("/matomo.php", body='{"requests": [oops')
    assert answer.status_code == 200
    assert answer.json["tracked"] == 0 and "JSON" in answer.json["message"]
    assert queued() == []


def test_an_empty_bulk_body_is_a_success(client: testing.TestClient) -> None:
    answer = client.simulate_post("/matomo.php", json={"requests": [], "token_auth": "x"})
    assert answer.json == {"status": "success", "tracked": 0, "invalid": 0}


def test_bodies_and_bulks_over_the_limits_are_refused_with_413(
    settings: Settings, clock: FixedClock, queued: Queued
) -> None:
    client = testing.TestClient(create_app(replace(settings, max_body_bytes=1000, max_bulk_requests=2), clock))
    for body in (GOOD + "&x=" + "x" * 1000, json.dumps({"requests": [f"?{GOOD}" + "x" * 1000]})):
        assert client.simulate_post("/matomo.php", body=body).status_code == 413
    assert client.simulate_post("/matomo.php", json={"requests": [f"?{GOOD}"] * 3}).status_code == 413
    assert queued() == []


def test_a_body_without_length_that_grows_over_the_limit_is_refused(settings: Settings, clock: FixedClock) -> None:
    client = testing.TestClient(create_app(replace(settings, max_body_bytes=1000), clock))
    answer = client.simulate_post("/matomo.php", body=b"x" * 1001, headers={"Content-Length": ""})
    assert answer.status_code == 413


# Browsers


def test_a_browser_may_send_from_any_page_with_credentials(client: testing.TestClient) -> None:
    for answer in (
        client.simulate_get("/matomo.php", query_string=GOOD, headers={"Origin": "https://shop.example"}),
        client.simulate_post("/matomo.php", json={"requests": []}, headers={"Origin": "https://shop.example"}),
        client.simulate_get("/matomo.php", query_string="idsite=x", headers={"Origin": "https://shop.example"}),
    ):
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert answer.headers["vary"] == "Origin"


def test_a_preflight_is_answered_204_with_what_may_be_sent(client: testing.TestClient) -> None:
    answer = client.simulate_options(
        "/matomo.php",
        headers={
            "Origin": "https://shop.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type,x-own",
        },
    )
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert answer.headers["access-control-allow-headers"] == "content-type,x-own"
    assert "POST" in answer.headers["access-control-allow-methods"]


def test_behind_a_trusted_proxy_the_client_is_in_x_forwarded_for(
    settings: Settings, clock: FixedClock, queued: Queued
) -> None:
    client = testing.TestClient(create_app(replace(settings, trusted_proxies="10.0.0.0/8"), clock))
    for peer in ("10.0.0.1", "192.0.2.77"):
        client.simulate_get(
            "/matomo.php", query_string=GOOD, headers={"X-Forwarded-For": "192.0.2.9"}, remote_addr=peer
        )
    assert [request.address for request in queued()] == ["192.0.2.9", "192.0.2.77"]


# Redis away


def test_without_redis_and_spool_tracking_is_refused_with_503_and_the_process_lives(
    settings: Settings, clock: FixedClock
) -> None:
    client = testing.TestClient(create_app(replace(settings, redis_url=DEAD_REDIS, spool_directory=""), clock))
    answer = client.simulate_get("/matomo.php", query_string=GOOD)
    assert answer.status_code == 503
    assert answer.text.count("\n") == 1
    assert client.simulate_get("/healthz").status_code == 200
    ready = client.simulate_get("/readyz")
    assert ready.status_code == 503 and "127.0.0.1:1" in ready.text


def test_wrong_redis_credentials_are_named_without_being_shown(settings: Settings, clock: FixedClock) -> None:
    url = settings.redis_url.replace("redis://", "redis://nobody:geheim@")
    client = testing.TestClient(create_app(replace(settings, redis_url=url, spool_directory=""), clock))
    ready = client.simulate_get("/readyz")
    assert ready.status_code == 503
    assert "REDIS_URL" in ready.text and "geheim" not in ready.text


# Drains


def test_a_push_into_an_empty_shard_asks_for_one_drain(
    client: testing.TestClient, redis_client: redis.Redis, eventually: Callable[[Callable[[], object]], None]
) -> None:
    for _ in range(5):
        client.simulate_get("/matomo.php", query_string=GOOD)
    eventually(lambda: redis_client.llen("rq:queue:" + keys.drain_queue()) == 1)
    assert redis_client.smembers(keys.layouts()) == {b"16"}


@pytest.fixture
def eventually() -> Callable[[Callable[[], object]], None]:
    """Waits, up to 5 seconds, until something is true."""

    def wait(holds: Callable[[], object]) -> None:
        end = time.monotonic() + 5
        while not holds():
            assert time.monotonic() < end
            time.sleep(0.01)

    return wait


# Status


@pytest.fixture
def token(database: Database, settings: Settings, clock: FixedClock) -> str:
    return Users(database, settings, clock).create_token("admin", "test", superuser=True)


def test_the_queue_is_shown_to_superusers_alone(
    client: testing.TestClient, database: Database, settings: Settings, clock: FixedClock, token: str
) -> None:
    other = Users(database, settings, clock).create_token("viewer", "test")
    for path in ("/queue", "/metrics"):
        assert client.simulate_get(path).status_code == 401
        assert client.simulate_get(path, params={"token_auth": "f" * 32}).status_code == 401
        assert client.simulate_get(path, params={"token_auth": other}).status_code == 401
        assert client.simulate_get(path, params={"token_auth": token}).status_code == 200
        assert client.simulate_get(path, headers={"Authorization": f"Bearer {token}"}).status_code == 200
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert client.simulate_post("/queue", body=f"token_auth={token}", headers=form).status_code == 200


def test_the_queue_document_counts_what_waits(client: testing.TestClient, clock: FixedClock, token: str) -> None:
    client.simulate_get("/matomo.php", query_string=GOOD)
    client.simulate_get("/matomo.php", query_string=GOOD)
    clock.moment = clock.moment.fromtimestamp(clock.moment.timestamp() + 40, clock.moment.tzinfo)
    document = client.simulate_get("/queue", params={"token_auth": token}).json
    assert {name: document[name] for name in ("pending", "in_flight", "oldest_seconds", "dead", "spooled")} == {
        "pending": 2,
        "in_flight": 0,
        "oldest_seconds": 40.0,
        "dead": 0,
        "spooled": 0,
    }
    assert sorted(shard["depth"] for shard in document["shards"])[-2:] == [0, 2]


def test_the_metrics_count_accepted_and_refused_requests(client: testing.TestClient, token: str) -> None:
    client.simulate_get("/matomo.php", query_string=GOOD)
    client.simulate_get("/matomo.php", query_string="idsite=x")
    client.simulate_get("/matomo.php", query_string="idsite=1")
    client.simulate_post("/matomo.php", json={"requests": [f"?{GOOD}", f"?{GOOD}", "?idsite=y"]})
    text = client.simulate_get("/metrics", params={"token_auth": token}).text
    assert "footfall_requests_accepted_total 3.0" in text
    assert 'footfall_requests_refused_total{reason="idsite"} 2.0' in text
    assert "footfall_requests_ignored_total 1.0" in text
    assert "# HELP footfall_queue_depth" in text


def test_what_was_sent_without_redis_is_in_the_queue_when_redis_comes_back(
    settings: Settings, clock: FixedClock, queued: Queued, eventually: Callable[[Callable[[], object]], None]
) -> None:
    real = urlsplit(settings.redis_url)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    client = testing.TestClient(create_app(replace(settings, redis_url=f"redis://127.0.0.1:{port}{real.path}"), clock))
    assert client.simulate_get("/matomo.php", query_string=GOOD + "&n=1").status_code == 200
    ready = client.simulate_get("/readyz")
    assert ready.status_code == 200 and "1 requests" in ready.text and "REDIS_URL" in ready.text
    with socket.create_server(("127.0.0.1", port)) as server:
        threading.Thread(target=forward, args=(server, (real.hostname or "127.0.0.1", real.port or 6379))).start()
        assert client.simulate_get("/matomo.php", query_string=GOOD + "&n=2").status_code == 200
        eventually(lambda: client.simulate_get("/readyz").text == "ready\n")
        server.shutdown(socket.SHUT_RDWR)
    assert [request.query[-1:] for request in queued()] == [b"1", b"2"]


def forward(server: socket.socket, target: tuple[str, int]) -> None:
    """Connect everybody who comes to the server with the target, until the server is shut down."""
    with suppress(OSError):
        while True:
            here, there = server.accept()[0], socket.create_connection(target)
            for source, sink in ((here, there), (there, here)):
                threading.Thread(target=copy, args=(source, sink), daemon=True).start()


def copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
