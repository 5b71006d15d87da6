"""No token outlives its batch: not in a log line, in Redis, in dead letters or in anything that is kept of errors.

The running stack is sent tokens in every way that clients have, right and wrong ones, with requests that are recorded,
rejected and refused, and fails on purpose; then all that it wrote is searched.
"""

import http.client
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest
import recorded_tracking
import redis
from stack import Stack, pending, running, wait_for

from footfall.clock import SystemClock
from footfall.database import Database
from footfall.settings import Settings
from footfall.users import Users

VIEW = "idsite=1&rec=1&url=http%3A%2F%2Fshop.example.com%2F"
UNKNOWN_SITE = "idsite=77&rec=1&url=http%3A%2F%2Fshop.example.com%2F"
LONG_AGO = VIEW + "&cdt=2020-01-01%2000%3A00%3A00"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
KEPT = ("footfall_dead_letter", "tracking_failure", "logger_message", "logger_error", "logger_exception")
KEPT_CALLS = ("logger_api_call", "brute_force_log", "option")


@dataclass
class Sender:
    """Sends requests and remembers the tokens in them."""

    port: int
    user: str
    tokens: set[str] = field(default_factory=set)

    def wrong(self) -> str:
        """A token that nobody has."""
        token = secrets.token_hex(16)
        self.tokens.add(token)
        return token

    def both(self) -> Iterator[str]:
        """The user's token, and a wrong one."""
        yield self.user
        yield self.wrong()

    def get(self, path: str, **headers: str) -> int:
        return self._send("GET", path, None, headers)

    def post(self, path: str, body: str, **headers: str) -> int:
        return self._send("POST", path, body.encode(), headers)

    def _send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            return connection.getresponse().status
        finally:
            connection.close()


def send_everything(sender: Sender) -> None:
    """Tokens in each place of a tracking request: one that is recorded, one of no site, one that is too old."""
    for query in (VIEW, UNKNOWN_SITE, LONG_AGO):
        for token in sender.both():
            own = f"{query}&token_auth={token}"
            assert sender.get(f"/matomo.php?{own}&send_image=0") == 204
            assert sender.get(f"/matomo.php?{query}&token%5Fauth={token}") == 200
            assert sender.post("/matomo.php", own, **FORM) == 200
            assert sender.post("/matomo.php", json.dumps({"requests": [f"?{own}"]})) == 200
            assert sender.post("/matomo.php", json.dumps({"requests": [f"?{query}"], "token_auth": token})) == 200
            assert sender.post(f"/matomo.php?token_auth={token}", json.dumps({"requests": [f"?{query}"]})) == 200
            assert sender.get(f"/matomo.php?{query}", Authorization=f"Bearer {token}") == 200
            elsewhere = f"https://matomo.example.org/index.php?module=API&token_auth={token}"
            assert sender.get(f"/matomo.php?{query}", Referer=elsewhere) == 200
            assert sender.get(f"/matomo.php?{query}&urlref={quote(elsewhere, '')}") == 200
            assert (
                sender.get(f"/matomo.php?{query}&urlref={quote(quote(elsewhere, ''), '')}", Cookie=f"t={token}") == 200
            )


def ask_everything(sender: Sender) -> None:
    """The same for whatever else takes tokens, and with nonsense around them."""
    for token in sender.both():
        for path in ("/queue", "/metrics", "/api?method=API.getMatomoVersion", "/index.php?module=API&method=No.such"):
            sender.get(path, Authorization=f"Bearer {token}")
            sender.get(f"{path}{'&' if '?' in path else '?'}token_auth={token}")
            sender.post(path, f"token_auth={token}", **FORM)
        inner = quote(f"?method=VisitsSummary.get&idSite=x&token_auth={token}", "")
        sender.get(f"/index.php?module=API&method=API.getBulkRequest&urls[0]={inner}&token_auth={token}")
        sender.get(f"/matomo.php?idsite=nonsense&token_auth={token}")
        sender.post("/matomo.php", f'{{"requests": [], "token_auth": "{token}"')
        sender.get(f"/nowhere?token_auth={token}")
        sender.post("/matomo.php", f"token_auth={token}", Content_Type="multipart/form-data; boundary=x")
        sender.get(f"/matomo.php?token_auth={token}&x={'y' * 40_000}")


def everything_in(client: redis.Redis) -> Iterator[tuple[str, bytes]]:
    """Names and values of all keys."""
    for key in client.scan_iter():
        yield key.decode(), key
        match client.type(key):
            case b"string":
                yield key.decode(), client.get(key) or b""  # type: ignore[misc]
            case b"list":
                yield key.decode(), b"\n".join(client.lrange(key, 0, -1))  # type: ignore[arg-type]
            case b"set":
                yield key.decode(), b"\n".join(client.smembers(key))  # type: ignore[arg-type]
            case b"zset":
                yield key.decode(), b"\n".join(client.zrange(key, 0, -1))  # type: ignore[arg-type]
            case b"hash":
                yield key.decode(), b"\n".join(b"".join(pair) for pair in client.hgetall(key).items())  # type: ignore
            case other:
                pytest.fail(f"{key!r} is a {other!r}, which this test does not look into")


def everything_kept(database: Database) -> Iterator[tuple[str, bytes]]:
    """All values of the tables that keep requests, failures and errors."""
    for table in (*KEPT, *KEPT_CALLS):
        for row in database.query(f"SELECT * FROM {table}"):
            yield table, b"\n".join(bytes(v) if isinstance(v, bytes | bytearray) else str(v).encode() for v in row)


def break_recording(database: Database) -> None:
    """Whatever is recorded from now on fails."""
    database.execute("RENAME TABLE log_link_visit_action TO log_link_visit_action_gone")


def mend_recording(database: Database) -> None:
    database.execute("RENAME TABLE log_link_visit_action_gone TO log_link_visit_action")


def test_no_token_is_left_anywhere(
    settings: Settings, database: Database, redis_client: redis.Redis, environment: dict[str, str], tmp_path: Path
) -> None:
    recorded_tracking.put_sites(database)
    user = Users(database, settings, SystemClock()).create_token("admin", "of the test", superuser=True)
    values = {"LOG_LEVEL": "DEBUG", "BRUTE_FORCE_ATTEMPTS": "1000"}
    with running(environment | values, tmp_path, workers=1) as stack:
        sender = Sender(stack.port, user, {user})
        ask_everything(sender)
        send_everything(sender)
        wait_for(lambda: pending(redis_client) == 0, 30, "an empty queue")
        break_recording(database)
        try:
            send_everything(sender)
            wait_for(lambda: pending(redis_client) == 0, 60, "an empty queue")
        finally:
            mend_recording(database)
        found = leaks(stack, sender.tokens, redis_client, database)
    assert found == set()
    assert database.query("SELECT COUNT(*) FROM footfall_dead_letter WHERE reason LIKE 'It cannot be recorded%'") != [
        (0,)
    ]


def leaks(stack: Stack, tokens: set[str], client: redis.Redis, database: Database) -> set[str]:
    """Where a token was found."""
    places = [(log.name, log.read_bytes()) for log in stack.log.iterdir() if log.is_file()]
    places += [*everything_in(client), *everything_kept(database)]
    assert {name for name, _ in places} >= {"api.log", "pool.log", "footfall_dead_letter", "tracking_failure"}
    return {name for name, value in places for token in tokens if token.encode() in value}
