"""What a token allows, what is refused without one, and what a site leaves out: from the request to the rows."""

import socket
from collections.abc import Callable
from dataclasses import replace
from time import time
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from footfall.clock import FixedClock, SystemClock
from footfall.database import Database
from footfall.options import Options
from footfall.queue.request import TrackingRequest
from footfall.queue.tokens import sealed
from footfall.settings import Settings
from footfall.tracking.recorder import BatchReport, Recorder
from footfall.users import Users

Record = Callable[..., BatchReport]
ADDRESS = "198.51.100.23"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


@pytest.fixture
def site(database: Database) -> Callable[..., None]:
    """Makes site 1; values are columns."""

    def make(**values: object) -> None:
        columns: dict[str, object] = dict.fromkeys(
            (
                *("excluded_ips", "excluded_parameters", "excluded_user_agents", "excluded_referrers", "group"),
                *("type", "sitesearch_keyword_parameters", "sitesearch_category_parameters"),
            ),
            "",
        )
        columns |= {"idsite": 1, "name": "A", "main_url": "https://a.example", "timezone": "UTC", "currency": "EUR"}
        columns |= values
        names = ", ".join(f"`{name}`" for name in columns)
        database.execute(
            f"INSERT INTO site ({names}) VALUES ({', '.join(['%s'] * len(columns))})", tuple(columns.values())
        )

    return make


@pytest.fixture
def users(database: Database, settings: Settings) -> Users:
    return Users(database, settings, SystemClock())


@pytest.fixture
def token(users: Users) -> str:
    return users.create_token("admin", "of a test", superuser=True)


def page_view(**parameters: object) -> TrackingRequest:
    query = urlencode({"idsite": 1, "rec": 1, "url": "https://a.example/", **parameters})
    return TrackingRequest(time(), ADDRESS, query.encode(), b"", {"user-agent": FIREFOX, "accept-language": "de-AT"})


@pytest.fixture
def record(database: Database, settings: Settings) -> Record:
    """Records requests as one batch; values are settings."""

    def record(*requests: TrackingRequest, clock: Any = None, **values: object) -> BatchReport:
        recorder = Recorder(database, replace(settings, **values), clock or SystemClock())  # type: ignore[arg-type]
        batch = recorder.prepare(requests)
        with database.transaction():
            return recorder.write(batch)

    return record


def visits(database: Database, *columns: str) -> list[tuple[Any, ...]]:
    return database.query(f"SELECT {', '.join(columns)} FROM log_visit ORDER BY idvisit")


def failures(database: Database) -> list[tuple[int, int]]:
    return database.query("SELECT idsite, idfailure FROM tracking_failure ORDER BY 1, 2")


# Tokens


def test_a_token_sets_address_time_and_place(
    site: Callable[..., None], record: Record, database: Database, token: str
) -> None:
    site()
    yesterday = int(time()) - 100_000
    place = {"country": "nz", "region": "AUK", "city": "Auckland", "lat": "-36.85", "long": "174.76"}
    record(page_view(token_auth=token, cip="192.0.2.9", cdt=yesterday, **place), anonymize_ip_bytes=0)
    columns = ("location_ip", "location_country", "location_region", "location_city", "location_latitude")
    ((address, *found),) = visits(database, *columns)
    assert socket.inet_ntoa(bytes(address)) == "192.0.2.9"
    assert [str(value) for value in found] == ["nz", "AUK", "Auckland", "-36.850000"]


def test_without_a_token_a_place_says_nothing(site: Callable[..., None], record: Record, database: Database) -> None:
    site()
    record(page_view(country="nz", city="Auckland"))
    assert visits(database, "location_country", "location_city") == [("at", None)]


@pytest.mark.parametrize("parameters", [{"cip": "192.0.2.9"}, {"cdt": "2020-01-02 03:04:05"}])
def test_without_a_token_another_address_and_an_old_time_are_refused(
    site: Callable[..., None], record: Record, database: Database, parameters: dict[str, str]
) -> None:
    site()
    (rejection,) = record(page_view(**parameters)).rejected
    assert "needs a token_auth with write access" in rejection.reason
    assert (visits(database, "idvisit"), failures(database)) == ([], [(1, 2)])


def test_a_token_without_write_access_to_the_site_is_refused(
    site: Callable[..., None], record: Record, database: Database, users: Users
) -> None:
    site()
    token = users.create_token("reader", "of a test")
    database.execute("INSERT INTO access (login, idsite, access) VALUES ('reader', 1, 'view')")
    assert len(record(page_view(token_auth=token, cip="192.0.2.9")).rejected) == 1
    database.execute("UPDATE access SET access = 'write'")
    assert record(page_view(token_auth=token, cip="192.0.2.9")).rejected == []


def test_a_request_that_was_kept_without_its_token_is_recorded_as_if_it_had_it(
    site: Callable[..., None], record: Record, database: Database, token: str, users: Users
) -> None:
    site()
    kept = sealed(page_view(token_auth=token, country="nz"), users.hash_token)
    assert token.encode() not in kept.query
    assert record(kept).visits == 1
    database.execute("DELETE FROM user_token_auth")
    record(msgspec.structs.replace(kept, address="192.0.2.77"))
    assert visits(database, "location_country") == [("nz",), ("at",)]


