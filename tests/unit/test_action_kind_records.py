"""The records of events, contents, links, searches, custom variables and dimensions, and of timings."""

from typing import Any

import pytest
from action_rows import (
    CONTENT,
    DOWNLOAD,
    EVENT_ACTION,
    EVENT_CATEGORY,
    EVENT_NAME,
    INTERACTION,
    OUTLINK,
    PAGE_TITLE,
    PAGE_URL,
    PIECE,
    SEARCH,
    Name,
    log,
    table,
    tree,
)
from hypothesis import given
from hypothesis import strategies as st

from footfall.archiving.datatable import DataTable
from footfall.archiving.setup import Dimension, SiteSetup
from footfall.plugins.actions import measuring
from footfall.plugins.actions.records import ACTIONS
from footfall.plugins.contents import CONTENTS
from footfall.plugins.custom_dimensions import dimensions_of
from footfall.plugins.custom_variables import VARIABLES
from footfall.plugins.events import EVENTS
from footfall.plugins.page_performance import TIMES

VISIT = {"visit_total_actions": 2, "visit_total_time": 30, "visit_goal_converted": 0}


def event(category: str, action: str, name: str | None = None, value: float | None = None) -> dict[str, object]:
    return {
        "idaction_event_category": Name(EVENT_CATEGORY, category),
        "idaction_event_action": Name(EVENT_ACTION, action),
        "idaction_name": None if name is None else Name(EVENT_NAME, name),
        "custom_float": value,
    }


def test_events_are_counted_by_category_and_by_the_actions_below_it() -> None:
    day = log(
        EVENTS, actions=[event("Video", "play", "A", 2.5), event("Video", "play", "B"), event("Video", "pause", "A", 4)]
    )
    found = tree(table(EVENTS, day, "Events_category_action"), "nb_events", "sum_event_value", "min_event_value")
    assert found == {
        "Video": {
            "nb_events": 3,
            "sum_event_value": 6.5,
            "min_event_value": 2.5,
            "below": {
                "play": {"nb_events": 2, "sum_event_value": 2.5, "min_event_value": 2.5},
                "pause": {"nb_events": 1, "sum_event_value": 4, "min_event_value": 4},
            },
        }
    }


def test_an_event_without_a_name_has_the_label_that_matomo_knows_as_none() -> None:
    found = table(EVENTS, log(EVENTS, actions=[event("Video", "play")]), "Events_name_action")
    assert [row.label for row in found] == ["Piwik_EventNameNotSet"]


def content(name: str, piece: str, interaction: str | None = None) -> dict[str, object]:
    return {
        "idaction_content_name": Name(CONTENT, name),
        "idaction_content_piece": Name(PIECE, piece),
        "idaction_content_interaction": None if interaction is None else Name(INTERACTION, interaction),
    }


def test_interactions_count_beside_impressions_and_not_as_visits() -> None:
    day = log(
        CONTENTS, actions=[content("Banner", "a"), content("Banner", "a", "click"), content("Banner", "b", "click")]
    )
    found = tree(table(CONTENTS, day, "Contents_name_piece"), "nb_visits", "nb_impressions", "nb_interactions")
    assert found == {
        "Banner": {
            "nb_visits": 1,
            "nb_impressions": 1,
            "nb_interactions": 2,
            "below": {
                "a": {"nb_visits": 1, "nb_impressions": 1, "nb_interactions": 1},
                "b": {"nb_visits": None, "nb_impressions": None, "nb_interactions": 1},
            },
        }
    }


def test_interactions_with_something_never_seen_are_left_out() -> None:
    day = log(CONTENTS, actions=[content("Banner", "a"), content("Banner", "b", "click")])
    assert list(tree(table(CONTENTS, day, "Contents_piece_name"))) == ["a"]


def test_links_are_grouped_by_their_host() -> None:
    urls = ("https://partner.example/deal?id=1", "https://partner.example/", "ftp://files.example/a")
    day = log(ACTIONS, actions=[{"idaction_url": Name(OUTLINK, url)} for url in urls])
    found = tree(table(ACTIONS, day, "Actions_outlink"), "nb_hits")
    assert found == {
        "partner.example": {"nb_hits": 2, "below": {"/deal?id=1": {"nb_hits": 1}, "/": {"nb_hits": 1}}},
        "files.example": {"nb_hits": 1, "below": {"/a": {"nb_hits": 1}}},
    }


def test_downloads_are_counted_apart_from_pages() -> None:
    day = log(
        ACTIONS,
        actions=[
            {"idaction_url": Name(DOWNLOAD, "https://x.example/a.pdf")},
            {"idaction_url": Name(DOWNLOAD, "https://x.example/a.pdf")},
            {"idaction_url": Name(PAGE_URL, "x.example/")},
        ],
    )
    numbers = ACTIONS.compute(day)
    assert (numbers["Actions_nb_downloads"], numbers["Actions_nb_uniq_downloads"]) == (2, 1)
    assert numbers["Actions_nb_pageviews"] == 1


def test_a_keyword_is_without_results_when_all_its_searches_found_nothing() -> None:
    searches = (("hats", 0), ("hats", 3), ("zzz", 0), ("shoes", None))
    day = log(ACTIONS, actions=[{"idaction_name": Name(SEARCH, word), "search_count": n} for word, n in searches])
    found = tree(table(ACTIONS, day, "Actions_sitesearch"), "nb_hits", "without_results")
    assert found == {
        "hats": {"nb_hits": 2, "without_results": 0},
        "zzz": {"nb_hits": 1, "without_results": 1},
        "shoes": {"nb_hits": 1, "without_results": 0},
    }
    assert ACTIONS.compute(day)["Actions_nb_keywords"] == 3


