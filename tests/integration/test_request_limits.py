"""What a client may not do to the endpoint: too much, too slow, too often; and what a browser is told."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import redis
import uvicorn
from falcon import testing
from log_rows import add_site
from queues import queue_on
from stack import SHARDS

from footfall.changes import Changes
from footfall.clock import FixedClock
from footfall.database import Database
from footfall.entities.users import UserRepository
from footfall.queue.redis import keys
from footfall.queue.request import decode
from footfall.settings import Settings
from footfall.users import Users
from tracker_api.app import create_app
from tracker_api.protocol import limited

GOOD = "idsite=1&rec=1&url=http%3A%2F%2Fa%2F&_id=0123456789abcdef"


# Connections


class Server:
    """The endpoint on a port, in a thread."""

    def __init__(self, settings: Settings, clock: FixedClock) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        config = uvicorn.Config(
            create_app(settings, clock), http=limited(settings), ws="none", lifespan="on", log_level="critical"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve([self._socket])))

    def __enter__(self) -> "Server":
        self._thread.start()
        end = time.monotonic() + 10
        while not self._server.started:
            assert time.monotonic() < end
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=5)

    def send(self, data: bytes) -> bytes:
        """What comes back, until the server closes the connection or has answered."""
        with self.connect() as connection:
            connection.sendall(data)
            return answer_of(connection)


def answer_of(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65_536)
    except ConnectionResetError:
        return b"reset"


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ")[1])


@pytest.fixture
def serve(settings: Settings, clock: FixedClock) -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(**values: int) -> Server:
        servers.append(Server(replace(settings, **values), clock).__enter__())
        return servers[-1]

    yield start
    for server in servers:
        server.__exit__()


def request_with(headers: int = 0, size: int = 0, query: str = "") -> bytes:
    lines = [
        f"GET /matomo.php?{GOOD}&send_image=0{query} HTTP/1.1",
        "Host: x",
        *(f"X-{n}: {'v' * size}" for n in range(headers)),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def test_headers_are_limited_in_number_and_size(serve: Callable[..., Server]) -> None:
    server = serve(max_headers=20, max_header_bytes=4000)
    assert status_of(server.send(request_with(headers=19))) == 204
    assert status_of(server.send(request_with(headers=20))) == 431
    assert status_of(server.send(request_with(headers=10, size=300))) == 204
    assert status_of(server.send(request_with(headers=10, size=400))) == 431
    assert status_of(server.send(request_with(query="&x=" + "x" * 4000))) == 431


def test_headers_without_an_end_are_cut_off(serve: Callable[..., Server]) -> None:
    server = serve(max_header_bytes=4000)
    with server.connect() as connection:
        connection.sendall(b"GET /matomo.php HTTP/1.1\r\nX: ")
        for _ in range(10):
            connection.sendall(b"x" * 1000)
            time.sleep(0.01)
            if b"431" in (answer := _peek(connection)):
                break
        assert status_of(answer) == 431


def _peek(connection: socket.socket) -> bytes:
    connection.setblocking(False)
    try:
        return connection.recv(1000)
    except BlockingIOError:
        return b""
    finally:
        connection.setblocking(True)


def test_a_connection_carries_any_number_of_requests_within_the_limits(serve: Callable[..., Server]) -> None:
    server = serve(max_header_bytes=1000, max_request_seconds=1)
    with server.connect() as connection:
        for n in range(30):
            connection.sendall(request_with(headers=3, size=50))
            assert status_of(answer_of(connection)) == 204, n
        connection.sendall(request_with() * 5)  # pipelined
        time.sleep(0.2)
        assert connection.recv(65_536).count(b"HTTP/1.1 204") == 5


@pytest.mark.parametrize("beginning", [b"", b"GET /mat", b"POST /matomo.php HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc"])
def test_a_client_that_takes_too_long_is_disconnected(serve: Callable[..., Server], beginning: bytes) -> None:
    server = serve(max_request_seconds=1)
    with server.connect() as connection:
        connection.sendall(beginning)
        started = time.monotonic()
        assert status_of(answer_of(connection)) == 408
        assert 0.5 < time.monotonic() - started < 3


def test_a_client_that_is_idle_between_requests_may_stay(serve: Callable[..., Server]) -> None:
    server = serve(max_request_seconds=1)
    with server.connect() as connection:
        for _ in range(2):
            connection.sendall(request_with())
            assert status_of(answer_of(connection)) == 204
            time.sleep(1.3)


def test_connections_over_the_limit_are_refused_and_the_others_served(serve: Callable[..., Server]) -> None:
    server = serve(max_connections=3)
    held = [server.connect() for _ in range(3)]
    time.sleep(0.1)
    assert status_of(server.send(request_with())) == 503
    held[0].sendall(request_with())
    assert status_of(answer_of(held[0])) == 204
    held[1].close()
    time.sleep(0.1)
    assert status_of(server.send(request_with())) == 204
    for connection in held:
        connection.close()


def test_what_is_no_http_is_answered_400(serve: Callable[..., Server]) -> None:
    assert status_of(serve().send(b"\x16\x03\x01 hello\r\n\r\n")) == 400


# Requests that a balancer and we might understand differently

POST = b"POST /matomo.php HTTP/1.1\r\nHost: x\r\n"
FORM = GOOD.encode() + b"&send_image=0"
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(FORM), FORM)
LENGTH = b"Content-Length: %d\r\n" % len(FORM)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "framed",
    [
        LENGTH + CHUNKED + b"\r\n" + CHUNKS,
        CHUNKED + LENGTH + b"\r\n" + CHUNKS,
        LENGTH + b"Content-Length: 3\r\n\r\n" + FORM,
        LENGTH + LENGTH + b"\r\n" + FORM,
        b"Content-Length: %d, %d\r\n\r\n" % (len(FORM), len(FORM)) + FORM,
        b"Content-Length: +%d\r\n\r\n" % len(FORM) + FORM,
        b"Content-Length : %d\r\n\r\n" % len(FORM) + FORM,
        b"Transfer-Encoding : chunked\r\n\r\n" + CHUNKS,
        b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNKS,
        b"Transfer-Encoding: chunked, identity\r\n\r\n" + CHUNKS,
        CHUNKED + b"Transfer-Encoding: identity\r\n\r\n" + CHUNKS,
        b"X: a\r\n " + CHUNKED + LENGTH + b"\r\n" + FORM,
        b"X: a\r" + CHUNKED + LENGTH + b"\r\n" + FORM,
        CHUNKED + b"\r\n%x\n%b\n0\n\n" % (len(FORM), FORM),
        CHUNKED + b"\r\nfffffffffffffffff\r\n" + FORM,
        CHUNKED + b"\r\n-1b\r\n" + FORM,
    ],
)
def test_a_body_whose_end_is_a_matter_of_opinion_is_refused_with_all_behind_it(
    serve: Callable[..., Server], framed: bytes
) -> None:
    answer = serve().send(POST + framed + SMUGGLED)
    assert status_of(answer) == 400
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("names", [(b"Upgrade", b"Upgrade"), (b"UPGRADE", b"upgrade, HTTP2-Settings")])
def test_a_client_that_offers_another_protocol_is_served_with_this_one(
    serve: Callable[..., Server], names: tuple[bytes, bytes], redis_client: redis.Redis
) -> None:
    name, connection = names
    body = FORM + b"&note=%0D%0A\r\nUpgrade: x"
    offer = b"Connection: %b\r\n%b: h2c\r\nContent-Length: %d\r\n\r\n" % (connection, name, len(body))
    assert status_of(serve().send(POST + offer + body)) == 204
    (taken,) = [record for shard in SHARDS for record in redis_client.lrange(keys.requests(shard), 0, -1)]
    assert decode(taken).body == body


def test_an_offer_that_comes_in_pieces_is_refused_and_not_lost(serve: Callable[..., Server]) -> None:
    with serve().connect() as client:
        for part in (POST + LENGTH + b"Connection: Upgrade\r\nUp", b"grade: h2c\r\n\r\n", FORM):
            client.sendall(part)
            time.sleep(0.05)
        assert status_of(answer_of(client)) == 400


# Memory


def test_bodies_that_would_take_too_much_memory_together_are_refused(settings: Settings, clock: FixedClock) -> None:
    client = testing.TestClient(create_app(replace(settings, max_memory_bytes=1000), clock))
    answer = client.simulate_post("/matomo.php", body=f"{GOOD}&x=" + "x" * 1000)
    assert answer.status_code == 503
    assert "MAX_MEMORY_BYTES" in answer.text
    assert client.simulate_get("/matomo.php", query_string=GOOD).status_code == 200


# Kinds of requests


@pytest.fixture
def client(settings: Settings, clock: FixedClock) -> testing.TestClient:
    return testing.TestClient(create_app(settings, clock))


@pytest.fixture
def token(database: Database, settings: Settings, clock: FixedClock) -> str:
    return Users(database, settings, clock).create_token("admin", "test", superuser=True)


def test_a_multipart_body_is_refused_with_what_to_send_instead(client: testing.TestClient) -> None:
    answer = client.simulate_post(
        "/matomo.php", body="--x\r\n", headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert answer.status_code == 415
    assert "x-www-form-urlencoded" in answer.text


@pytest.mark.parametrize("path", ["/matomo.php", "/piwik.php", "/healthz", "/readyz", "/index.php", "/api", "/queue"])
def test_head_is_answered_as_get_without_a_body(client: testing.TestClient, path: str) -> None:
    query = GOOD if path.endswith(("matomo.php", "piwik.php")) else "module=API&method=API.getMatomoVersion"
    got, head = (client.simulate_request(method, path, query_string=query) for method in ("GET", "HEAD"))
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert head.headers["content-type"] == got.headers["content-type"]


def test_head_records_nothing(client: testing.TestClient, token: str) -> None:
    client.simulate_head("/matomo.php", query_string=GOOD)
    assert client.simulate_get("/queue", headers={"Authorization": f"Bearer {token}"}).json["pending"] == 0


@pytest.mark.parametrize("path", ["/index.php", "/api", "/queue", "/metrics"])
def test_a_browser_is_told_to_run_embed_and_pass_on_nothing(client: testing.TestClient, path: str) -> None:
    for answer in (client.simulate_get(path), client.simulate_post(path)):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"] == "no-referrer"


# Guessing tokens


@pytest.fixture
def guarded(settings: Settings, clock: FixedClock) -> testing.TestClient:
    return testing.TestClient(create_app(replace(settings, brute_force_attempts=3), clock))


def guess(client: testing.TestClient, number: int, address: str = "192.0.2.66", path: str = "/api") -> int:
    query = f"module=API&method=API.getMatomoVersion&token_auth={number:032x}"
    return int(client.simulate_get(path, query_string=query, remote_addr=address).status_code)


def ask(client: testing.TestClient, token: str, address: str) -> int:
    return int(
        client.simulate_get("/queue", headers={"Authorization": f"Bearer {token}"}, remote_addr=address).status_code
    )


def test_an_address_that_tries_too_many_wrong_tokens_is_turned_away_for_an_hour(
    guarded: testing.TestClient, token: str, clock: FixedClock
) -> None:
    assert [guess(guarded, n) for n in range(5)] == [401, 401, 401, 429, 429]
    assert ask(guarded, token, "192.0.2.66") == 429, "not even the right token says anything"
    clock.moment = clock.moment.fromtimestamp(clock.moment.timestamp() + 3601, clock.moment.tzinfo)
    assert ask(guarded, token, "192.0.2.66") == 200


def test_a_user_whose_token_was_right_is_not_locked_out_by_others(guarded: testing.TestClient, token: str) -> None:
    assert ask(guarded, token, "192.0.2.66") == 200
    assert [guess(guarded, n) for n in range(4)][-1] == 429
    assert ask(guarded, token, "192.0.2.66") == 200, "from the same address"
    assert ask(guarded, token, "192.0.2.67") == 200, "from another one"


def test_all_addresses_of_an_ipv6_network_count_together(guarded: testing.TestClient) -> None:
    near = [f"2001:db8:1:2:{n}::{n}" for n in range(4)]
    assert [guess(guarded, n, address) for n, address in enumerate(near)] == [401, 401, 401, 429]
    assert guess(guarded, 5, "2001:db8:1:3::1") == 401
    assert guess(guarded, 6, "::ffff:192.0.2.1") == 401


def test_what_is_asked_for_is_no_html_in_the_answer(client: testing.TestClient, database: Database, token: str) -> None:
    add_site(database)
    query = f"module=API&method=VisitsSummary.get&idSite=1&period=<script>'&date=today&token_auth={token}"
    for format_name in ("CSV", "TSV", "XML", "JSON"):
        answer = client.simulate_get("/api", query_string=f"{query}&format={format_name}")
        assert "script" in answer.text
        assert "<script>" not in answer.text or answer.headers["content-type"].startswith("application/json")


def test_only_the_tracker_may_be_asked_by_pages_of_other_origins(client: testing.TestClient) -> None:
    origin = {"Origin": "https://elsewhere.example"}
    for path in ("/api", "/queue", "/metrics", "/index.php", "/healthz"):
        for method in ("GET", "POST", "OPTIONS"):
            answer = client.simulate_request(method, path, headers=origin)
            assert "access-control-allow-origin" not in answer.headers, path
    assert client.simulate_get("/matomo.php", headers=origin).headers["access-control-allow-origin"] == origin["Origin"]


def test_the_status_pages_count_as_well(guarded: testing.TestClient) -> None:
    assert [guess(guarded, n, path="/queue") for n in range(4)] == [401, 401, 401, 429]


def test_tokens_within_a_bulk_request_count_each(guarded: testing.TestClient) -> None:
    inner = "&".join(f"urls[{n}]=method%3DAPI.getMatomoVersion%26token_auth%3D{n:032x}" for n in range(4))
    query = f"module=API&method=API.getBulkRequest&{inner}"
    assert guarded.simulate_get("/index.php", query_string=query, remote_addr="192.0.2.66").status_code == 429


def test_a_form_body_s_token_counts(guarded: testing.TestClient) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    statuses = [
        guarded.simulate_post(
            "/index.php",
            body=f"module=API&method=API.getMatomoVersion&token_auth={n:032x}",
            headers=headers,
            remote_addr="192.0.2.66",
        ).status_code
        for n in range(4)
    ]
    assert statuses == [401, 401, 401, 429]


# Guessing passwords


def log_in(client: testing.TestClient, password: str, address: str = "192.0.2.66", login: str = "anna") -> int:
    """The status of a call that makes a token for who has the password."""
    query = "module=API&method=UsersManager.createAppSpecificTokenAuth&description=x"
    answer = client.simulate_get(
        "/index.php",
        query_string=f"{query}&userLogin={login}&passwordConfirmation={password}",
        remote_addr=address,
    )
    return int(answer.status_code)


@pytest.fixture
def anna(database: Database, clock: FixedClock, redis_client: redis.Redis) -> None:
    UserRepository(database, clock, Changes(queue_on(redis_client).board)).create("anna", "secret!", "anna@example.org")


@pytest.mark.usefixtures("anna")
def test_an_address_that_tries_too_many_wrong_passwords_is_turned_away_for_an_hour(
    guarded: testing.TestClient, clock: FixedClock
) -> None:
    assert [log_in(guarded, f"guess{n}", login=("anna", "nobody")[n % 2]) for n in range(5)] == [200] * 3 + [429] * 2
    assert log_in(guarded, "secret!") == 429, "not even the right password says anything"
    assert log_in(guarded, "secret!", address="192.0.2.67") == 200, "from another address"
    clock.moment += timedelta(seconds=3601)
    assert log_in(guarded, "secret!") == 200


@pytest.mark.usefixtures("anna")
def test_right_passwords_are_no_attempts(guarded: testing.TestClient) -> None:
    assert [log_in(guarded, "secret!") for _ in range(5)] == [200] * 5


@pytest.mark.usefixtures("anna")
def test_wrong_passwords_and_wrong_tokens_count_together(guarded: testing.TestClient) -> None:
    assert (log_in(guarded, "guess"), guess(guarded, 1), log_in(guarded, "guess")) == (200, 401, 200)
    assert (log_in(guarded, "guess"), guess(guarded, 2)) == (429, 429)


@pytest.mark.usefixtures("anna")
def test_passwords_within_a_bulk_request_count_each(guarded: testing.TestClient, database: Database) -> None:
    call = "method%3DUsersManager.createAppSpecificTokenAuth%26description%3Dx%26userLogin%3Danna"
    inner = "&".join(f"urls[{n}]={call}%26passwordConfirmation%3Dguess{n}" for n in range(5))
    query = f"module=API&method=API.getBulkRequest&{inner}"
    answers = guarded.simulate_get("/index.php", query_string=query, remote_addr="192.0.2.66").json
    assert [answer["message"][:8] for answer in answers] == ["Login or"] * 3 + ["Too many"] * 2
    assert database.query("SELECT COUNT(*) FROM brute_force_log") == [(3,)]


@pytest.mark.usefixtures("anna")
def test_a_token_s_holder_who_guesses_the_password_is_turned_away(
    guarded: testing.TestClient, database: Database, settings: Settings, clock: FixedClock
) -> None:
    token = Users(database, settings, clock).create_token("anna", "stolen")
    change = "module=API&method=UsersManager.updateUser&userLogin=anna&password=another!"

    def take_over(password: str) -> int:
        query = f"{change}&token_auth={token}&passwordConfirmation={password}"
        return int(guarded.simulate_get("/index.php", query_string=query, remote_addr="192.0.2.66").status_code)

    assert [take_over(password) for password in ("a", "b", "c", "secret!")] == [200, 200, 200, 429]


# What counts, and how


def test_asking_without_a_token_is_no_attempt(guarded: testing.TestClient, database: Database) -> None:
    for query in ("", "&token_auth=", "&token_auth=anonymous"):
        guarded.simulate_get("/api", query_string=f"module=API&method=API.getMatomoVersion{query}")
    assert database.query("SELECT COUNT(*) FROM brute_force_log") == [(0,)]


def test_attempts_lie_in_matomo_s_table_and_its_own_count(
    guarded: testing.TestClient, database: Database, clock: FixedClock
) -> None:
    now = clock.moment.replace(tzinfo=None)
    for _ in range(2):
        database.execute("INSERT INTO brute_force_log (ip_address, attempted_at) VALUES ('192.0.2.66', %s)", (now,))
    assert [guess(guarded, n) for n in range(2)] == [401, 429]
    assert database.query("SELECT ip_address, attempted_at FROM brute_force_log")[-1] == ("192.0.2.66", now)


def test_behind_a_proxy_the_client_s_address_counts(settings: Settings, clock: FixedClock) -> None:
    settings = replace(settings, brute_force_attempts=2, trusted_proxies="10.0.0.1")
    client = testing.TestClient(create_app(settings, clock))

    def guess_as(address: str, number: int) -> int:
        query = f"module=API&method=API.getMatomoVersion&token_auth={number:032x}"
        return int(
            client.simulate_get(
                "/api", query_string=query, headers={"X-Forwarded-For": address}, remote_addr="10.0.0.1"
            ).status_code
        )

    assert [guess_as("192.0.2.1", n) for n in range(3)] == [401, 401, 429]
    assert guess_as("192.0.2.2", 9) == 401


def test_reports_take_a_bearer_token(client: testing.TestClient, database: Database, token: str) -> None:
    add_site(database)
    query = "module=API&method=SitesManager.getAllSitesId&format=JSON"
    allowed = client.simulate_get("/index.php", query_string=query, headers={"Authorization": f"Bearer {token}"})
    assert (allowed.status_code, allowed.json) == (200, [1])
    wrong = client.simulate_get("/index.php", query_string=query, headers={"Authorization": f"Bearer {'0' * 32}"})
    assert wrong.status_code == 401
