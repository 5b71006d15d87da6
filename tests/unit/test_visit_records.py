"""The records of visits by a dimension, computed from a few log rows."""

from dataclasses import replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from visit_rows import log

from footfall.archiving import visit_metrics
from footfall.archiving.blob import stored, to_blobs
from footfall.archiving.datatable import DataTable
from footfall.archiving.daylog import DayLog, site_hours
from footfall.archiving.records import RecordBuilder
from footfall.archiving.table_sum import TableSum
from footfall.archiving.visit_metrics import VISIT_COMBINE
from footfall.plugins.devices_detection import DEVICES
from footfall.plugins.referrers import REFERRERS
from footfall.plugins.resolution import SCREENS
from footfall.plugins.user_country import LOCATIONS
from footfall.plugins.user_id import USERS
from footfall.plugins.user_language import LANGUAGES
from footfall.plugins.visit_time import TIMES
from footfall.plugins.visitor_interest import INTEREST


def table(builder: RecordBuilder, day: DayLog, record: str) -> DataTable:
    found = builder.compute(day)[record]
    assert isinstance(found, DataTable)
    return found


def rows(builder: RecordBuilder, day: DayLog, record: str) -> dict[Any, dict[str, Any]]:
    """The columns of each row by its label."""
    return {row.columns["label"]: row.columns for row in table(builder, day, record)}


def visits_in(found: DataTable) -> dict[Any, int]:
    return {row.columns["label"]: row.columns["nb_visits"] for row in found}


# What is counted


def test_visits_are_counted_by_the_value_that_they_have() -> None:
    day = log(
        DEVICES,
        [
            {"config_browser_name": "FF", "idvisitor": 7, "user_id": "ann", "visit_total_actions": 5},
            {"config_browser_name": "FF", "idvisitor": 7, "visit_total_actions": 1, "visit_total_time": 0},
            {"config_browser_name": "CH", "visit_goal_converted": 1},
        ],
    )
    found = rows(DEVICES, day, "DevicesDetection_browsers")
    assert found["FF"] == {
        "label": "FF",
        "nb_uniq_visitors": 1,
        "nb_visits": 2,
        "nb_actions": 6,
        "nb_users": 1,
        "max_actions": 5,
        "sum_visit_length": 30,
        "bounce_count": 1,
        "nb_visits_converted": 0,
    }
    assert found["CH"]["nb_visits_converted"] == 1


def test_conversions_are_counted_by_goal_and_carts_are_left_out_of_the_totals() -> None:
    day = log(
        DEVICES,
        [{"config_browser_name": "FF"}],
        [
            {"config_browser_name": "FF", "idgoal": 3, "revenue": 1.5},
            {"config_browser_name": "FF", "idgoal": 3, "revenue": 1.5},
            {"config_browser_name": "FF", "idgoal": 0, "revenue": 12.0, "revenue_tax": 2.0, "items": 4},
            {"config_browser_name": "FF", "idgoal": -1, "revenue": 90.0, "items": 9},
        ],
    )
    row = rows(DEVICES, day, "DevicesDetection_browsers")["FF"]
    assert row["goals"] == {
        -1: {1: 1, 3: 1, 2: 90.0, 8: 9},
        0: {1: 1, 3: 1, 2: 12.0, 4: 0.0, 5: 2.0, 6: 0.0, 7: 0.0, 8: 4},
        3: {1: 2, 3: 1, 2: 3.0},
    }
    assert (row["nb_conversions"], row["revenue"]) == (3, 15.0)


def test_conversions_without_a_visit_of_the_day_have_a_row_of_their_own() -> None:
    day = log(DEVICES, [{"config_browser_name": "FF"}], [{"config_browser_name": "CH", "idvisit": 99}])
    assert "nb_visits" not in rows(DEVICES, day, "DevicesDetection_browsers")["CH"]


_VALUES = st.sampled_from([None, "", "FF", "CH"])


@given(st.lists(st.tuples(_VALUES, st.integers(1, 3), st.integers(0, 3)), max_size=20))
def test_a_large_day_is_counted_as_a_small_one(visits: list[tuple[str | None, int, int]]) -> None:
    day = log(
        DEVICES,
        [{"config_browser_name": b, "config_os": b, "idvisitor": v, "visit_total_actions": a} for b, v, a in visits],
        [{"config_browser_name": b, "idvisit": v, "idgoal": a} for b, v, a in visits],
    )
    small = DEVICES.compute(day)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(visit_metrics, "_FEW_ROWS", -1)
        assert DEVICES.compute(day) == small


