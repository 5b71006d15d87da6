"""The requests that the measurements send: realistic traffic, and a site with tables for it.

20 % of the requests begin a visit, half of those of visitors who were there before; 1 % come with a user agent that
nobody has seen. Mixed traffic is 70 % page views, 12 % events, 5 % downloads and outlinks, 5 % searches, 5 % goals,
carts and orders and 3 % pings, on a site with goals and custom dimensions.
"""

import json
import random
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from footfall.database import Database
from footfall.queue.backend import Backend
from footfall.queue.flush import Flush
from footfall.queue.layouts import known_shards
from footfall.queue.request import TrackingRequest, encode

VISITS, ACTIONS = 300_000, 700_000
PAGES = 20_000
_FLUSH_REQUESTS = 100
AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.{}.{} Safari/537.36"
)

GOALS = (
    (1, "url", "/page-1", "contains", 0, 10),
    (2, "url", "section-[0-9]{1,2}/page-2\\.", "regex", 1, 0),
    (3, "title", "Page 77", "exact", 0, 0),
    (4, "event_category", "Video", "exact", 1, 0),
    (5, "file", ".pdf", "contains", 1, 0),
    (6, "manually", "", "", 1, 5),
)
DIMENSIONS = (
    (1, 1, "visit", "[]"),
    (2, 1, "action", "[]"),
    (3, 2, "action", '[{"dimension": "url", "pattern": "section-([0-9]+)"}]'),
)


def add_site(database: Database) -> None:
    """Site 1."""
    database.execute(
        "INSERT INTO site (idsite, name, main_url, timezone, currency, sitesearch_keyword_parameters, "
        "sitesearch_category_parameters, excluded_ips, excluded_parameters, excluded_user_agents, excluded_referrers, "
        "`group`, type) "
        "VALUES (1, 'Bench', 'https://bench.example.org', 'UTC', 'EUR', '', '', '', '', '', '', '', 'website')"
    )


def fill(database: Database) -> None:
    """A million rows of the last month: visits of 100,000 visitors, and their actions."""
    if database.query("SELECT COUNT(*) FROM log_link_visit_action")[0][0] >= ACTIONS:
        return
    add_site(database)
    begin = int(time.time()) - 30 * 86_400
    database.execute(
        "INSERT INTO log_visit (idsite, idvisitor, visit_last_action_time, config_id, location_ip, "
        "visit_first_action_time, visitor_count_visits, visit_total_time, visit_total_actions, "
        "visit_total_interactions, visitor_seconds_since_first, visitor_returning, referer_type, "
        "location_browser_lang, config_browser_name, config_os, visit_exit_idaction_url, visit_exit_idaction_name) "
        "SELECT 1, UNHEX(LPAD(HEX(seq % 100000 + 1), 16, '0')), FROM_UNIXTIME(%s + seq * 8), "
        "UNHEX(SUBSTR(MD5(seq), 1, 16)), UNHEX('0A000001'), FROM_UNIXTIME(%s + seq * 8), 1, 61, 3, 3, 0, 0, 1, 'en', "
        f"'CH', 'WIN', 1 + seq % 1000, 1001 + seq % 1000 FROM seq_1_to_{VISITS}",
        (begin, begin),
    )
    database.execute(
        "INSERT INTO log_link_visit_action (idsite, idvisitor, idvisit, server_time, idaction_url, idaction_name, "
        "pageview_position, time_spent_ref_action) SELECT 1, UNHEX(LPAD(HEX(seq % 100000 + 1), 16, '0')), "
        f"1 + seq % {VISITS}, FROM_UNIXTIME(%s + seq * 3), 1 + seq % 1000, 1001 + seq % 1000, 1, 10 "
        f"FROM seq_1_to_{ACTIONS}",
        (begin,),
    )


def configure(database: Database, mixed: bool) -> None:
    """Give the site goals and custom dimensions, or take them away."""
    database.execute("DELETE FROM goal")
    database.execute("DELETE FROM custom_dimensions")
    database.execute("UPDATE site SET ecommerce = 1, sitesearch = %s", (int(mixed),))
    for goal in GOALS if mixed else ():
        database.execute(
            "INSERT INTO goal (idsite, idgoal, name, match_attribute, pattern, pattern_type, case_sensitive, "
            "allow_multiple, revenue) VALUES (1, %s, 'Goal', %s, %s, %s, 0, %s, %s)",
            goal,
        )
    for dimension in DIMENSIONS if mixed else ():
        database.execute(
            "INSERT INTO custom_dimensions (idcustomdimension, idsite, name, `index`, scope, active, extractions) "
            "VALUES (%s, 1, 'Dimension', %s, %s, 1, %s)",
            dimension,
        )


