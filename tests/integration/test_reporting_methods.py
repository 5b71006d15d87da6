"""Methods beside the reports: Live from the log, all numbers in one row, several requests in one, sites compared."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from log_rows import add_site, add_visit

from footfall.archiving.archiver import Archiver
from footfall.archiving.periods import Period, PeriodKind
from footfall.clock import FixedClock
from footfall.database import Database
from footfall.plugins import archived
from footfall.settings import Settings
from footfall.users import Users
from tracker_api.reporting import ReportDesk

MONDAY = date(2026, 8, 10)
NOON = datetime(2026, 8, 10, 12)
Ask = Callable[..., Any]


@pytest.fixture
def ask(settings: Settings, database: Database, clock: FixedClock) -> Ask:
    """Asks in JSON, as a superuser unless a token is given."""
    token = Users(database, settings, clock).create_token("admin", "tests", superuser=True)
    desk = ReportDesk(settings, clock)

    def ask(**parameters: str) -> Any:
        given = {"token_auth": token, **parameters}
        return json.loads(desk.reply(given, (urlencode(given).encode(), b"")).body)

    return ask


@pytest.fixture
def visits(database: Database) -> None:
    """Three visits to one site on a Monday, one to another site the day before."""
    add_site(database, 1)
    add_site(database, 2)
    add_visit(database, 1, NOON, ["a", "b"], visitor=1, seconds=40)
    add_visit(database, 1, NOON + timedelta(hours=1), ["a"], visitor=2)
    add_visit(database, 1, NOON + timedelta(hours=2), ["c"], visitor=1, user="eva")
    add_visit(database, 2, NOON - timedelta(days=1), ["x"], visitor=3)


def archive(database: Database, clock: FixedClock, idsite: int, day: date) -> None:
    Archiver(database, archived(), clock).ensure(idsite, Period.of(PeriodKind.DAY, day))


# Live

LAST = {"method": "Live.getLastVisitsDetails", "idSite": "1"}


def test_the_newest_visits_come_first(ask: Ask, visits: None) -> None:
    assert [visit["visitorId"] for visit in ask(**LAST)] == [f"{visitor:016x}" for visitor in (1, 2, 1)]
    (newest,) = ask(**LAST, filter_limit="1")
    assert (newest["userId"], newest["lastActionDateTime"]) == ("eva", "2026-08-10 14:00:00")
    (second,) = ask(**LAST, filter_limit="1", filter_offset="1")
    assert second["lastActionDateTime"] == "2026-08-10 13:00:00"


def test_visits_of_a_period_are_those_of_the_sites_days(ask: Ask, visits: None) -> None:
    assert len(ask(**LAST, period="day", date="2026-08-10")) == 3
    assert len(ask(**LAST, period="week", date="2026-08-10")) == 3
    assert ask(**LAST, period="day", date="2026-08-09") == []


def test_what_happened_in_a_visit_is_shown_in_order_with_the_time_until_the_next_page(ask: Ask, visits: None) -> None:
    first = ask(**LAST)[-1]
    pages = [(action["type"], action["url"], action["timeSpent"]) for action in first["actionDetails"]]
    assert pages == [
        ("action", "https://shop.example/a", 40),
        ("action", "https://shop.example/b", 0),
    ]


def test_conversions_stand_among_the_actions(ask: Ask, database: Database, visits: None) -> None:
    idvisit = database.query("SELECT MIN(idvisit) FROM log_visit WHERE idsite = 1")[0][0]
    database.execute(
        "INSERT INTO log_conversion (idvisit, idsite, idvisitor, server_time, idgoal, buster, idorder, items, url, "
        "revenue, revenue_subtotal) VALUES (%s, 1, %s, %s, 0, 1, 'O-1', 2, '', 20.5, 18)",
        (idvisit, (1).to_bytes(8, "big"), NOON + timedelta(seconds=10)),
    )
    visit = ask(**LAST)[-1]
    assert [action["type"] for action in visit["actionDetails"]] == ["action", "ecommerceOrder", "action"]
    assert visit["actionDetails"][1]["revenueSubTotal"] == 18
    assert (visit["totalEcommerceConversions"], visit["totalEcommerceRevenue"]) == (1, 20.5)


def test_visits_of_a_segment_are_found_whether_or_not_a_period_is_named(ask: Ask, visits: None) -> None:
    for period in ({}, {"period": "day", "date": "2026-08-10"}):
        (visit,) = ask(**LAST, **period, segment="userId==eva")
        assert visit["userId"] == "eva"
    assert ask(**LAST, segment="nonsense==1")["result"] == "error"


def test_counters_count_the_last_minutes(ask: Ask, clock: FixedClock, visits: None) -> None:
    clock.moment = datetime(2026, 8, 10, 14, 10, tzinfo=UTC)
    counters = {"method": "Live.getCounters", "idSite": "1"}
    assert ask(**counters, lastMinutes="30") == [{"visits": 1, "actions": 1, "visitors": 1, "visitsConverted": 0}]
    assert ask(**counters, lastMinutes="180") == [{"visits": 3, "actions": 4, "visitors": 2, "visitsConverted": 0}]
    assert ask(**counters, lastMinutes="180", segment="userId==eva")[0]["visits"] == 1
    for wrong in ("", "0", "2881"):
        assert "lastMinutes" in ask(**counters, lastMinutes=wrong)["message"]


def test_live_needs_view_access(
    ask: Ask, database: Database, settings: Settings, clock: FixedClock, visits: None
) -> None:
    token = Users(database, settings, clock).create_token("eve", "tests")
    database.execute("INSERT INTO access (login, idsite, access) VALUES ('eve', 2, 'view')")
    assert "no view access to site 1" in ask(**LAST, token_auth=token)["message"]
    assert len(ask(method="Live.getLastVisitsDetails", idSite="2", token_auth=token)) == 1


# The API about itself


def test_all_reports_of_one_row_are_one_row(ask: Ask, database: Database, clock: FixedClock, visits: None) -> None:
    archive(database, clock, 1, MONDAY)
    everything = ask(method="API.get", idSite="1", period="day", date="2026-08-10")
    assert (everything["nb_visits"], everything["nb_pageviews"], everything["Referrers_visitorsFromDirectEntry"]) == (
        3,
        4,
        0,
    )
    chosen = ask(method="API.get", idSite="1", period="day", date="2026-08-10", columns="nb_visits,nb_pageviews")
    assert chosen == {"nb_visits": 3, "nb_pageviews": 4}


def test_a_processed_report_has_its_columns_named_and_metadata_apart(
    ask: Ask, database: Database, clock: FixedClock, visits: None
) -> None:
    archive(database, clock, 1, MONDAY)
    asked = {"idSite": "1", "period": "day", "date": "2026-08-10", "apiModule": "Actions", "apiAction": "getPageUrls"}
    report = ask(method="API.getProcessedReport", **asked)
    assert report["columns"]["nb_hits"] == "Page views"
    assert [row["label"] for row in report["reportData"]] == ["/a", "/b", "/c"]
    assert report["reportMetadata"][0]["url"] == "https://shop.example/a"
    assert (
        "There is no report" in ask(method="API.getProcessedReport", **asked | {"apiAction": "getNothing"})["message"]
    )


def test_clients_are_told_a_version(ask: Ask) -> None:
    assert ask(method="API.getMatomoVersion")["value"].startswith("5.")


def test_several_requests_are_answered_at_once(ask: Ask, database: Database, clock: FixedClock, visits: None) -> None:
    archive(database, clock, 1, MONDAY)
    answers = ask(
        **{
            "method": "API.getBulkRequest",
            "urls[0]": "method=VisitsSummary.getVisits&idSite=1&period=day&date=2026-08-10",
            "urls[1]": "?method=SitesManager.getAllSitesId",
            "urls[2]": "method=VisitsSummary.getVisits&idSite=99&period=day&date=2026-08-10",
        }
    )
    assert answers[:2] == [{"value": 3}, [1, 2]]
    assert answers[2]["result"] == "error"


def test_a_bulk_request_has_requests_and_none_of_its_own_kind(ask: Ask) -> None:
    assert "from 1 to 100 requests" in ask(method="API.getBulkRequest")["message"]
    (nested,) = ask(**{"method": "API.getBulkRequest", "urls[0]": "method=API.getBulkRequest&urls[0]=x"})
    assert "There is no method" in nested["message"]


def test_sites_are_compared_with_the_period_before(
    ask: Ask, database: Database, clock: FixedClock, visits: None
) -> None:
    for idsite in (1, 2):
        for day in (MONDAY - timedelta(days=1), MONDAY):
            archive(database, clock, idsite, day)
    rows = ask(method="MultiSites.getAll", period="day", date="2026-08-10")
    assert [(row["idsite"], row["nb_visits"], row["visits_evolution"]) for row in rows] == [
        (1, 3, "100%"),
        (2, 0, "-100%"),
    ]
    one = ask(method="MultiSites.getOne", idSite="2", period="day", date="2026-08-10")
    assert (one["nb_visits"], one["visits_evolution_trend"]) == (0, -1)


def test_an_error_is_told_in_the_format_asked_for(settings: Settings, clock: FixedClock, database: Database) -> None:
    token = Users(database, settings, clock).create_token("admin", "tests", superuser=True)
    asked = {"method": "VisitsSummary.get", "idSite": "9", "period": "day", "date": "today", "token_auth": token}
    reply = ReportDesk(settings, clock).reply({**asked, "format": "CSV"}, (b"", b""))
    assert (reply.status, reply.content_type) == (200, "text/html; charset=utf-8")
    assert reply.body == b"Error: There is no site 9."