@given(st.lists(st.tuples(_VALUES, st.integers(0, 3), st.integers(0, 2)), max_size=20))
def test_days_put_together_are_what_both_days_have(visits: list[tuple[str | None, int, int]]) -> None:
    """Visitors aside, who may have come on both."""
    days = [[visit for visit in visits if visit[2] % 2 == which] for which in (0, 1)]

    def of(members: list[tuple[str | None, int, int]]) -> DataTable:
        visited = [{"config_browser_name": browser, "visit_total_actions": count} for browser, count, _ in members]
        converted = [{"config_browser_name": browser, "idgoal": count} for browser, count, _ in members]
        return table(DEVICES, log(DEVICES, visited, converted), "DevicesDetection_browsers")

    def additive(found: DataTable) -> dict[str, dict[str, Any]]:
        people = ("nb_uniq_visitors", "nb_users", "sum_daily_nb_uniq_visitors", "sum_daily_nb_users")
        return {
            row.label: {
                name: {goal: (own[1], own[2]) for goal, own in value.items()} if name == "goals" else value
                for name, value in row.columns.items()
                if name not in people
            }
            for row in found
        }

    total = TableSum(VISIT_COMBINE)
    for members in days:
        total.add(to_blobs("R", stored(of(members))), "R")
    assert additive(total.table()) == additive(of(visits))


def test_builders_of_dimensions_find_together_what_each_finds_alone() -> None:
    alone = (DEVICES, SCREENS, LANGUAGES, TIMES)
    (joint,) = visit_metrics.together(alone)
    visits: list[dict[str, Any]] = [
        {"config_browser_name": "FF", "config_resolution": "800x600", "location_browser_lang": "de", "user_id": "ann"},
        {"config_browser_name": "FF", "visit_first_action_time": 7200, "visitor_localtime": 40_000},
        {"config_device_type": 1, "config_resolution": "390x844", "location_browser_lang": "de-at"},
    ]
    conversions: list[dict[str, Any]] = [
        {"idvisit": 1, "config_browser_name": "FF", "revenue": 2.5},
        {"idvisit": 3, "idgoal": 2},
    ]
    for converted in (conversions, []):
        found = joint.compute(log(joint, visits, converted))
        assert found == {
            name: table for builder in alone for name, table in builder.compute(log(builder, visits, converted)).items()
        }


# Labels


def test_models_stand_behind_their_brand_and_types_are_numbers() -> None:
    day = log(DEVICES, [{"config_device_brand": "AP", "config_device_model": "iPad", "config_device_type": 2}, {}])
    assert visits_in(table(DEVICES, day, "DevicesDetection_models")) == {"AP;iPad": 1, ";": 1}
    assert visits_in(table(DEVICES, day, "DevicesDetection_types")) == {2: 1, "": 1}


def test_a_city_is_told_apart_by_its_region_and_country() -> None:
    places: list[dict[str, Any]] = [
        {"location_country": "fr", "location_region": "IDF", "location_city": "Paris", "location_latitude": 48.85661},
        {"location_country": "us", "location_region": "TX", "location_city": "Paris"},
        {"location_country": "us"},
    ]
    day = log(LOCATIONS, [place | {"location_longitude": 2.0} for place in places])
    assert visits_in(table(LOCATIONS, day, "UserCountry_country")) == {"fr": 1, "us": 2}
    assert visits_in(table(LOCATIONS, day, "UserCountry_region")) == {"IDF|fr": 1, "TX|us": 1, "": 1}
    cities = table(LOCATIONS, day, "UserCountry_city")
    assert visits_in(cities) == {"Paris|IDF|fr": 1, "Paris|TX|us": 1, "": 1}
    assert {row.label: row.metadata for row in cities} == {
        "Paris|IDF|fr": {"lat": 48.857, "long": 2.0},
        "Paris|TX|us": {},
        "": {},
    }


def test_a_country_counts_who_was_in_two_of_its_cities_twice() -> None:
    cities = [{"location_country": "fr", "location_city": city, "idvisitor": 7} for city in ("Paris", "Lyon")]
    assert rows(LOCATIONS, log(LOCATIONS, cities), "UserCountry_country")["fr"]["nb_uniq_visitors"] == 2


@pytest.mark.parametrize(
    ("tag", "label"), [("de-de", "de"), ("ja", "ja-jp"), ("en-gb", "en-gb"), ("en", "en"), ("", "xx"), (None, "xx")]
)
def test_a_language_has_the_country_that_it_suggests(tag: str | None, label: str) -> None:
    day = log(LANGUAGES, [{"location_browser_lang": tag}])
    assert visits_in(table(LANGUAGES, day, "UserLanguage_language")) == {label: 1}


def test_users_are_counted_with_their_visitor_id() -> None:
    day = log(USERS, [{"user_id": "ann", "idvisitor": 255}, {"user_id": "ann", "idvisitor": 255}, {"user_id": ""}, {}])
    found = table(USERS, day, "UserId_users")
    assert visits_in(found) == {"ann": 2}
    assert found.rows[0].metadata == {"idvisitor": "00000000000000ff"}


