"""Visits in memory: how a hit continues a visit or begins a new one, and what that makes of the rows.

Source of the rules: conformance topics `visits`, `pageviews` and `actions`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from footfall.tracking import referrers
from footfall.tracking.action import Action, ActionName
from footfall.tracking.devices import Device
from footfall.tracking.hit import Hit, Timings
from footfall.tracking.referrers import DIRECT, Referrer

if TYPE_CHECKING:
    from footfall.tracking.conversions import Conversion
    from footfall.tracking.orders import Cart, OrderedItems

# What columns of counts can hold.
_SMALLINT, _MEDIUMINT, _INT = 65_535, 16_777_215, 4_294_967_295

_RETURNING, _CUSTOMER = 1, 2  # visitor_returning


@dataclass(slots=True, eq=False)
class Visit:
    """A visit as far as tracking changes or compares it; idvisit is None until it is inserted.

    Times are Unix seconds. `last_link` is the action that was recorded last, where it belongs to this batch;
    `last_idlink_va` the one that the database has. Of a visit that the database has, `referrer` has no URL.

    Args:
        goal_buyer: 0 for a visit without orders and carts, else one of orders.BUYER_*.
        seconds_since_order: since the visitor's latest order; None for one who never ordered.
        columns: the custom dimensions and variables that hits of this batch gave the visit, and the location that
            later hits did. Never changed in place: a conversion keeps those of its moment.
        converted: goals converted in this batch that a visit converts once.
        cart: the open cart, where this batch has seen it.
    """

    idvisit: int | None
    idsite: int
    idvisitor: bytes
    config_id: bytes
    user_id: str | None
    profilable: int
    first_action_time: int
    last_action_time: int
    returning: int
    seconds_since_first: int
    seconds_since_last: int
    seconds_since_order: int | None
    count_visits: int
    entry_idaction_url: int | None = None
    entry_idaction_name: int | None = 0
    exit_idaction_url: int | None = 0
    exit_idaction_name: int | None = 0
    total_actions: int = 0
    total_interactions: int = 0
    total_searches: int = 0
    total_events: int = 0
    total_time: int = 0
    goal_buyer: int = 0
    goal_converted: int = 0
    referrer: Referrer = DIRECT
    last_idlink_va: int | None = None
    loaded_last_action_time: int = 0
    last_link: "Link | None" = None
    opened_by: Hit | None = None
    device: Device | None = None
    columns: Mapping[str, Any] = field(default_factory=dict)
    converted: set[int] = field(default_factory=set)
    cart: "Cart | None" = None
    changed: bool = False
    is_attributed_late: bool = False


@dataclass(slots=True, eq=False)
class Link:
    """One row of log_link_visit_action to be: an action of a visit.

    Args:
        columns: further columns, those of the action's kind.
    """

    visit: Visit
    hit: Hit
    idvisitor: bytes
    idaction_url: int | None
    idaction_name: int | None
    idaction_url_ref: int | None
    idaction_name_ref: int | None
    position: int | None
    time_spent_ref: int
    timings: Timings
    columns: Mapping[str, Any]
    time_spent: int | None = None
    idlink_va: int | None = None


@dataclass(slots=True)
class Outcome:
    """What a run of hits did: rows to insert and to update, in order.

    Args:
        time_spent: seconds by idlink_va, for actions that the database has already.
        page_views: the latest page view of each visit and page view id.
        late_timings: timings that came after their page view was written.
        items: of orders and carts, as they are in the end.
        replaced_carts: visits whose cart in the database is no longer what it was.
        lost_pings: pings that had no visit to continue.
    """

    new_visits: list[Visit] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    conversions: "list[Conversion]" = field(default_factory=list)
    time_spent: dict[int, int] = field(default_factory=dict)
    page_views: dict[tuple[Visit, str], Link] = field(default_factory=dict)
    late_timings: dict[tuple[Visit, str], Timings] = field(default_factory=dict)
    items: "list[OrderedItems]" = field(default_factory=list)
    replaced_carts: dict[Visit, None] = field(default_factory=dict)
    lost_pings: int = 0


def is_continued(visit: Visit, hit: Hit, standard_length: int) -> bool:
    """Whether the hit belongs to this visit, the latest of its visitor, or begins a new one."""
    if hit.new_visit or visit.last_action_time <= hit.time - standard_length:
        return False
    if hit.user_id and visit.user_id and hit.user_id != visit.user_id:
        return False
    if referrers.is_new_campaign(visit.referrer, hit.referrer):
        return False
    days = hit.site.days
    return days.date_of(visit.last_action_time) == days.date_of(hit.time)


def begin(hit: Hit, previous: Visit | None, device: Device) -> Visit:
    """The new visit that a hit begins, of a visitor whose latest visit is `previous` where there is one."""
    idvisitor = hit.visitor_id or (previous.idvisitor if previous else _made_up_id(hit))
    since_first = hit.time - previous.first_action_time + previous.seconds_since_first if previous else 0
    returning, since_order = _RETURNING if previous else 0, None
    # A visit right after the one with the order does not count as a customer's yet (conformance `archives`,
    # VisitorInterest_daysSinceLastVisit; `tracking`, buyer returns).
    if previous and previous.seconds_since_order:
        returning = _CUSTOMER
    if hit.order is not None and hit.order.order_id is not None:
        returning, since_order = _CUSTOMER, 0
    elif previous is not None and previous.seconds_since_order is not None:
        since_order = max(hit.time - previous.first_action_time + previous.seconds_since_order, 0)
    return Visit(
        idvisit=None,
        idsite=hit.site.idsite,
        idvisitor=idvisitor,
        config_id=hit.config_id,
        user_id=hit.user_id,
        profilable=int(hit.visitor_id is not None),
        first_action_time=hit.time,
        last_action_time=hit.time,
        returning=returning,
        seconds_since_first=max(since_first, 0),
        seconds_since_last=max(hit.time - previous.first_action_time, 0) if previous else 0,
        seconds_since_order=since_order,
        count_visits=previous.count_visits + 1 if previous else 1,
        opened_by=hit,
        device=device,
        referrer=hit.referrer,
        columns=hit.visit_columns,
    )


def _made_up_id(hit: Hit) -> bytes:
    """An id for a visitor without one: the same when the same request is recorded again after a crash."""
    return (int.from_bytes(hit.config_id) ^ hit.time * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF).to_bytes(8)


def record(visit: Visit, hit: Hit, is_new: bool, ids: Mapping[ActionName, int], outcome: Outcome) -> Link | None:
    """Record a hit in its visit: the visit goes on, and the hit's action, where it has one, is added.

    Args:
        is_new: whether the hit began the visit.
        ids: of the names of actions.
    """
    spent = 0
    if not is_new:
        spent = max(hit.time - visit.last_action_time, 0)
        _set_time_spent(visit, spent, outcome)
        visit.total_time = max(hit.time - visit.first_action_time + 1, 0)
        if hit.visit_columns or hit.moved_to:
            visit.columns = {**visit.columns, **hit.visit_columns, **hit.moved_to}
        _identify(visit, hit)
    link = None if hit.action is None else _add_action(visit, hit, hit.action, is_new, spent, ids, outcome)
    if not hit.ping:
        visit.last_action_time = max(visit.last_action_time, hit.time)
    if hit.late_timings is not None:
        _add_late_timings(visit, hit.page_view_id, hit.late_timings, outcome)
    return link


def _add_action(
    visit: Visit, hit: Hit, action: Action, is_new: bool, spent: int, ids: Mapping[ActionName, int], outcome: Outcome
) -> Link:
    kind = action.kind
    url = kind.without_url if action.url is None else ids[action.url]
    name = kind.without_name if action.name is None else ids[action.name]
    url_ref, name_ref = visit.exit_idaction_url, visit.exit_idaction_name
    if kind.is_view:
        visit.total_interactions = min(visit.total_interactions + 1, _MEDIUMINT)
        if visit.entry_idaction_url is None:
            visit.entry_idaction_url = (url or 0) if is_new else url
        if is_new:
            visit.entry_idaction_name = name
        visit.exit_idaction_url = (url or 0) if is_new else url
        visit.exit_idaction_name = name or visit.exit_idaction_name
    visit.total_actions = min(visit.total_actions + kind.counted, _INT)
    visit.total_searches = min(visit.total_searches + kind.searches, _SMALLINT)
    visit.total_events = min(visit.total_events + kind.events, _INT)
    columns: Mapping[str, Any] = action.columns
    if action.names:
        columns = {**columns, **{column: ids[named] for column, named in action.names.items()}}
    link = Link(
        visit=visit,
        hit=hit,
        idvisitor=hit.visitor_id or visit.idvisitor,
        idaction_url=url,
        idaction_name=name,
        idaction_url_ref=url_ref,
        idaction_name_ref=name_ref,
        position=visit.total_interactions or None,
        time_spent_ref=spent,
        timings=hit.timings,
        columns=columns,
    )
    outcome.links.append(link)
    visit.last_link = link
    if kind.is_view and hit.page_view_id:
        outcome.page_views[visit, hit.page_view_id] = link
    return link


def convert(visit: Visit, hit: Hit) -> None:
    """Note that a hit converts a goal or orders; of a visitor known before, that lengthens the visit.

    The reference adds the request's `idgoal` (-1 without one) plus 2 seconds (conformance: manual with revenue, order
    sent twice).
    """
    visit.goal_converted = 1
    if visit.count_visits > 1 or hit is not visit.opened_by:
        visit.total_time += hit.idgoal + 2


def _add_late_timings(visit: Visit, page_view_id: str, timings: Timings, outcome: Outcome) -> None:
    """Give a page view the timings that its browser knew only after it was sent; they came with a later request."""
    link = outcome.page_views.get((visit, page_view_id))
    if link is not None:
        link.timings = merged(link.timings, timings)
    elif visit.idvisit is not None:
        before = outcome.late_timings.get((visit, page_view_id), timings)
        outcome.late_timings[visit, page_view_id] = merged(before, timings)


def merged(timings: Timings, later: Timings) -> Timings:
    """The timings, replaced by later ones where those are known."""
    return tuple(old if new is None else new for old, new in zip(timings, later, strict=True))


def _set_time_spent(visit: Visit, seconds: int, outcome: Outcome) -> None:
    """Note how long the visit's latest action lasted; only sites with action dimensions have that column filled."""
    if seconds <= 0:
        return
    if visit.last_link is not None:
        if visit.last_link.hit.site.has_action_dimensions:
            visit.last_link.time_spent = seconds
    elif visit.last_idlink_va is not None:
        outcome.time_spent[visit.last_idlink_va] = seconds


def _identify(visit: Visit, hit: Hit) -> None:
    """Take over what a further hit says about who the visitor is and, where that was not known, came from."""
    visit.changed = True
    if hit.visitor_id is not None:
        visit.idvisitor = hit.visitor_id
        visit.profilable = 1
    if hit.user_id is not None:
        visit.user_id = hit.user_id
    if referrers.is_late(visit.referrer, hit.referrer):
        visit.referrer = hit.referrer
        visit.is_attributed_late = True
