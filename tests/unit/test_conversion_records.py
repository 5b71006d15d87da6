"""The records of goals, orders, carts and products, and what pages had to do with conversions."""

from random import Random

import pytest
from action_rows import CATEGORY, PAGE_URL, PRODUCT, SKU, Name, log, stored_tables, table, tree

from footfall.archiving.daylog import DayLog
from footfall.archiving.setup import NamedGoal, SiteSetup
from footfall.plugins.actions import measuring, page_goals
from footfall.plugins.actions.records import ACTIONS
from footfall.plugins.ecommerce import PRODUCTS
from footfall.plugins.goals import goals_of as goal_records

ORDER, CART = 0, -1
GOALS = goal_records(SiteSetup(goals=(NamedGoal(1, "Thanks"), NamedGoal(2, "Never"))))
DAY = 86_400


def test_orders_and_goals_are_in_the_totals_and_carts_are_not() -> None:
    day = log(
        GOALS,
        conversions=[
            {"idgoal": 1, "revenue": 10.0},
            {"idgoal": 1, "revenue": 10.0, "idvisit": 2},
            {"idgoal": ORDER, "revenue": 30.0, "revenue_tax": 5.0, "items": 3},
            {"idgoal": CART, "revenue": 99.0, "items": 4, "idvisit": 3},
        ],
    )
    found = GOALS.compute(day)
    assert (found["Goal_nb_conversions"], found["Goal_nb_visits_converted"], found["Goal_revenue"]) == (3, 2, 50)
    assert (found["Goal_1_nb_conversions"], found["Goal_0_revenue_tax"], found["Goal_-1_items"]) == (2, 5, 4)
    assert "Goal_2_nb_conversions" not in found


def test_a_goal_that_the_site_no_longer_has_counts_in_the_totals_alone() -> None:
    found = GOALS.compute(log(GOALS, conversions=[{"idgoal": 7, "revenue": 1.0}]))
    assert found["Goal_nb_conversions"] == 1
    assert not [name for name in found if name.startswith("Goal_7_")]


@pytest.mark.parametrize(("seconds", "label"), [(0, "0-0"), (DAY - 1, "0-0"), (DAY, "1-1"), (9 * DAY, "8-14")])
def test_conversions_are_counted_by_the_days_since_the_first_visit(seconds: int, label: str) -> None:
    day = log(GOALS, conversions=[{"idgoal": 1, "visitor_seconds_since_first": seconds, "visitor_count_visits": 3}])
    found = tree(table(GOALS, day, "Goal_1_days_until_conv"), "nb_conversions")
    assert [name for name, columns in found.items() if columns["nb_conversions"]] == [label]
    assert tree(table(GOALS, day, "Goal_visits_until_conv"), "nb_conversions")["3-3"] == {"nb_conversions": 1}


def test_orders_are_not_in_the_table_of_all_goals_until_conversion() -> None:
    found = GOALS.compute(log(GOALS, conversions=[{"idgoal": ORDER, "visitor_count_visits": 1}]))
    assert "Goal_0_visits_until_conv" in found
    assert "Goal_visits_until_conv" not in found


def item(sku: str, price: float, quantity: int, **columns: object) -> dict[str, object]:
    categories = {f"idaction_category{number}": 0 for number in ("", "2", "3", "4", "5")}
    return {
        "idorder": "O-1",
        "deleted": 0,
        **categories,
        "idaction_sku": Name(SKU, sku),
        "idaction_name": Name(PRODUCT, f"The {sku}"),
        "price": price,
        "quantity": quantity,
        **columns,
    }


