"""Records a batch of tracking requests, set-at-a-time.

    prepare    parse all requests; find or make the ids of their actions and the devices of their user agents
    write      inside the caller's transaction: read the visits they may continue, run them in order, write the rows

`prepare` may be followed by `write` more than once, after a deadlock, say: nothing of a write is kept.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from logging import getLogger
from typing import NamedTuple

from footfall.clock import Clock
from footfall.database import Database
from footfall.metrics.steps import Step, Steps
from footfall.queue.request import TrackingRequest
from footfall.settings import Settings
from footfall.sites import Sites
from footfall.tracking import conversions, rows, visits
from footfall.tracking.action import PAGE_VIEW, ActionName
from footfall.tracking.action_ids import ActionIds
from footfall.tracking.devices import Agent, Device, Devices
from footfall.tracking.errors import Excluded, Rejected
from footfall.tracking.exclusions import BOT, PING
from footfall.tracking.failures import FailedRequest, TrackingFailures
from footfall.tracking.hit import NO_TIMINGS, TIMING_LIMIT, Hit, HitParser, Timings
from footfall.tracking.orders import CART_ID, OrderedItems, Orders
from footfall.tracking.providers import Providers
from footfall.tracking.visitors import KnownVisits
from footfall.users import Users

_log = getLogger(__name__)


class Rejection(NamedTuple):
    """A request of a batch that cannot be recorded: its place in the batch, and why."""

    place: int
    reason: str
    idsite: int | None


@dataclass
class Batch:
    """Requests that are ready to be written.

    Args:
        actions_number: what the ids of the actions are good for, see ActionIds.
    """

    hits: list[Hit]
    rejected: list[Rejection]
    excluded: Counter[str]
    action_ids: dict[ActionName, int]
    devices: dict[Agent, Device]
    actions_number: int | None = None


@dataclass
class BatchReport:
    """What a written batch was made of.

    Args:
        visits: visits begun.
        actions: actions recorded, of any kind.
        page_views: page views recorded.
        goals: conversions recorded.
        since: time of the earliest hit, in UTC; None for a batch without any.
        rejected: requests that could not be recorded.
        excluded: how many were left out on purpose, by reason.
    """

    visits: int = 0
    actions: int = 0
    page_views: int = 0
    goals: int = 0
    since: datetime | None = None
    rejected: list[Rejection] = field(default_factory=list)
    excluded: Counter[str] = field(default_factory=Counter)


class Recorder:
    """Records batches through one database connection; keeps its caches from batch to batch.

    `steps` is told what is being done.
    """

    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        self.steps = Steps()
        self._database = database
        self._clock = clock
        self._standard_length = settings.visit_standard_length
        self._secret = (settings.secret_key or database.name).encode()
        self._parser = HitParser(
            Sites(database, settings.tracker_cache_seconds), Users(database, settings, clock), settings, clock
        )
        self._failures = TrackingFailures(database, clock)
        wait = settings.provider_lookup_milliseconds / 1000
        self._providers = Providers(clock, wait) if wait else None
        self._action_ids = ActionIds(database, settings.action_cache_size)
        self._devices = Devices(database, clock, settings.user_agent_cache_size)

    def forget(self) -> None:
        """Drop what is kept of sites, goals, dimensions, options and users: one of them has changed."""
        self._parser.forget()

    def prepare(self, requests: Sequence[TrackingRequest]) -> Batch:
        """Everything about the requests that no other request can change. Not inside a transaction."""
        self.steps.at(Step.PARSE)
        hits, rejected, excluded, failed = [], [], Counter[str](), []
        for place, request in enumerate(requests):
            try:
                hits.append(self._parser.parse(request))
            except Excluded as exclusion:
                excluded[exclusion.reason] += 1
            except Rejected as rejection:
                rejected.append(Rejection(place, rejection.reason, rejection.idsite))
                if rejection.failure is not None and rejection.idsite is not None:
                    failed.append(FailedRequest(rejection.idsite, rejection.failure, request))
            except (ValueError, KeyError, TypeError, OverflowError) as error:
                # Whatever a client sends, it must not take the others' requests with it.
                _log.exception("A tracking request could not be understood")
                rejected.append(Rejection(place, f"Unexpected {type(error).__name__}: {error}"[:255], None))
        self._failures.note(failed)
        if self._providers:
            self._providers.ask({hit.enriched_address for hit in hits if hit.finds_provider})
        self.steps.at(Step.DEVICES)
        devices = self._devices.of({hit.agent for hit in hits})
        self.steps.at(Step.PARSE)
        understood, hits = hits, [hit for hit in hits if hit.keeps_bot or not devices[hit.agent].is_bot]
        if len(hits) < len(understood):
            excluded[BOT] += len(understood) - len(hits)
        for hit in hits:
            hit.config_id = hit.fingerprint(devices[hit.agent], self._secret)
        self.steps.at(Step.ACTION_IDS)
        action_ids = self._action_ids.of(_named(hits))
        batch = Batch(hits, rejected, excluded, action_ids, devices, self._action_ids.number)
        if self._providers:
            self.steps.at(Step.PROVIDERS)
            asked = [hit for hit in hits if hit.finds_provider]
            providers = self._providers.of({hit.enriched_address for hit in asked})
            for hit in asked:
                hit.provider = providers.get(hit.enriched_address)
        return batch

    def write(self, batch: Batch) -> BatchReport:
        """Write the batch's rows. Inside a transaction that the caller commits.

        Raises:
            ActionsRemoved: the batch has to be prepared again.
        """
        self.steps.at(Step.VISIT_LOOKUP)
        known = KnownVisits(self._database, self._standard_length)
        known.load(batch.hits)
        outcome = self._run(batch, known)
        goals = self._write(outcome, known)
        self._touch_days(batch.hits)
        since = min((hit.time for hit in batch.hits), default=None)
        self.steps.at(Step.BARRIER)
        if batch.action_ids:
            self._action_ids.check(
                batch.actions_number
            )  # last, so that who removes actions waits for no more than the commit
        return BatchReport(
            visits=len(outcome.new_visits),
            actions=len(outcome.links),
            page_views=sum(link.hit.action is not None and link.hit.action.kind is PAGE_VIEW for link in outcome.links),
            goals=goals,
            since=None if since is None else datetime.fromtimestamp(since, UTC),
            rejected=batch.rejected,
            excluded=batch.excluded + Counter({PING: outcome.lost_pings}),
        )

    def _run(self, batch: Batch, known: KnownVisits) -> visits.Outcome:
        self.steps.at(Step.ORDER_LOOKUP)
        outcome, orders = visits.Outcome(), Orders(self._database, batch.action_ids)
        orders.load(batch.hits, known.loaded())
        self.steps.at(Step.RULES)
        for hit in batch.hits:
            latest = known.latest(hit)
            if latest is not None and visits.is_continued(latest, hit, self._standard_length):
                visit, is_new = latest, False
            elif hit.ping:
                outcome.lost_pings += 1  # a ping continues a visit or is nothing (conformance: ping without a visit)
                continue
            else:
                visit, is_new = visits.begin(hit, latest, batch.devices[hit.agent]), True
                outcome.new_visits.append(visit)
            link = visits.record(visit, hit, is_new, batch.action_ids, outcome)
            if hit.order is not None:
                orders.record(visit, hit, hit.order, outcome)
            elif not hit.ping:
                conversions.record(visit, hit, link, outcome)
            known.add(visit)
        orders.finish(outcome)
        return outcome

    def _write(self, outcome: visits.Outcome, known: KnownVisits) -> int:
        """Write the rows; how many conversions are new."""
        database = self._database
        self.steps.at(Step.INSERT_VISITS)
        if outcome.new_visits:
            rows.insert_visits(database, outcome.new_visits)
        # A timing that its column cannot hold costs the reference the action, not the visit (timings out of range).
        links = [link for link in outcome.links if _is_storable(link.timings)]
        self.steps.at(Step.INSERT_ACTIONS)
        if links:
            rows.insert_links(database, links)
        self.steps.at(Step.CONVERSIONS)
        goals = self._write_conversions(outcome)
        self.steps.at(Step.UPDATE_VISITS)
        changed = known.changed()
        for link in links:
            if link.hit.site.has_action_dimensions:
                link.visit.last_idlink_va = link.idlink_va
        new = [visit for visit in outcome.new_visits if visit.last_idlink_va is not None]
        if changed or new:
            rows.update_visits(database, changed + new)
        if late := [visit for visit in changed if visit.is_attributed_late]:
            rows.update_referrers(database, late)
        self.steps.at(Step.UPDATE_ACTIONS)
        if outcome.time_spent:
            rows.update_time_spent(database, outcome.time_spent)
        if outcome.late_timings:
            rows.update_late_timings(database, outcome.late_timings)
        return goals

    def _write_conversions(self, outcome: visits.Outcome) -> int:
        """Write conversions and items; before the visits are changed, whose rows conversions take columns from."""
        database = self._database
        converted = [c for c in outcome.conversions if c.link is None or c.link.idlink_va is not None]
        if not converted:
            return 0
        carts = [conversion for conversion in converted if conversion.replaces_cart]
        if carts:
            rows.update_carts(database, carts)
        new = [conversion for conversion in converted if not conversion.replaces_cart]
        goals = 0
        if new:
            carried = rows.carried_columns(database, list({conversion.visit: None for conversion in new}))
            goals = rows.insert_conversions(database, new, carried)
        if outcome.items:
            rows.replace_items(database, list(outcome.replaced_carts), self._own(outcome.items))
        return goals

    def _own(self, items: Sequence[OrderedItems]) -> list[OrderedItems]:
        """Without those of an order whose id another worker has recorded in the meantime."""
        ordering = list({ordered.visit: None for ordered in items if ordered.order_id != CART_ID})
        own = rows.own_orders(self._database, ordering) if ordering else set()
        return [o for o in items if o.order_id == CART_ID or (o.visit.idvisit, o.order_id) in own]

    def _touch_days(self, hits: Sequence[Hit]) -> None:
        self.steps.at(Step.TOUCHED_DAYS)
        if days := {(hit.site.idsite, hit.site.days.date_of(hit.time).isoformat()) for hit in hits}:
            now = self._clock.now().strftime("%Y-%m-%d %H:%M:%S")
            rows.touch_days(self._database, sorted(days), now)


def _named(hits: Sequence[Hit]) -> dict[ActionName, int | None]:
    """The names of all actions and products of the hits, with the prefixes of URLs."""
    names: dict[ActionName, int | None] = {}
    for hit in hits:
        if (action := hit.action) is not None:
            if action.url is not None:
                names.setdefault(action.url, action.url_prefix)
            if action.name is not None:
                names[action.name] = None
            for name in action.names.values():
                names.setdefault(name)
        elif hit.order is not None:
            for item in hit.order.items:
                for product in (item.sku, item.name, *item.categories):
                    if product is not None:
                        names[product] = None
    return names


def _is_storable(timings: Timings) -> bool:
    return timings is NO_TIMINGS or all((value or 0) <= TIMING_LIMIT for value in timings)
