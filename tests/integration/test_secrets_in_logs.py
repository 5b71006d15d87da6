"""Tokens in every place where a client can put one: no process writes one into its log."""

import json
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import quote

import pytest
import redis
from click.testing import Result
from stack import Stack, pending, running, wait_for
from steady_load import add_site

from footfall.clock import SystemClock
from footfall.database import Database
from footfall.queue.redis import keys
from footfall.settings import Settings
from footfall.users import Users

PROMETHEUS = "feedfacefeedfacefeedfacefeedface"
WRONG = "deadbeefdeadbeefdeadbeefdeadbeef"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PAGE = "idsite=1&rec=1&url=https%3A%2F%2Fshop.example.com%2F"


def requests(token: str) -> list[tuple[str, str, str, dict[str, str]]]:
    """Method, path, body and headers of requests with the token in them."""
    within = quote(f"https://shop.example.com/?token_auth={token}&x=1", safe="")
    nested = quote(quote(f"https://a/?token%5Fauth={token}", safe=""), safe="")
    entry = f"?{PAGE}&token_auth={token}&cip=192.0.2.7"
    bulk = json.dumps({"requests": [entry, f"?idsite=x&token_auth={token}"], "token_auth": token})
    tracking = [
        f"{PAGE}&token_auth={token}&cip=192.0.2.7&cdt=2020-01-01+00:00:00",
        f"{PAGE}&token%5Fauth={token}",
        f"{PAGE}&token_auth[]={token}",
        f"{PAGE}&urlref={within}",
        f"{PAGE}&action_name={nested}",
        f"{PAGE}&_cvar={quote(json.dumps({'1': ['token_auth', token]}))}",
        f"{PAGE}&ec_items={quote(json.dumps([[f'token_auth={token}', 'x', [], 'y', 'z']]))}&idgoal=0&revenue=1",
        f"idsite=77&rec=1&url={within}&token_auth={token}",
        f"idsite=x&token_auth={token}",
        f"{PAGE}&cdt=token_auth={token}&res=token_auth={token}&lat=token_auth={token}&token_auth={token}",
        f"{PAGE}&uid=%FF%FE{within}&cip=token_auth={token}&token_auth={token}",
    ]
    return [
        *(("GET", f"/matomo.php?{query}", "", {}) for query in tracking),
        *(("POST", "/matomo.php", query, FORM) for query in tracking),
        ("POST", f"/matomo.php?token_auth={token}", bulk, {}),
        ("POST", "/matomo.php", bulk[:-9], {}),
        ("POST", "/matomo.php", bulk, {"Content-Length": "99999999", "Authorization": f"Bearer {token}"}),
        ("POST", "/matomo.php", f"token_auth={token}", {"Content-Type": "multipart/form-data"}),
        ("GET", f"/matomo.php?{PAGE}", "", {"Cookie": f"token_auth={token}", "Referer": f"https://a/?token_auth={token}"}),
        ("GET", f"/matomo.php?{PAGE}", "", {"User-Agent": f"x token_auth={token}", "Authorization": f"Bearer {token}"}),
        ("GET", f"/matomo.php?{PAGE}&token_auth={token}", "", {"X-Odd\x01": "x"}),
        ("GET", f"/index.php?module=API&method=API.getMatomoVersion&token_auth={token}", "", {}),
        ("GET", f"/index.php?module=API&method=No.such&token_auth={token}", "", {}),
        ("GET", f"/api?method=VisitsSummary.get&idSite=1&period=day&date=token_auth={token}", "", {}),
        ("GET", f"/api?method=API.getBulkRequest&urls[0]={quote(f'method=x&token_auth={token}')}", "", {}),
        ("POST", "/index.php", f"module=API&method=VisitsSummary.get&idSite=1&token_auth={token}", FORM),
        ("GET", f"/queue?token_auth={token}", "", {}),
        ("GET", "/metrics", "", {"Authorization": f"Bearer {token}"}),
        ("GET", f"/readyz?token_auth={token}", "", {}),
        ("GET", f"/nothing?token_auth={token}", "", {}),
        ("BREW", f"/matomo.php?token_auth={token}", "", {}),
    ]  # fmt: skip


def send(port: int, method: str, path: str, body: str, headers: dict[str, str]) -> None:
    """Send it, whatever becomes of it."""
    connection = HTTPConnection("127.0.0.1", port, timeout=0.5)
    with suppress(HTTPException, OSError, ValueError):
        connection.putrequest(method, path)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            connection.putheader(name, value)
        connection.endheaders(body.encode())
        connection.getresponse().read()
    connection.close()


def written(stack: Stack) -> str:
    """What the processes have written so far."""
    return "".join((stack.log / name).read_text(errors="replace") for name in ("api.log", "pool.log"))


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_process_writes_a_token_into_its_log(
    environment: dict[str, str],
    settings: Settings,
    database: Database,
    redis_client: redis.Redis,
    tmp_path: Path,
    run_command: Callable[..., Result],
    log_format: str,
) -> None:
    add_site(database)
    users = Users(database, settings, SystemClock())
    right = users.create_token("admin", "test", superuser=True)
    environment |= {
        "LOG_LEVEL": "DEBUG",
        "LOG_FORMAT": log_format,
        "METRICS_TOKEN": PROMETHEUS,
        "QUEUE_SWEEP_SECONDS": "1",
        "BRUTE_FORCE_ATTEMPTS": "0",
        "ANONYMIZE_IP_BYTES": "0",
    }
    tokens = (right, WRONG, PROMETHEUS)
    with running(environment, tmp_path, workers=1) as stack:
        for token in tokens:
            for request in requests(token):
                send(stack.port, *request)
        # A record that no version of ours has written.
        redis_client.rpush(keys.requests("16-00"), b"\xc1token_auth=" + WRONG.encode())
        wait_for(lambda: pending(redis_client) == 0, 30, "an empty queue")
    archived = run_command("archive_cli run", LOG_LEVEL="DEBUG", LOG_FORMAT=log_format, SECRET_KEY=settings.secret_key)
    text = written(stack) + archived.stdout + archived.stderr
    assert "Loaded " in text and "Archived " in text
    for secret in (*tokens, users.hash_token(right), settings.secret_key):
        assert secret not in text
    if log_format == "json":
        lines = written(stack).splitlines() + archived.stderr.splitlines()
        records = [json.loads(line) for line in lines if line.startswith("{")]
        assert {"footfall.load", "footfall.archive", "uvicorn.error"} <= {record["logger"] for record in records}
        assert len(lines) - len(records) <= 5  # gunicorn's own, before there is a worker