def test_pages_know_how_often_they_were_seen_after_a_search() -> None:
    page = Name(PAGE_URL, "x.example/a")
    day = log(
        ACTIONS,
        actions=[
            {"idaction_name": Name(SEARCH, "hats")},
            {"idaction_url": page, "idaction_name_ref": Name(SEARCH, "hats")},
            {"idaction_url": page},
        ],
    )
    assert tree(table(ACTIONS, day, "Actions_actions_url"), "nb_hits_following_search") == {
        "/a": {"nb_hits_following_search": 1}
    }


def test_searches_are_counted_by_category() -> None:
    day = log(ACTIONS, actions=[{"search_cat": "Men"}, {"search_cat": "Men"}, {"search_cat": ""}, {}])
    assert tree(table(ACTIONS, day, "Actions_SiteSearchCategories"), "nb_visits", "nb_actions") == {
        "Men": {"nb_visits": 1, "nb_actions": 2}
    }


_ACTION = st.fixed_dictionaries(
    {"idvisit": st.integers(1, 3), "idvisitor": st.integers(1, 2)},
    optional={
        "idaction_url": st.sampled_from([Name(PAGE_URL, "x.example/a"), Name(OUTLINK, "https://y.example/")]),
        "idaction_name": st.sampled_from([Name(PAGE_TITLE, "A"), Name(SEARCH, "hats")]),
        "idaction_name_ref": st.just(Name(SEARCH, "hats")),
        "time_server": st.integers(0, 999),
    },
)


@given(st.lists(_ACTION, max_size=12))
def test_actions_of_a_large_day_are_counted_as_those_of_a_small_one(actions: list[dict[str, Any]]) -> None:
    page, title = Name(PAGE_URL, "x.example/a"), Name(PAGE_TITLE, "A")
    visit = {**VISIT, "visit_entry_idaction_url": page, "visit_exit_idaction_name": title}
    conversion = {"idgoal": 1, "server_time": 0, "revenue": 2.0, "buster": 1}
    day = log(ACTIONS, visits=[visit], actions=[{"server_time": 0, **a} for a in actions], conversions=[conversion])
    small = ACTIONS.compute(day)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measuring, "_FEW_ROWS", -1)
        assert ACTIONS.compute(day) == small


def test_times_are_summed_over_the_page_views_that_were_measured() -> None:
    day = log(TIMES, actions=[{"time_network": 5, "time_server": 100}, {"time_server": 50}, {}])
    found = TIMES.compute(day)
    assert (found["PagePerformance_servery_time"], found["PagePerformance_server_hits"]) == (150, 2)
    assert (found["PagePerformance_network_time"], found["PagePerformance_network_hits"]) == (5, 1)
    assert (found["PagePerformance_pageload_time"], found["PagePerformance_pageload_hits"]) == (155, 2)


def test_custom_variables_of_visits_have_all_columns_and_those_of_actions_their_number() -> None:
    day = log(
        VARIABLES,
        visits=[VISIT | {"custom_var_k1": "Plan", "custom_var_v1": "gold"}, VISIT | {"idvisit": 2}],
        actions=[{"custom_var_k2": "Author", "custom_var_v2": ""}, {"custom_var_k2": "Author", "custom_var_v2": "ann"}],
    )
    found = table(VARIABLES, day, "CustomVariables_valueByName")
    assert tree(found, "nb_visits", "nb_actions") == {
        "Plan": {"nb_visits": 1, "nb_actions": 2, "below": {"gold": {"nb_visits": 1, "nb_actions": 2}}},
        "Author": {
            "nb_visits": None,
            "nb_actions": 2,
            "below": {
                "Value not defined": {"nb_visits": None, "nb_actions": 1},
                "ann": {"nb_visits": None, "nb_actions": 1},
            },
        },
    }
    assert {row.label: row.metadata["slots"] for row in found} == {
        "Plan": [{"scope": "visit", "index": 1}],
        "Author": [{"scope": "page", "index": 2}],
    }


DIMENSIONS = dimensions_of(
    SiteSetup(
        visit_dimensions=(Dimension(1, "custom_dimension_1"),), action_dimensions=(Dimension(2, "custom_dimension_2"),)
    )
)


def test_a_site_without_custom_dimensions_reads_and_archives_none() -> None:
    builder = dimensions_of(SiteSetup())
    assert (builder.records, builder.reads) == ((), {})


def test_visits_without_a_value_are_not_in_the_table_of_a_dimension() -> None:
    day = log(DIMENSIONS, visits=[VISIT | {"custom_dimension_1": "gold"}, VISIT | {"idvisit": 2}])
    assert tree(table(DIMENSIONS, day, "CustomDimensions_Dimension1"), "nb_visits") == {"gold": {"nb_visits": 1}}


def test_values_of_actions_have_the_pages_they_were_on_below_them() -> None:
    page = {"idaction_url": Name(PAGE_URL, "x.example/a"), "custom_dimension_2": "ann"}
    on_page = {"idaction_url": Name(CONTENT, "https://x.example/a"), "custom_dimension_2": "ann"}
    day = log(
        DIMENSIONS,
        visits=[VISIT | {"last_idlink_va": 9}],
        actions=[page | {"idlink_va": 8, "time_spent": 20}, on_page | {"idlink_va": 9}, {"custom_dimension_2": "ann"}],
    )
    found: DataTable = table(DIMENSIONS, day, "CustomDimensions_Dimension2")
    assert tree(found, "nb_hits", "sum_time_spent", "exit_nb_visits") == {
        "ann": {
            "nb_hits": 3,
            "sum_time_spent": 20,
            "exit_nb_visits": 1,
            "below": {"x.example/a": {"nb_hits": 2, "sum_time_spent": 20, "exit_nb_visits": 1}},
        }
    }
