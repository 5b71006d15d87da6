"""Every metric of /metrics, declared once with what it means.

The counts lie in Redis (footfall/queue/counters.py), so each API process shows the same numbers: those of all.
"""

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import CollectorRegistry

from footfall.queue import counters
from footfall.queue.counters import Counts
from footfall.queue.spool import Usage
from tracker_api.queue_report import QueueReport

CONTENT_TYPE = CONTENT_TYPE_LATEST


class QueueMetrics:
    """The metrics at one moment.

    Args:
        counts: None while Redis cannot be reached.
        report: None while Redis or the database cannot be reached.
        spool: that of this machine.
        obstacle: why that spool would take nothing; empty when it would.
        now: Unix time in seconds.
    """

    def __init__(
        self, counts: Counts | None, report: QueueReport | None, spool: Usage, obstacle: str, now: float
    ) -> None:
        self._counts = counts
        self._report = report
        self._spool = spool
        self._obstacle = obstacle
        self._now = now

    def collect(self) -> Iterable[Metric]:
        """The declared metrics with their values."""
        yield GaugeMetricFamily(
            "footfall_redis_up", "1 while the endpoint reaches Redis, else 0.", value=self._counts is not None
        )
        yield from self._of_spool()
        if self._counts is not None:
            yield from self._of_counts(self._counts)
        if self._report is not None:
            yield from self._of_queue(self._report)

    def _of_spool(self) -> Iterable[Metric]:
        usage = self._spool
        yield GaugeMetricFamily(
            "footfall_spool_requests",
            "Tracking requests that wait on this machine's disk for room in the queue.",
            value=usage.requests,
        )
        yield GaugeMetricFamily("footfall_spool_bytes", "Bytes that they take.", value=usage.bytes)
        yield GaugeMetricFamily(
            "footfall_spool_oldest_seconds",
            "Age of the oldest of them.",
            value=0.0 if usage.oldest_at is None else max(0.0, self._now - usage.oldest_at),
        )
        yield GaugeMetricFamily(
            "footfall_spool_ready", "1 while the spool could take requests, else 0.", value=not self._obstacle
        )

    def _of_counts(self, counts: Counts) -> Iterable[Metric]:
        yield CounterMetricFamily(
            "footfall_requests_accepted",
            "Tracking requests that came into the queue, those of spools when they are brought back.",
            value=counts.count(counters.ACCEPTED),
        )
        yield CounterMetricFamily(
            "footfall_requests_ignored",
            "Requests that were answered and not queued, because rec was not 1.",
            value=counts.count(counters.IGNORED),
        )
        refused = CounterMetricFamily(
            "footfall_requests_refused", "Tracking requests that were refused, by reason.", labels=["reason"]
        )
        for reason, count in sorted(counts.refusals().items()):
            refused.add_metric([reason], count)
        yield refused
        excluded = CounterMetricFamily(
            "footfall_requests_excluded",
            "Tracking requests that were left out on purpose, by reason (an excluded address, say).",
            labels=["reason"],
        )
        for reason, count in sorted(counts.exclusions().items()):
            excluded.add_metric([reason], count)
        yield excluded

    def _of_queue(self, report: QueueReport) -> Iterable[Metric]:
        state = report.state
        yield CounterMetricFamily(
            "footfall_requests_drained",
            "Tracking requests that left the queue: recorded, excluded or as dead letters.",
            value=state.recorded,
        )
        depth = GaugeMetricFamily("footfall_queue_depth", "Tracking requests that wait in a shard.", labels=["shard"])
        oldest = GaugeMetricFamily(
            "footfall_queue_oldest_seconds", "Age of the oldest tracking request of a shard.", labels=["shard"]
        )
        for shard in state.shards:
            depth.add_metric([shard.shard], shard.depth)
            oldest.add_metric([shard.shard], shard.oldest_seconds)
        yield depth
        yield oldest
        yield GaugeMetricFamily(
            "footfall_queue_in_flight", "Tracking requests that workers have in hand, at most.", value=state.in_flight
        )
        yield GaugeMetricFamily(
            "footfall_queue_full",
            "1 while the queue has no room (QUEUE_MAX_REQUESTS, QUEUE_MAX_BYTES, Redis's memory), else 0.",
            value=bool(report.full),
        )
        yield GaugeMetricFamily(
            "footfall_spooled_requests",
            "Tracking requests that wait in the spools of all machines.",
            value=state.spooled,
        )
        yield GaugeMetricFamily(
            "footfall_dead_letters", "Tracking requests kept because they could not be recorded.", value=report.dead
        )
        yield GaugeMetricFamily(
            "footfall_draining_stopped",
            "1 while nothing is drained because too many requests failed (DEAD_LETTER_LIMIT), else 0.",
            value=report.draining_stopped,
        )


def render(metrics: QueueMetrics) -> bytes:
    """The metrics in Prometheus's text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(metrics)
    return generate_latest(registry)