# Tracking failures


def test_a_tracking_failure_is_the_first_of_its_site_and_kind_without_the_token(
    record: Record, database: Database
) -> None:
    secret = "0123456789abcdef" * 2
    record(page_view(idsite=9, token_auth=secret), page_view(idsite=9, action_name="second"), page_view(idsite=8))
    record(page_view(idsite=9, action_name="third"))
    assert failures(database) == [(8, 1), (9, 1)]
    ((shown,),) = database.query("SELECT request_url FROM tracking_failure WHERE idsite = 9")
    assert shown == "idsite=9&rec=1&url=https%3A%2F%2Fa.example%2F&token_auth=__TOKEN_AUTH__"


def test_a_tracking_failure_is_forgotten_after_two_days(record: Record, database: Database, clock: FixedClock) -> None:
    database.execute("INSERT INTO tracking_failure VALUES (7, 1, '2026-08-18 11:59:59', ''), (6, 2, '2026-08-19', '')")
    record(page_view(idsite=9), clock=clock)
    assert failures(database) == [(6, 2), (9, 1)]


# Exclusions


def test_a_site_and_all_sites_leave_out_addresses_and_user_agents(
    site: Callable[..., None], record: Record, database: Database
) -> None:
    site(excluded_ips="198.51.100.*", excluded_user_agents="BadBot")
    options = Options(database)
    options.set("SitesManager_ExcludedIpsGlobal", "203.0.113.0/24")
    options.set("SitesManager_ExcludedUserAgentsGlobal", "/^curl/")
    own, everywhere, agent, pattern, other = (
        msgspec.structs.replace(page_view(), address=address, headers={"user-agent": user_agent})
        for address, user_agent in [
            (ADDRESS, FIREFOX),
            ("203.0.113.9", FIREFOX),
            ("192.0.2.1", "a badbot"),
            ("192.0.2.1", "curl/8"),
            ("192.0.2.1", FIREFOX),
        ]
    )
    report = record(own, everywhere, agent, pattern, other)
    assert report.excluded == {"excluded address": 2, "excluded user agent": 2}
    assert (report.rejected, report.visits) == ([], 1)
    assert database.query("SELECT COUNT(*) FROM log_visit") == [(1,)]


def test_the_address_that_is_excluded_is_the_one_that_a_token_sets(
    site: Callable[..., None], record: Record, token: str
) -> None:
    site(excluded_ips="198.51.100.*")
    assert record(page_view(token_auth=token, cip="192.0.2.9")).visits == 1
    assert record(page_view(token_auth=token, cip="198.51.100.9")).excluded == {"excluded address": 1}


def test_a_ping_that_has_no_visit_to_continue_is_counted_as_left_out(
    site: Callable[..., None], record: Record, database: Database
) -> None:
    site()
    assert dict(record(page_view(ping=1)).excluded) == {"ping without a visit": 1}
    assert visits(database, "idvisit") == []
    record(page_view())
    assert not record(page_view(ping=1)).excluded


def test_parameters_that_all_sites_exclude_are_dropped_from_urls(
    site: Callable[..., None], record: Record, database: Database
) -> None:
    site(excluded_parameters="own")
    Options(database).set("SitesManager_ExcludedQueryParameters", "everywhere,/^p_/")
    record(page_view(url="https://a.example/x?own=1&everywhere=2&p_a=3&pk_vid=4&mc_cid=5"))
    assert database.query("SELECT name FROM log_action WHERE type = 1") == [("a.example/x?mc_cid=5",)]


# Addresses


def test_an_address_is_masked_before_it_is_stored(
    site: Callable[..., None], record: Record, database: Database
) -> None:
    site()
    record(page_view())
    ((address,),) = visits(database, "location_ip")
    assert socket.inet_ntoa(bytes(address)) == "198.51.0.0"


def test_visitors_are_told_apart_by_the_whole_address_unless_a_setting_says_otherwise(
    site: Callable[..., None], record: Record, database: Database
) -> None:
    site()
    neighbours = [msgspec.structs.replace(page_view(), address=address) for address in (ADDRESS, "198.51.100.24")]
    assert record(*neighbours).visits == 2
    assert record(*neighbours, anonymized_ip_for_enrichment=1).visits == 1


def test_a_batch_takes_the_providers_that_are_there_in_time(
    site: Callable[..., None], record: Record, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    site()
    names = {ADDRESS: "cust-1.example.net"}
    monkeypatch.setattr(
        "footfall.tracking.providers.reverse_name", lambda address: names.get(socket.inet_ntoa(address), "")
    )
    unnamed = msgspec.structs.replace(page_view(), address="192.0.2.1")
    record(page_view(), unnamed, provider_lookup_milliseconds=10_000)
    record(msgspec.structs.replace(page_view(), address="192.0.2.2"))
    assert visits(database, "location_provider") == [("example.net",), ("Ip",), (None,)]
