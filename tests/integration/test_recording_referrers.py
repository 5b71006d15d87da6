"""Where visits come from, recorded in batches: what a later batch makes of a visit that an earlier one began."""

from typing import Any
from urllib.parse import urlencode

import pytest
import redis
from queues import queue_on

from footfall.changes import Changes
from footfall.clock import FixedClock
from footfall.database import Database
from footfall.entities.sites import SiteRepository, SiteSettings
from footfall.queue.request import TrackingRequest
from footfall.settings import Settings
from footfall.tracking.recorder import Recorder

SEARCH = "https://www.bing.com/search?q=Late"


class Tracker:
    """Records requests, each in a batch of its own, a minute apart."""

    def __init__(self, database: Database, settings: Settings, clock: FixedClock, idsite: int) -> None:
        self._database = database
        self._recorder = Recorder(database, settings, clock)
        self._now = clock.now().timestamp()
        self._idsite = idsite

    def hit(self, url: str = "https://shop.example.com/", **parameters: Any) -> None:
        self._now += 60
        said = {"idsite": self._idsite, "rec": 1, "_id": "0123456789abcdef", "url": url, **parameters}
        request = TrackingRequest(self._now, "192.0.2.1", urlencode(said).encode(), b"", {})
        batch = self._recorder.prepare([request])
        with self._database.transaction():
            self._recorder.write(batch)

    def visits(self) -> list[tuple[Any, ...]]:
        return self._database.query(
            "SELECT referer_type, referer_name, referer_keyword, referer_url "
            f"FROM {self._database.table('log_visit')} ORDER BY idvisit"
        )


@pytest.fixture
def tracker(database: Database, settings: Settings, clock: FixedClock, redis_client: redis.Redis) -> Tracker:
    site = SiteSettings(name="Shop", urls=["https://shop.example.com"], excluded_referrers="pay.example")
    return Tracker(
        database, settings, clock, SiteRepository(database, clock, Changes(queue_on(redis_client).board)).create(site)
    )


def test_a_direct_visit_learns_later_where_it_came_from(tracker: Tracker) -> None:
    tracker.hit()
    assert tracker.visits() == [(1, None, None, "")]
    tracker.hit(urlref=SEARCH)
    tracker.hit(urlref="https://news.example.net/")
    assert tracker.visits() == [(2, "Bing", "late", SEARCH)]


def test_another_campaign_begins_another_visit(tracker: Tracker) -> None:
    tracker.hit("https://shop.example.com/?mtm_campaign=One")
    tracker.hit("https://shop.example.com/more?mtm_campaign=One", urlref="https://shop.example.com/")
    tracker.hit("https://shop.example.com/?mtm_campaign=Two")
    assert tracker.visits() == [(6, "one", "", ""), (6, "two", "", "")]


def test_what_the_site_excludes_is_no_referrer(tracker: Tracker) -> None:
    tracker.hit(urlref="https://pay.example/done")
    assert tracker.visits() == [(1, None, None, "https://pay.example/done")]


def test_a_spammers_visit_is_not_recorded(tracker: Tracker) -> None:
    tracker.hit(urlref="http://semalt.com/crawler")
    assert tracker.visits() == []


def test_a_page_without_javascript_is_named_by_its_image_request(
    database: Database, settings: Settings, clock: FixedClock, tracker: Tracker
) -> None:
    request = TrackingRequest(
        clock.now().timestamp(), "192.0.2.1", b"idsite=1&rec=1", b"", {"referer": "https://shop.example.com/plain"}
    )
    recorder = Recorder(database, settings, clock)
    with database.transaction():
        recorder.write(recorder.prepare([request]))
    assert database.query(f"SELECT name FROM {database.table('log_action')} WHERE type = 1") == [
        ("shop.example.com/plain",)
    ]
