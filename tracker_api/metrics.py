"""Every metric of /metrics, declared once with what it means.

The counts lie in Redis (footfall/queue/counters.py), so each API process shows the same numbers: those of all.
"""

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import CollectorRegistry

from footfall.queue import counters
from footfall.queue.counters import Counts
from footfall.queue.state import QueueState

CONTENT_TYPE = CONTENT_TYPE_LATEST


class QueueMetrics:
    """The metrics at one moment."""

    def __init__(self, counts: Counts, state: QueueState, dead: int) -> None:
        self._counts = counts
        self._state = state
        self._dead = dead

    def collect(self) -> Iterable[Metric]:
        """The declared metrics with their values."""
        yield CounterMetricFamily(
            "footfall_requests_accepted",
            "Tracking requests that were acknowledged by the queue.",
            value=self._counts.count(counters.ACCEPTED),
        )
        yield CounterMetricFamily(
            "footfall_requests_ignored",
            "Requests that were answered and not queued, because rec was not 1.",
            value=self._counts.count(counters.IGNORED),
        )
        refused = CounterMetricFamily(
            "footfall_requests_refused", "Tracking requests that were refused, by reason.", labels=["reason"]
        )
        for reason, count in sorted(self._counts.refusals().items()):
            refused.add_metric([reason], count)
        yield refused
        yield CounterMetricFamily(
            "footfall_requests_drained",
            "Tracking requests that left the queue: recorded, excluded or as dead letters.",
            value=self._state.recorded,
        )
        excluded = CounterMetricFamily(
            "footfall_requests_excluded",
            "Tracking requests that were left out on purpose, by reason (an excluded address, say).",
            labels=["reason"],
        )
        for reason, count in sorted(self._counts.exclusions().items()):
            excluded.add_metric([reason], count)
        yield excluded
        depth = GaugeMetricFamily("footfall_queue_depth", "Tracking requests that wait in a shard.", labels=["shard"])
        oldest = GaugeMetricFamily(
            "footfall_queue_oldest_seconds", "Age of the oldest tracking request of a shard.", labels=["shard"]
        )
        for shard in self._state.shards:
            depth.add_metric([shard.shard], shard.depth)
            oldest.add_metric([shard.shard], shard.oldest_seconds)
        yield depth
        yield oldest
        yield GaugeMetricFamily(
            "footfall_queue_in_flight",
            "Tracking requests that workers have in hand, at most.",
            value=self._state.in_flight,
        )
        yield GaugeMetricFamily(
            "footfall_dead_letters", "Tracking requests kept because they could not be recorded.", value=self._dead
        )


def render(metrics: QueueMetrics) -> bytes:
    """The metrics in Prometheus's text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(metrics)
    return generate_latest(registry)
