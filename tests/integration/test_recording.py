"""Recording beyond the recorded scenarios: goals of the visit, late timings, carts and orders in odd turns."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
import recorded_tracking

from footfall.clock import SystemClock
from footfall.database import Database
from footfall.queue.request import TrackingRequest
from footfall.settings import Settings
from footfall.tracking.recorder import Recorder

SHOP = "https://shop.example.com"
NOON = 1_790_000_000.0
BOOTS, LACES = ["B", "Boots", "Shoes", 50, 1], ["L", "Laces", "", 3, 2]

Send = Callable[..., None]


@pytest.fixture
def recorder(settings: Settings, database: Database) -> Recorder:
    recorded_tracking.put_sites(database)
    return Recorder(database, settings, SystemClock())


@pytest.fixture
def send(recorder: Recorder, database: Database) -> Iterator[Send]:
    """Records a hit at so many seconds after noon, each in a batch of its own."""

    def record(at: int, visitor: int = 1, **parameters: Any) -> None:
        query = urlencode({"idsite": 1, "rec": 1, "_id": f"{visitor:016x}", "url": f"{SHOP}/p", **parameters})
        address = f"192.0.2.{visitor}"
        request = TrackingRequest(NOON + at, address, query.encode(), b"", {"user-agent": "Firefox/128.0"})
        recorded_tracking.record(recorder, database, [request])

    yield record


def add_goal(database: Database, attribute: str, number: int) -> None:
    database.execute(
        "INSERT INTO goal (idsite, idgoal, name, match_attribute, pattern, pattern_type, case_sensitive, "
        "allow_multiple, revenue) VALUES (1, 50, 'Engaged', %s, %s, 'greater_than', 0, 0, 2)",
        (attribute, str(number)),
    )


@pytest.mark.parametrize(("attribute", "number"), [("visit_duration", 1), ("visit_total_actions", 2)])
def test_a_goal_of_the_visit_is_converted_once_when_its_number_is_exceeded(
    send: Send, database: Database, attribute: str, number: int
) -> None:
    add_goal(database, attribute, number)
    send(0, action_name="one")
    send(60, action_name="two")
    assert database.query("SELECT COUNT(*) FROM log_conversion") == [(0,)]
    send(61, e_c="Menu", e_a="open")
    send(90, action_name="four")
    assert database.query("SELECT idgoal, revenue, url FROM log_conversion") == [(50, 2.0, f"{SHOP}/p")]


def test_a_goal_of_page_views_does_not_count_events(send: Send, database: Database) -> None:
    add_goal(database, "visit_nb_pageviews", 1)
    send(0, action_name="one")
    send(1, e_c="Menu", e_a="open")
    assert database.query("SELECT COUNT(*) FROM log_conversion") == [(0,)]
    send(2, action_name="two")
    assert database.query("SELECT idgoal FROM log_conversion") == [(50,)]


def test_timings_that_come_with_a_later_request_belong_to_their_page_view(send: Send, database: Database) -> None:
    send(0, action_name="one", pv_id="abc123", pf_net=5)
    send(1, e_c="Menu", e_a="open", pv_id="abc123", pf_srv=40, pf_onl=99_999_999)
    rows = database.query(
        "SELECT time_network, time_server, time_on_load FROM log_link_visit_action ORDER BY idlink_va"
    )
    assert rows == [(5, 40, None), (None, None, None)]


def test_the_first_page_after_a_download_is_the_entry_page(send: Send, database: Database) -> None:
    send(0, download=f"{SHOP}/f.zip")
    send(5, url=f"{SHOP}/first", action_name="First")
    send(9, url=f"{SHOP}/second", action_name="Second")
    assert database.query(
        "SELECT e.name, x.name, visit_entry_idaction_name FROM log_visit JOIN log_action e ON e.idaction = "
        "visit_entry_idaction_url JOIN log_action x ON x.idaction = visit_exit_idaction_url"
    ) == [("shop.example.com/first", "shop.example.com/second", 0)]


def test_what_leaves_a_cart_is_kept_as_deleted(send: Send, database: Database) -> None:
    send(0, idgoal=0, revenue=56, ec_items=listed(BOOTS, LACES))
    send(5, idgoal=0, revenue=50, ec_items=listed(BOOTS))
    assert items(database) == [("0", "B", 1, 0), ("0", "L", 2, 1)]
    assert database.query("SELECT idgoal, items, revenue FROM log_conversion") == [(-1, 1, 50.0)]


def test_an_order_after_an_order_and_a_cart_takes_the_cart_over(send: Send, database: Database) -> None:
    send(0, idgoal=0, revenue=50, ec_id="A", ec_items=listed(BOOTS))
    send(5, idgoal=0, revenue=6, ec_items=listed(LACES))
    assert database.query("SELECT visit_goal_buyer FROM log_visit") == [(3,)]
    send(9, idgoal=0, revenue=6, ec_id="B", ec_items=listed(LACES))
    assert database.query("SELECT idgoal, idorder FROM log_conversion ORDER BY idorder") == [(0, "A"), (0, "B")]
    assert items(database) == [("A", "B", 1, 0), ("B", "L", 2, 0)]


def test_an_order_id_counts_once_for_the_site_whoever_sends_it(send: Send, database: Database) -> None:
    send(0, 1, idgoal=0, revenue=50, ec_id="A-1", ec_items=listed(BOOTS))
    send(5, 2, idgoal=0, revenue=50, ec_id="a-1", ec_items=listed(BOOTS))
    assert database.query("SELECT idorder FROM log_conversion") == [("A-1",)]
    assert items(database) == [("A-1", "B", 1, 0)]
    assert database.query("SELECT COUNT(*) FROM log_visit") == [(2,)]


def test_the_items_of_an_order_that_another_worker_recorded_first_are_left_out(
    recorder: Recorder, database: Database, settings: Settings, send: Send
) -> None:
    query = urlencode({"idsite": 1, "rec": 1, "_id": "f" * 16, "idgoal": 0, "ec_id": "A", "revenue": 1}) + (
        "&ec_items=" + listed(LACES)
    )
    batch = recorder.prepare([TrackingRequest(NOON, "192.0.2.9", query.encode(), b"", {})])
    original = recorder._run

    def overtaken(*args: Any) -> Any:
        outcome = original(*args)
        other = Recorder(Database(settings), settings, SystemClock())
        first = query.replace("f" * 16, "e" * 16).encode()
        recorded_tracking.record(other, other._database, [TrackingRequest(NOON, "192.0.2.8", first, b"", {})])
        return outcome

    recorder._run = overtaken  # type: ignore[method-assign]
    with database.transaction():
        recorder.write(batch)
    assert database.query("SELECT COUNT(*) FROM log_conversion_item") == [(1,)]


def listed(*items: list[Any]) -> str:
    """Items as clients send them."""
    return json.dumps(items)


def items(database: Database) -> list[tuple[Any, ...]]:
    return database.query(
        "SELECT idorder, name, quantity, deleted FROM log_conversion_item JOIN log_action ON idaction = idaction_sku "
        "ORDER BY idorder, name"
    )
