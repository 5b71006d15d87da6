"""What holds whatever clients send: nothing breaks a batch, and batches and shards make no difference."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

import pytest
import recorded_tracking
from conftest import SettingsFactory
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from recorded_tracking import Rows

from footfall.clock import SystemClock
from footfall.database import Database
from footfall.queue.request import TrackingRequest
from footfall.settings import Settings
from footfall.tracking.recorder import Recorder

LOG_TABLES = ("log_visit", "log_link_visit_action", "log_conversion", "log_conversion_item")
NOW = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0).timestamp()
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"

bounded = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass
class Tracker:
    """A recorder on a database with the sites of the scenarios."""

    database: Database
    recorder: Recorder

    def record(self, *batches: Sequence[TrackingRequest]) -> None:
        for batch in batches:
            if batch:
                recorded_tracking.record(self.recorder, self.database, batch)

    def rows(self) -> Rows:
        return recorded_tracking.rows_after(self.database, 0)

    def clear(self) -> None:
        for table in LOG_TABLES:
            self.database.execute(f"DELETE FROM {table}")


@pytest.fixture(scope="module")
def recording_settings(new_settings: SettingsFactory) -> Settings:
    return new_settings(anonymize_ip_bytes=0)


@pytest.fixture(scope="module")
def tracker(recording_settings: Settings) -> Iterator[Tracker]:
    database = Database(recording_settings)
    recorded_tracking.put_sites(database)
    yield Tracker(database, Recorder(database, recording_settings, SystemClock()))
    database.close()


def request(parameters: dict[str, Any], address: str = "198.51.100.7", at: float = NOW) -> TrackingRequest:
    query = urlencode({"idsite": 1, "rec": 1, **parameters}).encode()
    return TrackingRequest(at, address, query, b"", {"user-agent": AGENT, "accept-language": "en"})


# --- nothing breaks a batch ---------------------------------------------------------------------------------------

PARAMETERS = (
    *("url", "urlref", "action_name", "_id", "cid", "uid", "new_visit", "ping", "pv_id", "res", "lang", "ua", "uadata"),
    *("h", "m", "s", "cookie", "pdf", "ag", "cdt", "country", "city", "lat", "idgoal", "revenue", "ca"),
    *("pf_net", "pf_srv", "pf_onl", "link", "download", "search", "search_cat", "search_count"),
    *("e_c", "e_a", "e_n", "e_v", "c_n", "c_p", "c_t", "c_i", "ec_id", "ec_items", "ec_st", "ec_tx", "ec_sh", "ec_dt"),
    *("_pks", "_pkn", "_pkc", "_pkp", "cvar", "_cvar", "dimension1", "dimension2", "dimension3", "_rcn", "_rck"),
)
NASTY = st.sampled_from(
    (
        *("", " ", "0", "-1", "1", "2", "10", "1e400", "-1e300", "99999999999999999999", "4294967296", "nan", "inf"),
        *("1.7976931348623157e308", "3.5e38", "0.005", "\x00", "\r\n", "'", '"', "\\", "%", "\ud7ff", "\U0001f600"),
        *("https://shop.example.com/thanks?q=x#y", "//", "http://", "http://[", "https://[::1", "mailto:a@b"),
        *("[]", "[[]]", '[["a"]]', '[["a","b",["c"],1e308,1e308]]', '[["a","b",{},-5,-3],["a","",0,"x",null]]'),
        *('{"1":["a","b"]}', '{"99999999999":["a","b"]}', '{"1":[1e308,2]}', "{", "[" * 5000, '"\\ud800"'),
        *("x" * 5000, "é" * 300, "靴" * 1100, "a" * 16, "f" * 16, "2026-02-30", "9999999999", "A-1", "a-1 "),
    )
)
parameters = st.dictionaries(st.sampled_from(PARAMETERS), NASTY | st.text(max_size=40), max_size=12)
wild = st.builds(
    TrackingRequest,
    received_at=st.just(NOW),
    address=st.sampled_from(("198.51.100.7", "2001:db8::1", "nowhere", "")),
    query=st.binary(max_size=200) | parameters.map(lambda p: request(p).query),
    body=st.binary(max_size=60),
    headers=st.dictionaries(
        st.sampled_from(("user-agent", "accept-language", "referer", "dnt")), st.text(max_size=30), max_size=3
    ),
)


@bounded
@given(st.lists(wild, min_size=1, max_size=12))
def test_whatever_is_sent_the_others_are_recorded(tracker: Tracker, requests: list[TrackingRequest]) -> None:
    tracker.clear()
    good = request({"_id": "0123456789abcdef", "url": "https://shop.example.com/good", "new_visit": 1}, "192.0.2.99")
    tracker.record([good, *requests, good])
    (count,) = tracker.database.query(
        "SELECT COUNT(*) FROM log_link_visit_action l JOIN log_action a ON a.idaction = l.idaction_url "
        "WHERE a.name = 'shop.example.com/good'"
    )[0]
    assert count >= 2


# --- batches and shards make no difference ------------------------------------------------------------------------

ITEMS = ('[["S1","Boots","Shoes",49.99,1]]', '[["S1","Boots","Shoes",49.99,2],["S2","Laces",["Extras"],3.5,1]]', "")
DOINGS = (
    {"url": "https://shop.example.com/", "action_name": "Home"},
    {"url": "https://shop.example.com/product/5", "action_name": "Five", "dimension1": "gold", "dimension2": "ann"},
    {"url": "https://shop.example.com/thanks", "action_name": "Checkout", "_cvar": '{"1":["Type","member"]}'},
    {"url": "https://shop.example.com/?mtm_campaign=Win&mtm_kwd=w", "dimension1": "silver"},
    {"url": "https://shop.example.com/find?q=hat", "urlref": "https://www.google.com/"},
    {"url": "https://shop.example.com/p", "e_c": "Video", "e_a": "play", "e_v": 2},
    {"url": "https://shop.example.com/p", "download": "https://shop.example.com/f.pdf"},
    {"url": "https://shop.example.com/p", "link": "https://partner.example/"},
    {"url": "https://shop.example.com/p", "c_n": "Banner", "c_p": "b.png"},
    {"url": "https://shop.example.com/p", "idgoal": 10, "revenue": 3},
    {"url": "https://shop.example.com/p", "idgoal": 12},
    {"url": "https://shop.example.com/p", "ping": 1},
    {"url": "https://shop.example.com/p", "new_visit": 1},
    *({"url": "https://shop.example.com/cart", "idgoal": 0, "revenue": 50, "ec_items": items} for items in ITEMS),
    *(
        {"url": "https://shop.example.com/done", "idgoal": 0, "revenue": 50, "ec_items": items, "ec_id": order_id}
        for items, order_id in zip(ITEMS, ("A-1", "A-2", "A-3"), strict=True)
    ),
)
hits = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(DOINGS), st.sampled_from((1, 20, 300, 1799, 1801, -5))),
    min_size=1,
    max_size=12,
)


def visit_of(told: list[tuple[int, dict[str, Any], int]]) -> list[tuple[int, TrackingRequest]]:
    """Requests of up to three visitors (who have it in common that they order), with their visitors."""
    requests, moment = [], NOW
    for visitor, doing, pause in told:
        moment += pause
        own = {**doing, "_id": f"{visitor:016x}"}
        if "ec_id" in own:
            own["ec_id"] = f"{visitor} {own['ec_id']}"
        requests.append((visitor, request(own, f"192.0.2.{visitor + 1}", moment)))
    return requests


CART = {
    "url": "https://shop.example.com/cart",
    "idgoal": 0,
    "revenue": 50,
    "ec_items": '[["S1","Boots","Shoes",49.99,1]]',
}
CAMPAIGN = {"url": "https://shop.example.com/?mtm_campaign=Win&mtm_kwd=w"}


@bounded
@given(told=hits, cuts=st.sets(st.integers(1, 11)))
@example(told=[(0, CART, 1), (0, CAMPAIGN, 1), (0, CART, 1)], cuts={1})
def test_any_split_into_batches_gives_the_same_rows(
    tracker: Tracker, told: list[tuple[int, dict[str, Any], int]], cuts: set[int]
) -> None:
    requests = [request for _, request in visit_of(told)]
    tracker.clear()
    tracker.record(requests)
    together = tracker.rows()
    tracker.clear()
    edges = [0, *sorted(cuts), len(requests)]
    tracker.record(*(requests[start:end] for start, end in pairwise(edges)))
    assert recorded_tracking.differences(together, tracker.rows()) == []


@bounded
@given(told=hits, shards=st.permutations(range(3)))
def test_any_number_of_shards_gives_each_visitor_the_same_rows(
    tracker: Tracker, told: list[tuple[int, dict[str, Any], int]], shards: list[int]
) -> None:
    requests = visit_of(told)
    tracker.clear()
    tracker.record([request for _, request in requests])
    together = {visitor: of_visitor(tracker.rows(), visitor) for visitor in range(3)}
    tracker.clear()
    for shard in shards:
        tracker.record([request for visitor, request in requests if visitor == shard])
    apart = {visitor: of_visitor(tracker.rows(), visitor) for visitor in range(3)}
    for visitor in range(3):
        assert recorded_tracking.differences(together[visitor], apart[visitor]) == []


def of_visitor(rows: Rows, visitor: int) -> Rows:
    """The visitor's rows, ids counted within them."""
    own = {table: [row for row in found if row["idvisitor"] == f"{visitor:016x}"] for table, found in rows.items()}
    visits = {row["idvisit"]: number for number, row in enumerate(own["log_visit"], 1)}
    links = {row["idlink_va"]: number for number, row in enumerate(own["log_link_visit_action"], 1)}
    numbers = {"idvisit": visits, "idlink_va": links, "last_idlink_va": links}
    return {
        table: [
            {column: numbers[column].get(value, value) if column in numbers else value for column, value in row.items()}
            for row in found
        ]
        for table, found in own.items()
    }
