"""What later visits, and later requests of a visit, make of a visitor: a customer, someone who moved."""

from urllib.parse import urlencode

import pytest
import recorded_tracking

from footfall.clock import SystemClock
from footfall.database import Database
from footfall.queue.request import TrackingRequest
from footfall.settings import Settings
from footfall.tracking.recorder import Recorder
from footfall.users import Users

NOON = 1_790_000_000
HOUR = 3600


@pytest.fixture
def token(settings: Settings, database: Database) -> str:
    return Users(database, settings, SystemClock()).create_token("admin", "test", superuser=True)


@pytest.fixture
def recorder(settings: Settings, database: Database) -> Recorder:
    recorded_tracking.put_sites(database)
    return Recorder(database, settings, SystemClock())


def hit(at: int, **parameters: object) -> TrackingRequest:
    query = urlencode({"idsite": 1, "rec": 1, "_id": "00000000000000aa", "url": "https://a.example/", **parameters})
    return TrackingRequest(NOON + at, "192.0.2.1", query.encode(), b"", {"user-agent": "Firefox/128.0"})


def test_who_ordered_is_a_customer_from_the_second_visit_after_the_order(
    recorder: Recorder, database: Database
) -> None:
    order = hit(10, idgoal=0, ec_id="A-1", revenue=5)
    recorded_tracking.record(recorder, database, [hit(0), order, hit(HOUR), hit(2 * HOUR), hit(3 * HOUR)])
    assert database.query("SELECT visitor_returning FROM log_visit ORDER BY idvisit") == [(0,), (1,), (2,), (2,)]


@pytest.mark.parametrize("in_one_batch", [True, False])
def test_a_visit_is_where_its_latest_request_says_and_a_conversion_where_it_was_then(
    recorder: Recorder, database: Database, token: str, in_one_batch: bool
) -> None:
    hits = [
        hit(0, token_auth=token, country="fr"),
        hit(1, idgoal=10),
        hit(2, token_auth=token, country="br", region="SP"),
        hit(3, idgoal=12),
    ]
    for batch in [hits] if in_one_batch else [[each] for each in hits]:
        recorded_tracking.record(recorder, database, batch)
    assert database.query("SELECT location_country, location_region FROM log_visit") == [("br", "SP")]
    assert database.query("SELECT idgoal, location_country, location_region FROM log_conversion ORDER BY idgoal") == [
        (10, "fr", None),
        (12, "br", "SP"),
    ]
