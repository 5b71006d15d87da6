"""Made-up but realistic traffic of a small shop: visits of several pages, as a browser's tracker would send them."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

SITE = "https://shop.example.org"

# Pages (path, title, how often) and where visits come from (address, how often).
_PAGES = [
    ("/", "Welcome", 30),
    ("/products", "All products", 20),
    *((f"/products/{name}", name.replace("-", " ").capitalize(), 4) for name in (
        "red-kettle", "blue-kettle", "tea-pot", "cast-iron-pan", "bread-knife", "oven-glove", "salt-mill", "apron",
    )),
    ("/blog", "Blog", 8),
    *((f"/blog/2026/{number:02d}", f"Letter no. {number} from the kitchen", 2) for number in range(1, 13)),
    ("/basket", "Your basket", 6),
    ("/checkout", "Checkout", 3),
    ("/about", "About us", 3),
    ("/imprint", "Imprint", 1),
]  # fmt: skip
_REFERRERS = [
    ("", 45),
    ("https://www.google.com/", 25),
    ("https://duckduckgo.com/", 6),
    ("https://www.bing.com/search?q=cast+iron+pan", 5),
    ("https://www.facebook.com/", 6),
    ("https://news.ycombinator.com/item?id=1", 3),
    ("https://kitchen-blog.example.net/best-kettles", 10),
]
_WEBKIT, _BLINK = "AppleWebKit/605.1.15 (KHTML, like Gecko)", "AppleWebKit/537.36 (KHTML, like Gecko)"
_AGENTS = [
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_BLINK} Chrome/{{v}}.0.0.0 Safari/537.36",
    f"Mozilla/5.0 (Linux; Android 14; SM-S918B) {_BLINK} Chrome/{{v}}.0.0.0 Mobile Safari/537.36",
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_WEBKIT} Version/17.{{m}} Safari/605.1.15",
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_{{m}} like Mac OS X) {_WEBKIT} Version/17.{{m}} Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:{v}.0) Gecko/20100101 Firefox/{v}.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{v}.0) Gecko/20100101 Firefox/{v}.0",
]
_LANGUAGES = ["en-US,en;q=0.9", "de-DE,de;q=0.9,en;q=0.5", "fr-FR,fr;q=0.9", "es-ES,es;q=0.9", "nl-NL,nl;q=0.8"]
_SCREENS = ["1920x1080", "1440x900", "390x844", "412x915", "2560x1440"]
_VISIT_ROOM = timedelta(minutes=40)


@dataclass(frozen=True)
class Request:
    """One tracking request: the query string and the headers that a browser sends."""

    query: str
    headers: dict[str, str]


@dataclass(frozen=True)
class Moments:
    """When the visits are: spread over whole days in the past, or at the moment they are sent.

    Args:
        days: the first moments of past days (UTC).
        token: of a superuser, without which the past and the address of others cannot be claimed.
        past: the share of visits in the past.
    """

    days: list[datetime]
    token: str
    past: float


def visits(randomness: random.Random, idsite: int, moments: Moments) -> Iterator[list[Request]]:
    """Visits without end, as lists of requests, each list to be sent in its order; none in the past crosses midnight.

    Args:
        idsite: the site they go to.
    """
    while True:
        visitor = {
            "idsite": idsite,
            "rec": 1,
            "_id": f"{randomness.getrandbits(64):016x}",
            "res": randomness.choice(_SCREENS),
            "cookie": 1,
            "token_auth": moments.token,
            "cip": ".".join(str(randomness.randint(1, 250)) for _ in range(4)),
        }
        agent = randomness.choice(_AGENTS).format(v=randomness.randint(129, 132), m=randomness.randint(3, 6))
        headers = {"User-Agent": agent, "Accept-Language": randomness.choice(_LANGUAGES)}
        at = None
        if randomness.random() < moments.past:
            day = randomness.choice(moments.days)
            at = day + randomness.random() * (timedelta(days=1) - _VISIT_ROOM)
        yield list(_requests(randomness, visitor, headers, at))


def _requests(
    randomness: random.Random, visitor: dict[str, object], headers: dict[str, str], at: datetime | None
) -> Iterator[Request]:
    referrer = _weighted(randomness, _REFERRERS)[0]
    for _ in range(min(12, 1 + int(randomness.expovariate(0.4)))):
        path, title, _often = _weighted(randomness, _PAGES)
        page = {"url": SITE + path, "action_name": title, "urlref": referrer, "rand": randomness.randrange(10**6)}
        when = {} if at is None else {"cdt": at.strftime("%Y-%m-%d %H:%M:%S")}
        yield Request(urlencode(visitor | page | when), headers)
        referrer = SITE + path
        if at is not None:
            at += timedelta(seconds=randomness.randint(4, 190))


def _weighted(randomness: random.Random, rows: list) -> tuple:
    return randomness.choices(rows, weights=[row[-1] for row in rows])[0]