def traffic(count: int, now: float, dice: random.Random, mixed: bool) -> Iterator[TrackingRequest]:
    """Requests in the order of their times."""
    active: list[tuple[str, str, str]] = []
    agents = [AGENT.format(100 + i % 30, 1000 + i, i) for i in range(200)]
    for number in range(count):
        begins = not active or dice.random() < 0.2
        if begins:
            known = dice.random() < 0.5
            visitor = f"{dice.randrange(100_000) + 1:016x}" if known else f"{dice.getrandbits(64):016x}"
            active.append((visitor, f"198.51.{dice.randrange(256)}.{dice.randrange(256)}", dice.choice(agents)))
            if len(active) > 500:
                active.pop(0)
        visitor, address, agent = active[-1] if begins else dice.choice(active)
        if dice.random() < 0.01:
            agent = AGENT.format(dice.randrange(60, 140), dice.randrange(10_000), dice.randrange(10_000))
        page = int(dice.paretovariate(1.1)) % PAGES
        parameters = {
            "idsite": 1,
            "rec": 1,
            "url": f"https://bench.example.org/catalogue/section-{page % 40}/page-{page}.html?color={page % 7}",
            "urlref": "https://www.example.com/search?q=shoes",
            "h": 12,
            "m": 30,
            "s": 15,
            "_id": visitor,
            "res": "1920x1080",
            "pv_id": f"{number % 1_000_000:06d}",
            "cookie": 1,
            "pdf": 1,
            "send_image": 0,
            "r": dice.randrange(1_000_000),
        }
        parameters |= page_view(page, dice, mixed) if begins or not mixed else doing(page, number, dice)
        headers = {"user-agent": agent, "accept-language": "en-US,en;q=0.9"}
        yield TrackingRequest(now + number / 1000, address, urlencode(parameters).encode(), b"", headers)


def page_view(page: int, dice: random.Random, mixed: bool) -> dict[str, Any]:
    """What a page view adds to a request."""
    own: dict[str, Any] = {
        "action_name": f"Catalogue - Page {page}",
        "pf_net": dice.randrange(100),
        "pf_srv": dice.randrange(400),
        "pf_tfr": dice.randrange(50),
        "pf_dm1": dice.randrange(900),
        "pf_dm2": dice.randrange(300),
        "pf_onl": dice.randrange(30),
    }
    if mixed and dice.random() < 0.3:
        own |= {"dimension1": f"plan {page % 5}", "dimension2": f"author {page % 50}"}
    if mixed and dice.random() < 0.05:
        own |= {"_cvar": '{"1":["Type","member"]}', "cvar": f'{{"2":["Category","{page % 9}"]}}'}
    return own


def doing(page: int, number: int, dice: random.Random) -> dict[str, Any]:
    """What a request of mixed traffic does that does not begin a visit; those that do are page views."""
    items = json.dumps(
        [[f"SKU-{page}", f"Product {page}", ["Shoes", "Sale"], 49.99, 2], ["SKU-1", "Laces", "", 3.5, 1]]
    )
    shares: tuple[tuple[float, dict[str, Any]], ...] = (
        (12, {"e_c": ("Video", "Menu")[page % 2], "e_a": "play", "e_n": f"Clip {page % 500}", "e_v": page % 60}),
        (2.5, {"download": f"https://bench.example.org/files/{page % 300}.{('pdf', 'zip')[page % 2]}"}),
        (2.5, {"link": f"https://partner-{page % 200}.example/deal"}),
        (5, {"search": f"shoes {page % 900}", "search_cat": "Men", "search_count": page % 30}),
        (2, {"idgoal": 6, "revenue": 4.5}),
        (1.5, {"idgoal": 0, "revenue": 103.48, "ec_items": items}),
        (1.5, {"idgoal": 0, "revenue": 108.48, "ec_id": f"{number}-{dice.getrandbits(40)}", "ec_items": items}),
        (3, {"ping": 1}),
    )
    throw = dice.random() * 80  # a fifth of all requests begin a visit
    for share, own in shares:
        throw -= share
        if throw < 0:
            return own
    return page_view(page, dice, True)


def is_action(request: TrackingRequest) -> bool:
    """Whether the request makes a row of log_link_visit_action."""
    return b"&ping=1" not in request.query and b"&idgoal=" not in request.query


def push(queue: Backend, requests: list[TrackingRequest]) -> list[str]:
    """Put requests into the queue as the endpoint does, some at a time; the shards that hold any."""
    pusher, name = queue.pusher(), uuid4().hex
    for number, start in enumerate(range(0, len(requests), _FLUSH_REQUESTS), 1):
        part = requests[start : start + _FLUSH_REQUESTS]
        visitors = [int(request.query.split(b"_id=")[1][:16], 16) for request in part]
        pusher.push(Flush(name, number, visitors, [encode(request) for request in part], 0.0))
    return [shard for shard, depth in queue.depths(known_shards(queue)).items() if depth]
