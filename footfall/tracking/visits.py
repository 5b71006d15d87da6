"""Visits in memory: how a hit continues a visit or begins a new one, and what that makes of the rows.

Source of the rules: conformance topics `visits` and `pageviews`.
"""

from dataclasses import dataclass, field

from footfall.tracking import referrers
from footfall.tracking.devices import Device
from footfall.tracking.hit import Hit
from footfall.tracking.referrers import DIRECT, Referrer


@dataclass(slots=True, eq=False)
class Visit:
    """A visit as far as tracking changes or compares it; idvisit is None until it is inserted.

    Times are Unix seconds. `last_link` is the action that was recorded last, where it belongs to this batch;
    `last_idlink_va` the one that the database has. Of a visit that the database has, `referrer` has no URL.
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
    count_visits: int
    exit_idaction_url: int
    exit_idaction_name: int
    total_actions: int
    total_interactions: int
    total_time: int
    last_idlink_va: int | None = None
    loaded_last_action_time: int = 0
    last_link: "Link | None" = None
    opened_by: Hit | None = None
    device: Device | None = None
    entry_idaction_url: int = 0
    entry_idaction_name: int = 0
    referrer: Referrer = DIRECT
    changed: bool = False
    is_attributed_late: bool = False


@dataclass(slots=True, eq=False)
class Link:
    """One row of log_link_visit_action to be: an action of a visit."""

    visit: Visit
    hit: Hit
    idvisitor: bytes
    idaction_url: int
    idaction_name: int
    idaction_url_ref: int
    idaction_name_ref: int
    position: int
    time_spent_ref: int
    time_spent: int | None = None
    idlink_va: int | None = None


@dataclass(slots=True)
class Outcome:
    """What a run of hits did: rows to insert and to update, in order.

    Args:
        time_spent: seconds by idlink_va, for actions that the database has already.
    """

    new_visits: list[Visit] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    time_spent: dict[int, int] = field(default_factory=dict)


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
    return Visit(
        idvisit=None,
        idsite=hit.site.idsite,
        idvisitor=idvisitor,
        config_id=hit.config_id,
        user_id=hit.user_id,
        profilable=int(hit.visitor_id is not None),
        first_action_time=hit.time,
        last_action_time=hit.time,
        returning=int(previous is not None),
        seconds_since_first=max(since_first, 0),
        seconds_since_last=max(hit.time - previous.last_action_time, 0) if previous else 0,
        count_visits=previous.count_visits + 1 if previous else 1,
        exit_idaction_url=0,
        exit_idaction_name=0,
        total_actions=0,
        total_interactions=0,
        total_time=0,
        opened_by=hit,
        device=device,
        referrer=hit.referrer,
    )


def _made_up_id(hit: Hit) -> bytes:
    """An id for a visitor without one: the same when the same request is recorded again after a crash."""
    return (int.from_bytes(hit.config_id) ^ hit.time * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF).to_bytes(8)


def add_page_view(visit: Visit, hit: Hit, idaction_url: int, idaction_name: int, outcome: Outcome) -> None:
    """Record a page view in a visit: its action, and what it changes in the visit and in the action before."""
    is_first = visit.total_interactions == 0 and visit.idvisit is None
    time_spent_ref = 0 if is_first else max(hit.time - visit.last_action_time, 0)
    link = Link(
        visit=visit,
        hit=hit,
        idvisitor=hit.visitor_id or visit.idvisitor,
        idaction_url=idaction_url,
        idaction_name=idaction_name,
        idaction_url_ref=visit.exit_idaction_url,
        idaction_name_ref=visit.exit_idaction_name,
        position=visit.total_interactions + 1,
        time_spent_ref=time_spent_ref,
    )
    outcome.links.append(link)
    if is_first:
        visit.entry_idaction_url, visit.entry_idaction_name = idaction_url, idaction_name
    else:
        set_time_spent(visit, time_spent_ref, outcome)
        visit.total_time = max(visit.total_time, hit.time - visit.first_action_time + 1)
    visit.total_actions += 1
    visit.total_interactions += 1
    visit.exit_idaction_url, visit.exit_idaction_name = idaction_url, idaction_name
    visit.last_action_time = max(visit.last_action_time, hit.time)
    visit.last_link = link
    identify(visit, hit)


def add_ping(visit: Visit, hit: Hit, outcome: Outcome) -> None:
    """Record a heartbeat: the visit, and its latest action, last longer; nothing else changes."""
    set_time_spent(visit, max(hit.time - visit.last_action_time, 0), outcome)
    visit.total_time = max(visit.total_time, hit.time - visit.first_action_time + 1)
    identify(visit, hit)


def set_time_spent(visit: Visit, seconds: int, outcome: Outcome) -> None:
    """Note how long the visit's latest action lasted; only sites with action dimensions have that column filled."""
    if seconds <= 0:
        return
    if visit.last_link is not None:
        if visit.last_link.hit.site.has_action_dimensions:
            visit.last_link.time_spent = seconds
    elif visit.last_idlink_va is not None:
        outcome.time_spent[visit.last_idlink_va] = seconds


def identify(visit: Visit, hit: Hit) -> None:
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
