"""Real clients against the running stack: what they send arrives in the log as they were told to send it."""

import asyncio
import hashlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import browser
import httpx2
import pytest
from asgi_matomo import MatomoMiddleware
from conftest import EnvironmentOf, SettingsFactory
from log_rows import add_site
from stack import BIN, Stack, running, wait_for

from footfall.clock import SystemClock
from footfall.database import Database
from footfall.settings import Settings
from footfall.users import Users

NODE_SITE, WEB_SITE, SENDING_SITE, PYTHON_SITE = 1, 2, 3, 4
ANN_HASHED = hashlib.sha1(b"ann@node.example").hexdigest()[:16]
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"

_ACTIONS = (
    "SELECT CONCAT(COALESCE(ELT(url.url_prefix + 1, 'http://', 'http://www.', 'https://', 'https://www.'), ''), "
    "url.name), title.name, category.name, event.name, l.custom_float, LOWER(HEX(v.idvisitor)), v.user_id "
    "FROM log_link_visit_action l JOIN log_visit v ON v.idvisit = l.idvisit "
    "LEFT JOIN log_action url ON url.idaction = l.idaction_url "
    "LEFT JOIN log_action title ON title.idaction = l.idaction_name "
    "LEFT JOIN log_action category ON category.idaction = l.idaction_event_category "
    "LEFT JOIN log_action event ON event.idaction = l.idaction_event_action "
    "WHERE l.idsite = %s ORDER BY l.idlink_va"
)


class Logged(NamedTuple):
    """An action in the log; `name` is the page's title, or the event's name."""

    url: str
    name: str | None
    category: str | None = None
    action: str | None = None
    value: float | None = None
    visitor: str | None = None
    user: str | None = None


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    if not (browser.CLIENTS / "node_modules").is_dir():
        pytest.fail("The npm packages are not installed: `make clients` or `make test` does that.", pytrace=False)


@pytest.fixture(scope="module")
def own_settings(new_settings: SettingsFactory) -> Settings:
    return new_settings()


@pytest.fixture(scope="module")
def log(own_settings: Settings) -> Iterator[Database]:
    database = Database(own_settings)
    for idsite in (NODE_SITE, WEB_SITE, SENDING_SITE, PYTHON_SITE):
        add_site(database, idsite)
    yield database
    database.close()


@pytest.fixture(scope="module")
def token(own_settings: Settings, log: Database) -> str:
    return Users(log, own_settings, SystemClock()).create_token("admin", "of a client", superuser=True)


@pytest.fixture(scope="module")
def stack(
    own_settings: Settings, log: Database, environment_of: EnvironmentOf, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    with running(environment_of(own_settings), tmp_path_factory.mktemp("stack"), workers=1) as stack:
        yield stack


def logged(database: Database, idsite: int, count: int) -> set[Logged]:
    """The site's actions, once there are so many."""
    wait_for(lambda: len(database.query(_ACTIONS, (idsite,))) >= count, 20, f"{count} actions of site {idsite}")
    rows = [Logged(*row) for row in database.query(_ACTIONS, (idsite,))]
    assert len(set(rows)) == len(rows), "an action was recorded twice"
    return set(rows)


def without_visitors(actions: set[Logged]) -> set[Logged]:
    return {action._replace(visitor=None) for action in actions}


def test_matomo_tracker_of_node(stack: Stack, log: Database, token: str) -> None:
    """The npm package matomo-tracker: single requests by GET, with a token, and a bulk."""
    script = [str(BIN / "node"), "track.mjs", stack.tracker, str(NODE_SITE), token]
    done = subprocess.run(script, cwd=browser.CLIENTS, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["status"] == "success"

    page = "https://node.example/caf%C3%A9?size=2&color=blue"
    visitor = {"visitor": "0a1b2c3d4e5f6071"}
    assert logged(log, NODE_SITE, 3) == {
        Logged(page, "Café &amp; more", **visitor),
        Logged(page, "Trailer", "Video", "play", 12.5, **visitor),
        Logged("https://node.example/next", "Next", visitor=ANN_HASHED, user="ann@node.example"),
    }
    visit = log.query(
        "SELECT HEX(v.location_ip), v.referer_url, v.config_browser_name, l.custom_var_k1, l.custom_var_v1 "
        "FROM log_visit v JOIN log_link_visit_action l ON l.idvisit = v.idvisit "
        "WHERE v.idsite = %s AND l.custom_var_k1 IS NOT NULL",
        (NODE_SITE,),
    )
    assert visit == [("CB000000", "https://partner.example/links", "FF", "plan", "free")]


def test_asgi_matomo_of_python(stack: Stack, log: Database, token: str) -> None:
    """The middleware asgi-matomo: forms by POST, one for every request that the application answers."""

    async def application(scope: dict[str, Any], receive: object, send: Any) -> None:
        if scope["path"] == "/play":
            event = {"e_c": "Video", "e_a": "play", "e_n": "Пример", "e_v": 7, "cid": "00112233445566aa"}
            scope["state"]["asgi_matomo"]["custom_tracking_data"] = event
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    async def visit() -> None:
        tracked = MatomoMiddleware(
            application, stack.tracker, PYTHON_SITE, token, route_details={"/articles/1": {"action_name": "One"}}
        )
        async with httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=tracked, client=("198.51.100.20", 1234)),
            base_url="http://python.example",
            headers={"User-Agent": FIREFOX, "X-Forwarded-Server": "python.example"},
        ) as client:
            for path in ("/articles/1", "/play"):
                assert (await client.get(path)).status_code == 200
        await tracked.shutdown()

    asyncio.run(visit())
    actions = logged(log, PYTHON_SITE, 2)
    assert Logged("https://python.example/play", "Пример", "Video", "play", 7.0, "00112233445566aa") in actions
    assert Logged("https://python.example/articles/1", "One") in without_visitors(actions)
    addresses = log.query("SELECT DISTINCT HEX(location_ip) FROM log_visit WHERE idsite = %s", (PYTHON_SITE,))
    assert addresses == [("C6330000",)]


def test_jonkoops_matomo_tracker_in_a_browser(stack: Stack, log: Database, tmp_path: Path) -> None:
    """The npm package @jonkoops/matomo-tracker, with the tracker script that it loads, in Chromium."""
    with browser.page("tracker.html", tmp_path, tracker=stack.tracker, idsite=WEB_SITE):
        actions = logged(log, WEB_SITE, 3)
    eve = {"user": "eve@web.example"}
    second = "https://web.example/second"
    assert without_visitors(actions) == {
        Logged("https://web.example/start?from=m%C3%BCnchen", "Start &amp; welcome", **eve),
        Logged(second, "Второй", **eve),
        Logged(second, "Newsletter", "Form", "submit", 3.0, **eve),
    }


def test_every_way_in_which_browsers_send(stack: Stack, log: Database, tmp_path: Path) -> None:
    """Beacons, fetch, XMLHttpRequest and images of a page of another origin, preflights included, in Chromium."""
    with browser.page("sending.html", tmp_path, tracker=stack.tracker, idsite=SENDING_SITE) as answers:
        answer = answers.get(timeout=30)
        actions = logged(log, SENDING_SITE, len(answer))
    assert answer == {
        **dict.fromkeys(("beacon-query", "beacon-text", "beacon-form", "beacon-blob"), True),
        "fetch-keepalive": 204,
        "fetch-opaque": "opaque",
        "xhr": 204,
        "image": "1x1",
        **dict.fromkeys(("fetch-bulk-text", "fetch-bulk-json"), 200),
    }
    assert {action.url for action in actions} == {f"https://web.example/{way}" for way in answer}