def test_what_was_bought_is_counted_apart_from_what_is_left_in_carts() -> None:
    day = log(
        PRODUCTS,
        items=[
            item("A", 5.0, 2),
            item("A", 5.0, 1, idorder="O-2"),
            item("A", 7.0, 4, idorder="0"),
            item("B", 1.0, 1, idorder="0", deleted=1),
        ],
    )
    columns = ("item_revenue", "item_quantity", "item_price", "item_orders")
    assert tree(table(PRODUCTS, day, "Goals_ItemsSku"), *columns) == {
        "A": {"item_revenue": 15, "item_quantity": 3, "item_price": 10, "item_orders": 2}
    }
    assert tree(table(PRODUCTS, day, "Goals_ItemsSku_Cart"), *columns) == {
        "A": {"item_revenue": 28, "item_quantity": 4, "item_price": 7, "item_orders": 1}
    }


def test_a_product_counts_in_each_of_its_categories_and_one_without_any_has_a_row_too() -> None:
    shoes, sale = Name(CATEGORY, "Shoes"), Name(CATEGORY, "Sale")
    day = log(PRODUCTS, items=[item("A", 5.0, 1, idaction_category=shoes, idaction_category3=sale), item("B", 2.0, 1)])
    assert tree(table(PRODUCTS, day, "Goals_ItemsCategory"), "item_revenue") == {
        "Shoes": {"item_revenue": 5},
        "Sale": {"item_revenue": 5},
        "Value not defined": {"item_revenue": 2},
    }


def test_products_that_were_only_looked_at_have_no_columns_of_what_was_bought() -> None:
    day = log(PRODUCTS, actions=[{"idaction_product_sku": Name(SKU, "A"), "product_price": 3.5}])
    found = table(PRODUCTS, day, "Goals_ItemsSku")
    assert [row.columns for row in found] == [
        {"label": "A", "nb_visits": 1, "nb_uniq_visitors": 1, "nb_actions": 1, "avg_price_viewed": 3.5}
    ]


# Pages and conversions

A, B = Name(PAGE_URL, "x.example/a"), Name(PAGE_URL, "x.example/b")
VISIT = {"visit_total_actions": 2, "visit_total_time": 30, "visit_entry_idaction_url": A}


def converting(conversions: list[dict[str, object]]) -> DayLog:
    """A day with a visit that sees /a at 10 and 40, /b at 20."""
    views = ((A, 10), (B, 20), (A, 40))
    return log(
        ACTIONS,
        visits=[VISIT],
        actions=[{"idaction_url": url, "server_time": time} for url, time in views],
        conversions=[{"revenue": 0.0, "buster": 0, **conversion} for conversion in conversions],
    )


def goals_of(page: str, day: DayLog) -> dict[int, dict[int, float]]:
    """The goal columns of a page."""
    goals: dict[int, dict[int, float]] = tree(table(ACTIONS, day, "Actions_actions_url"), "goals")[page]["goals"]
    return goals


def goals_of_page(page: str, conversions: list[dict[str, object]]) -> dict[int, dict[int, float]]:
    """The goal columns of a page of that day."""
    return goals_of(page, converting(conversions))


CONVERSIONS, REVENUE, BEFORE, PART, REVENUE_PART, ENTRIES, PER_ENTRY = 1, 2, 9, 10, 15, 16, 14


def test_pages_seen_before_a_conversion_have_equal_parts_in_it() -> None:
    columns = goals_of_page("/b", [{"idgoal": 1, "server_time": 30, "revenue": 3.0}])[1]
    assert (columns[CONVERSIONS], columns[BEFORE], columns[PART], columns[REVENUE_PART]) == (1, 2, 0.5, 1.5)
    assert ENTRIES not in columns


def test_pages_seen_afterwards_have_none() -> None:
    assert goals_of_page("/b", [{"idgoal": 1, "server_time": 15}]) is None


def test_a_page_seen_twice_has_two_parts() -> None:
    columns = goals_of_page("/a", [{"idgoal": 1, "server_time": 40, "revenue": 3.0}])[1]
    assert (columns[CONVERSIONS], columns[REVENUE], columns[PART]) == (2, 6, 0.6666)


