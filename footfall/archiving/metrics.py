"""The integers that stand for metric names inside stored tables, and what becomes of a metric in a higher period.

The numbers are Matomo's: it reads the tables that we write. A metric without a number is stored under its name.
"""

from typing import Final

COLUMN_IDS: Final[dict[str, int]] = {
    "nb_uniq_visitors": 1,
    "nb_visits": 2,
    "nb_actions": 3,
    "max_actions": 4,
    "sum_visit_length": 5,
    "bounce_count": 6,
    "nb_visits_converted": 7,
    "nb_conversions": 8,
    "revenue": 9,
    "goals": 10,
    "sum_daily_nb_uniq_visitors": 11,
    "nb_hits": 12,
    "sum_time_spent": 13,
    "exit_nb_uniq_visitors": 14,
    "exit_nb_visits": 15,
    "sum_daily_exit_nb_uniq_visitors": 16,
    "entry_nb_uniq_visitors": 17,
    "sum_daily_entry_nb_uniq_visitors": 18,
    "entry_nb_visits": 19,
    "entry_nb_actions": 20,
    "entry_sum_visit_length": 21,
    "entry_bounce_count": 22,
    "item_revenue": 23,
    "item_quantity": 24,
    "item_price": 25,
    "item_orders": 26,
    "without_results": 28,
    "nb_hits_following_search": 29,
    "sum_time_generation": 30,
    "nb_hits_with_time_generation": 31,
    "min_time_generation": 32,
    "max_time_generation": 33,
    "nb_events": 34,
    "sum_event_value": 35,
    "min_event_value": 36,
    "max_event_value": 37,
    "nb_events_with_value": 38,
    "nb_users": 39,
    "sum_daily_nb_users": 40,
    "nb_impressions": 41,
    "nb_interactions": 42,
}

# A column of these inside `goals`, an array from the id of a goal to its columns.
GOAL_COLUMN_IDS: Final[dict[str, int]] = {
    "nb_conversions": 1,
    "revenue": 2,
    "nb_visits_converted": 3,
    "revenue_subtotal": 4,
    "revenue_tax": 5,
    "revenue_shipping": 6,
    "revenue_discount": 7,
    "items": 8,
    "nb_conv_pages_before": 9,
    "nb_conversions_attrib": 10,
    "nb_conversions_page_rate": 11,
    "nb_conversions_page_uniq": 12,
    "nb_conversions_entry_rate": 13,
    "revenue_per_entry": 14,
    "revenue_attrib": 15,
    "nb_conversions_entry": 16,
    "revenue_entry": 17,
}

# The ids that ecommerce has among the goals of a site.
ORDER: Final = 0
ABANDONED_CART: Final = -1

COLUMN_NAMES: Final[dict[int, str]] = {number: name for name, number in COLUMN_IDS.items()}

# Distinct visitors of several days cannot be summed: the sum of the days' counts is kept under a name that says so.
SUMMED_NAMES: Final[dict[str, str]] = {
    "nb_uniq_visitors": "sum_daily_nb_uniq_visitors",
    "nb_users": "sum_daily_nb_users",
    "entry_nb_uniq_visitors": "sum_daily_entry_nb_uniq_visitors",
    "exit_nb_uniq_visitors": "sum_daily_exit_nb_uniq_visitors",
}