# Times


def test_every_hour_has_a_row_and_the_site_its_own_hours() -> None:
    day = log(TIMES, [{"visitor_localtime": 13 * 3600 + 59, "visit_first_action_time": 86_400 + 3 * 3600}])
    in_new_york = replace(day, hours=site_hours(date(2026, 8, 10), ZoneInfo("America/New_York")))
    local, site = (table(TIMES, in_new_york, f"VisitTime_{kind}Time") for kind in ("local", "server"))
    assert [row.columns["label"] for row in local] == list(range(24))
    assert [hour for hour, count in visits_in(local).items() if count] == [13]
    assert [hour for hour, count in visits_in(site).items() if count] == [23]


def test_a_visit_at_the_bounds_of_two_durations_counts_in_both() -> None:
    day = log(INTEREST, [{"visit_total_time": seconds} for seconds in (10, 60, 1800, 1801)])
    counts = visits_in(table(INTEREST, day, "VisitorInterest_timeGap"))
    assert {label: count for label, count in counts.items() if count} == {
        "0-10": 1,
        "31-60": 1,
        "60-120": 1,
        "900-1800": 1,
        "1801%2B": 1,
    }


def test_days_since_the_last_visit_are_those_of_visitors_who_came_back() -> None:
    day = log(
        INTEREST,
        [
            {"visitor_returning": 0},
            {"visitor_returning": 1, "visitor_seconds_since_last": 86_399},
            {"visitor_returning": 1, "visitor_seconds_since_last": 9 * 86_400},
            {"visitor_returning": 2, "visitor_seconds_since_last": 86_400},
        ],
    )
    counts = visits_in(table(INTEREST, day, "VisitorInterest_daysSinceLastVisit"))
    assert {label: count for label, count in counts.items() if count} == {"General_NewVisits": 1, "0-0": 1, "8-14": 1}


# Referrers


def searched(keyword: str | None, engine: str = "Bing", **more: Any) -> dict[str, Any]:
    return {"referer_type": 2, "referer_name": engine, "referer_keyword": keyword, **more}


def below(found: DataTable) -> dict[str, dict[str, int] | None]:
    """The rows of each row's subtable."""
    return {row.label: None if row.subtable is None else visits_in(row.subtable) for row in found}


def test_searches_are_counted_by_keyword_and_by_engine() -> None:
    day = log(REFERRERS, [searched("hats"), searched("hats", "Ecosia"), searched(None, "Ecosia"), {}])
    tables = REFERRERS.compute(day)
    assert below(tables["Referrers_searchEngineByKeyword"]) == {  # type: ignore[arg-type]
        "hats": {"Bing": 1, "Ecosia": 1},
        "": {"Ecosia": 1},
    }
    assert below(tables["Referrers_keywordBySearchEngine"]) == {  # type: ignore[arg-type]
        "Bing": {"hats": 1},
        "Ecosia": {"": 1, "hats": 1},
    }
    assert visits_in(tables["Referrers_type"]) == {1: 1, 2: 3}  # type: ignore[arg-type]


def test_a_campaign_without_keywords_has_nothing_below() -> None:
    campaign = {"referer_type": 6, "referer_name": "spring"}
    assert below(table(REFERRERS, log(REFERRERS, [campaign]), "Referrers_keywordByCampaign")) == {"spring": None}
    both = log(REFERRERS, [campaign, campaign | {"referer_keyword": "boots"}])
    assert below(table(REFERRERS, both, "Referrers_keywordByCampaign")) == {"spring": {"boots": 1}}


def test_keywords_of_campaigns_have_goals_and_those_of_searches_have_none() -> None:
    campaign = {"referer_type": 6, "referer_name": "spring", "referer_keyword": "boots"}
    day = log(REFERRERS, [campaign, searched("hats")], [campaign, searched("hats")])
    spring = table(REFERRERS, day, "Referrers_keywordByCampaign").rows[0]
    bing = table(REFERRERS, day, "Referrers_keywordBySearchEngine").rows[0]
    assert spring.subtable is not None and spring.subtable.rows[0].columns["nb_conversions"] == 1
    assert bing.columns["nb_conversions"] == 1
    assert bing.subtable is not None and "goals" not in bing.subtable.rows[0].columns


def test_websites_are_counted_with_their_pages() -> None:
    site = {"referer_type": 3, "referer_name": "news.example", "referer_url": "https://news.example/a"}
    day = log(REFERRERS, [site, site | {"referer_url": "https://news.example/b"}])
    assert below(table(REFERRERS, day, "Referrers_urlByWebsite")) == {
        "news.example": {"https://news.example/a": 1, "https://news.example/b": 1}
    }