def test_the_page_that_a_visit_began_with_has_its_conversions() -> None:
    columns = goals_of_page("/a", [{"idgoal": 1, "server_time": 40, "revenue": 3.0}])[1]
    assert (columns[ENTRIES], columns[PER_ENTRY]) == (1, 3)


def test_carts_have_neither_parts_nor_entries() -> None:
    columns = goals_of_page("/a", [{"idgoal": CART, "server_time": 40, "revenue": 3.0}])[CART]
    assert sorted(columns) == [CONVERSIONS, REVENUE, 12]


@pytest.mark.parametrize("busters", [(1, 2), (2, 1), (2**32 - 1, 1)])
def test_of_several_conversions_of_a_goal_the_first_says_how_many_pages_came_before(busters: tuple[int, int]) -> None:
    first, second = busters
    day = converting(
        [{"idgoal": 1, "server_time": 50, "buster": second}, {"idgoal": 1, "server_time": 15, "buster": first}]
    )
    of_segment = day.of_visits(day.visits)
    assert (goals_of("/a", day)[1][BEFORE], goals_of("/a", of_segment)[1][BEFORE]) == (1, 1)


def test_of_several_orders_of_a_segment_the_one_with_the_smallest_key_does() -> None:
    """Conformance `reports`: the reference's database reads the orders of a segment by their hashes, as signed."""
    day = converting(
        [
            {"idgoal": ORDER, "server_time": 15, "buster": 1},
            {"idgoal": ORDER, "server_time": 50, "buster": 2**32 - 1},
        ]
    )
    of_segment = day.of_visits(day.visits)
    assert (goals_of("/a", day)[ORDER][BEFORE], goals_of("/a", of_segment)[ORDER][BEFORE]) == (1, 3)


def test_a_large_day_is_counted_as_a_small_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = Random(7)
    pages = [Name(PAGE_URL, f"x.example/{chance.choice('ab')}/{number}") for number in range(20)]
    seen = [{"idvisit": visit, "idvisitor": visit // 2, "url": chance.choice(pages)} for visit in range(60)]
    day = log(
        ACTIONS,
        visits=[{**VISIT, **visit, "visit_entry_idaction_url": visit["url"]} for visit in seen],
        actions=[
            {**visit, "idaction_url": chance.choice([*pages, visit["url"]]), "server_time": time, "time_server": time}
            for visit in seen
            for time in range(chance.randrange(9))
        ],
        conversions=[
            {
                **visit,
                "idgoal": chance.randrange(-1, 3),
                "server_time": chance.randrange(9),
                "revenue": 1.5,
                "buster": 0,
            }
            for visit in chance.choices(seen, k=90)
        ],
    )
    segment = day.of_visits(day.visits.filter(day.visits["idvisit"] % 3 == 0))
    small = [stored_tables(ACTIONS.compute(log)) for log in (day, segment)]
    monkeypatch.setattr(measuring, "_FEW_ROWS", 0)
    monkeypatch.setattr(measuring, "_ROWS_AT_ONCE", 25)
    monkeypatch.setattr(page_goals, "_FEW_CONVERSIONS", 0)
    monkeypatch.setattr(page_goals, "_CONVERSIONS_AT_ONCE", 7)
    assert [stored_tables(ACTIONS.compute(log)) for log in (day, segment)] == small


def test_folders_have_the_sum_of_the_goals_of_their_pages() -> None:
    day = log(
        ACTIONS,
        visits=[VISIT],
        actions=[{"idaction_url": Name(PAGE_URL, f"x.example/docs/{n}"), "server_time": n} for n in (1, 2)],
        conversions=[{"idgoal": 1, "server_time": 5, "revenue": 4.0, "buster": 0}],
    )
    folder = tree(table(ACTIONS, day, "Actions_actions_url"), "goals")["docs"]
    assert (folder["goals"][1][CONVERSIONS], folder["goals"][1][REVENUE_PART]) == (2, 4)
    assert folder["below"]["/1"]["goals"][1][REVENUE_PART] == 2
