"""The declared metrics (footfall/metrics/declared.py) with their values, in Prometheus's text format."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import CollectorRegistry

from footfall.metrics.declared import METRICS
from footfall.metrics.metric import Counts, Distribution, Kind, Metric

CONTENT_TYPE = CONTENT_TYPE_LATEST


@dataclass(eq=False)
class Snapshot:
    """What is known at one moment.

    Args:
        counts: what all processes counted; None while Redis cannot be reached.
        values: what was measured instead, by metric and label values.
    """

    counts: Counts | None = None
    values: dict[Metric, dict[tuple[str, ...], float]] = field(default_factory=dict)

    def set(self, metric: Metric, value: float, *labels: str) -> None:
        """A measured value."""
        self.values.setdefault(metric, {})[labels] = float(value)

    def collect(self) -> Iterable[Family]:
        """The metrics that are known, in the order of their declaration."""
        for metric in METRICS:
            if metric in self.values:
                yield _simple(metric, self.values[metric])
            elif self.counts is not None and metric.kind is Kind.HISTOGRAM:
                yield _histogram(metric, self.counts.distributions(metric))
            elif self.counts is not None and metric.kind is Kind.COUNTER:
                yield _simple(metric, {labels: float(value) for labels, value in self.counts.values(metric).items()})


def render(snapshot: Snapshot) -> bytes:
    """The snapshot in Prometheus's text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(snapshot)
    return generate_latest(registry)


def _simple(metric: Metric, values: dict[tuple[str, ...], float]) -> Family:
    """A counter or a gauge. One without labels is 0 before it was ever counted."""
    kind = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
    family = kind(metric.name, metric.help, labels=metric.labels)
    for labels, value in (values or ({} if metric.labels else {(): 0.0})).items():
        family.add_metric(labels, value)
    return family


def _histogram(metric: Metric, distributions: dict[tuple[str, ...], Distribution]) -> Family:
    family = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
    for labels, found in (distributions or ({} if metric.labels else {(): Distribution()})).items():
        buckets = [(str(bound), float(found.upto(bound))) for bound in (*metric.buckets, float("inf"))]
        buckets[-1] = ("+Inf", buckets[-1][1])
        family.add_metric(labels, buckets, found.sum)
    return family
