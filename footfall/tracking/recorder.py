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
from footfall.queue.request import TrackingRequest
from footfall.settings import Settings
from footfall.sites import Sites
from footfall.tracking import rows, visits
from footfall.tracking.actions import ActionIds
from footfall.tracking.devices import Agent, Device, Devices
from footfall.tracking.errors import Excluded, Rejected
from footfall.tracking.exclusions import BOT
from footfall.tracking.failures import FailedRequest, TrackingFailures
from footfall.tracking.hit import TIMING_LIMIT, ActionName, Hit, HitParser
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
    """Requests that are ready to be written."""

    hits: list[Hit]
    rejected: list[Rejection]
    excluded: Counter[str]
    action_ids: dict[ActionName, int]
    devices: dict[Agent, Device]


@dataclass
class BatchReport:
    """What a written batch was made of.

    Args:
        visits: visits begun.
        page_views: page views recorded.
        goals: conversions recorded.
        since: time of the earliest hit, in UTC; None for a batch without any.
        rejected: requests that could not be recorded.
        excluded: how many were left out on purpose, by reason.
    """

    visits: int = 0
    page_views: int = 0
    goals: int = 0
    since: datetime | None = None
    rejected: list[Rejection] = field(default_factory=list)
    excluded: Counter[str] = field(default_factory=Counter)


class Recorder:
    """Records batches through one database connection; keeps its caches from batch to batch."""

    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._standard_length = settings.visit_standard_length
        self._secret = (settings.secret_key or database.name).encode()
        self._parser = HitParser(
            Sites(database, settings.tracker_cache_seconds), Users(database, settings, clock), settings, clock
        )
        self._failures = TrackingFailures(database, clock)
        self._action_ids = ActionIds(database, settings.action_cache_size)
        self._devices = Devices(database, clock, settings.user_agent_cache_size)

    def forget(self) -> None:
        """Drop what is kept of sites, goals, dimensions, options and users: one of them has changed."""
        self._parser.forget()

    def prepare(self, requests: Sequence[TrackingRequest]) -> Batch:
        """Everything about the requests that no other request can change. Not inside a transaction."""
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
        devices = self._devices.of({hit.agent for hit in hits})
        understood, hits = hits, [hit for hit in hits if hit.keeps_bot or not devices[hit.agent].is_bot]
        if len(hits) < len(understood):
            excluded[BOT] += len(understood) - len(hits)
        actions: dict[ActionName, int | None] = {}
        for hit in hits:
            if hit.page_url is not None:
                actions.setdefault(hit.page_url, hit.url_prefix)
            if hit.page_title is not None:
                actions[hit.page_title] = None
        for hit in hits:
            hit.config_id = hit.fingerprint(devices[hit.agent], self._secret)
        return Batch(hits, rejected, excluded, self._action_ids.of(actions), devices)

    def write(self, batch: Batch) -> BatchReport:
        """Write the batch's rows. Inside a transaction that the caller commits."""
        known = KnownVisits(self._database, self._standard_length)
        known.load(batch.hits)
        outcome = self._run(batch, known)
        self._write(outcome, known, batch.hits)
        since = min((hit.time for hit in batch.hits), default=None)
        return BatchReport(
            visits=len(outcome.new_visits),
            page_views=len(outcome.links),
            since=None if since is None else datetime.fromtimestamp(since, UTC),
            rejected=batch.rejected,
            excluded=batch.excluded,
        )

    def _run(self, batch: Batch, known: KnownVisits) -> visits.Outcome:
        outcome, ids = visits.Outcome(), batch.action_ids
        for hit in batch.hits:
            latest = known.latest(hit)
            if latest is not None and visits.is_continued(latest, hit, self._standard_length):
                visit = latest
            elif hit.ping:
                continue  # a ping continues a visit or is nothing (conformance: ping without a visit)
            else:
                visit = visits.begin(hit, latest, batch.devices[hit.agent])
                outcome.new_visits.append(visit)
            if hit.ping:
                visits.add_ping(visit, hit, outcome)
            else:
                url = ids[hit.page_url] if hit.page_url is not None else 0
                title = ids[hit.page_title] if hit.page_title is not None else 0
                visits.add_page_view(visit, hit, url, title, outcome)
            known.add(visit)
        return outcome

    def _write(self, outcome: visits.Outcome, known: KnownVisits, hits: Sequence[Hit]) -> None:
        database = self._database
        if outcome.new_visits:
            rows.insert_visits(database, outcome.new_visits)
        # A timing that its column cannot hold costs the reference the action, not the visit (timings out of range).
        links = [link for link in outcome.links if all((value or 0) <= TIMING_LIMIT for value in link.hit.timings)]
        if links:
            rows.insert_links(database, links)
        changed = known.changed()
        for link in links:
            if link.hit.site.has_action_dimensions:
                link.visit.last_idlink_va = link.idlink_va
        changed += [visit for visit in outcome.new_visits if visit.last_idlink_va is not None]
        if changed:
            rows.update_visits(database, changed)
        if late := [visit for visit in known.changed() if visit.is_attributed_late]:
            rows.update_referrers(database, late)
        if outcome.time_spent:
            rows.update_time_spent(database, outcome.time_spent)
        if days := {(hit.site.idsite, hit.site.days.date_of(hit.time).isoformat()) for hit in hits}:
            now = self._clock.now().strftime("%Y-%m-%d %H:%M:%S")
            rows.touch_days(database, sorted(days), now)
