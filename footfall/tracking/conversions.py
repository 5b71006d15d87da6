"""Conversions in memory: which goals a hit converts in its visit. Source: conformance topic `goals`."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from footfall.goals import VISIT_DURATION, VISIT_PAGE_VIEWS, Goal
from footfall.tracking import referrers, visits
from footfall.tracking.hit import Hit
from footfall.tracking.parameters import rounded
from footfall.tracking.referrers import Referrer
from footfall.tracking.visits import Link, Outcome, Visit

_LARGEST_REVENUE = 3.4e38  # of a FLOAT column
_LARGEST_COUNT = 65_535  # pageviews_before


@dataclass(slots=True, eq=False)
class Conversion:
    """One row of log_conversion to be.

    Args:
        idgoal: the goal, or orders.ORDER or orders.CART.
        buster: tells conversions of one goal in one visit apart; 0 for those that a visit has once.
        url: of the action that converts, or of the page; empty for orders and carts.
        link: the action that converts.
        columns: the custom dimensions and variables that this batch gave the visit until then.
        order: further columns of an order or a cart.
        replaces_cart: whether the database has it already, as the visit's cart.
    """

    visit: Visit
    idvisitor: bytes
    time: int
    idgoal: int
    buster: int
    referrer: Referrer
    seconds_since_order: int | None
    columns: Mapping[str, Any]
    url: str = ""
    link: Link | None = None
    revenue: float = 0.0
    pageviews_before: int | None = None
    order: dict[str, Any] = field(default_factory=dict)
    replaces_cart: bool = False


def of_visit(visit: Visit, hit: Hit, idgoal: int, buster: int) -> Conversion:
    """A conversion with what it takes over from its visit and hit."""
    return Conversion(
        visit=visit,
        idvisitor=hit.visitor_id or visit.idvisitor,
        time=hit.time,
        idgoal=idgoal,
        buster=buster,
        referrer=referrers.of_conversion(visit.referrer, hit.attributed_to),
        seconds_since_order=visit.seconds_since_order,
        columns=visit.columns,
    )


def stored_revenue(amount: float) -> float:
    """The amount in cents, within what its column can hold."""
    return min(max(rounded(amount), -_LARGEST_REVENUE), _LARGEST_REVENUE)


def page_views_before(visit: Visit) -> int:
    """How many pages the visit has seen, the present one included, and searches not (conformance: import)."""
    return min(max(visit.total_interactions - visit.total_searches, 0), _LARGEST_COUNT)


def record(visit: Visit, hit: Hit, link: Link | None, outcome: Outcome) -> None:
    """Record the goals that a hit converts: those of its action or its `idgoal`, and those of the visit as it is now.

    One that a visit converts once is left to the database to refuse, where it was converted before this batch.
    """
    goals = hit.goals
    if link is not None and hit.site.goals.of_visits:
        goals += tuple(goal for goal in hit.site.goals.of_visits if _measure(goal, visit, hit) > goal.least)
    if not goals:
        return
    visits.convert(visit, hit)
    for goal in goals:
        if not goal.allow_multiple:
            if goal.idgoal in visit.converted:
                continue
            visit.converted.add(goal.idgoal)
        conversion = of_visit(visit, hit, goal.idgoal, random.getrandbits(32) if goal.allow_multiple else 0)
        conversion.link = link
        conversion.url = (hit.page.url if hit.action is None else hit.action.full_url) or ""
        conversion.revenue = stored_revenue(_revenue(goal, hit))
        conversion.pageviews_before = page_views_before(visit)
        outcome.conversions.append(conversion)


def _measure(goal: Goal, visit: Visit, hit: Hit) -> int:
    """What the goal compares of the visit, the present action included: seconds, page views or actions."""
    if goal.match_attribute == VISIT_DURATION:
        return hit.time - visit.first_action_time
    return visit.total_interactions if goal.match_attribute == VISIT_PAGE_VIEWS else visit.total_actions


def _revenue(goal: Goal, hit: Hit) -> float:
    if goal.event_value_as_revenue and hit.action is not None and "custom_float" in hit.action.columns:
        return float(hit.action.columns["custom_float"])
    return goal.revenue if hit.revenue is None else hit.revenue
