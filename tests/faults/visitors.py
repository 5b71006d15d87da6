"""Visitors of a small shop: the pages of tools/traffic.py, and events, downloads, searches, goals and orders beside.

Each request carries its number, in a parameter that its log row keeps and no archive holds: `pv_id`, the order's id, or
the address of a page that a goal is converted on. Half of the visits say that they happened earlier (`cdt`), so that
archives of more than one day are made and some visitors' visits are far apart.
"""

import itertools
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import Enum
from urllib.parse import parse_qsl, urlencode

import traffic

from faults.ledger import Entry, encode

SITES = (1, 2)
GOAL = 1  # of each site: by hand, and as often as wanted in a visit
_REMEMBERED = 50


class What(Enum):
    """Where a request leaves its number in the log tables."""

    ACTION = "log_link_visit_action, by its id of a page view (pv_id)"
    GOAL = "log_conversion, by its URL"
    ORDER = "log_conversion, by its order id"


class Visitors:
    """Visits without end, for one client: a visitor's requests must be sent by one sender, in order.

    Args:
        numbers: gives out the numbers of requests, to all clients.
        token: of a user with write access, for the visitors' addresses and times.
    """

    def __init__(self, chance: random.Random, numbers: Iterator[int], token: str) -> None:
        self._chance = chance
        self._numbers = numbers
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        moments = traffic.Moments([today - timedelta(days=days) for days in (1, 2)], token, past=0.5)
        self._visits = [traffic.visits(chance, site, moments) for site in SITES]
        self._known: list[tuple[dict[str, str], dict[str, str]]] = []

    def visit(self) -> Iterator[Entry]:
        """The requests of a new visit, numbered at the moment each is taken; of a visitor of before, now and then."""
        requests = next(self._chance.choice(self._visits))
        parameters = [dict(parse_qsl(request.query)) for request in requests]
        headers = requests[0].headers
        if self._known and self._chance.random() < 0.3:
            identity, headers = self._chance.choice(self._known)
        else:
            identity = {name: parameters[0][name] for name in ("idsite", "_id", "cip", "res")}
            self._known = [*self._known[-_REMEMBERED:], (identity, headers)]
        for place, request in enumerate(parameters):
            yield self._numbered(What.ACTION, {**request, **identity}, headers)
            for what, changes in self._besides(last=place == len(parameters) - 1):
                yield self._numbered(what, {**request, **identity, **changes}, headers)

    def _besides(self, last: bool) -> Iterator[tuple[What, dict[str, str]]]:
        chance = self._chance
        if chance.random() < 0.15:
            yield (
                What.ACTION,
                {"e_c": "Video", "e_a": chance.choice(("play", "stop")), "e_v": str(chance.randint(1, 9))},
            )
        if chance.random() < 0.08:
            yield What.ACTION, {"download": f"{traffic.SITE}/files/list{chance.randint(1, 5)}.pdf"}
        if chance.random() < 0.08:
            yield What.ACTION, {"link": f"https://partner{chance.randint(1, 5)}.example.net/"}
        if chance.random() < 0.08:
            yield What.ACTION, {"search": chance.choice(("kettle", "pan", "knife")), "search_count": "3"}
        if last and chance.random() < 0.3:
            yield What.GOAL, {"idgoal": str(GOAL), "revenue": str(chance.randint(1, 50))}
        if last and chance.random() < 0.3:
            items = [[f"sku{chance.randint(1, 9)}", "A thing", "Things", chance.randint(1, 30), chance.randint(1, 3)]]
            yield What.ORDER, {"idgoal": "0", "revenue": str(chance.randint(5, 90)), "ec_items": json.dumps(items)}

    def _numbered(self, what: What, parameters: dict[str, str], headers: dict[str, str]) -> Entry:
        number = next(self._numbers)
        parameters["pv_id"] = encode(number)
        if what is What.GOAL:
            parameters["url"] = f"{traffic.SITE}/thanks?n={number}"
        elif what is What.ORDER:
            parameters["ec_id"] = f"n{number}"
        return Entry(number, parameters["_id"], urlencode(parameters), headers)


def numbers() -> Iterator[int]:
    """Numbers for all clients of a run."""
    return itertools.count(1)
