"""What a metric is, and how its counts are named where all processes add to them.

Counters and histograms are counted by many processes on many machines and lie in one hash of names and whole numbers
(footfall/queue/counters.py). A field of that hash is the metric's name, its label values and, for a histogram, a bucket
or `sum`, with `|` between: `footfall_batch_step_seconds|parse|0.05`.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

_MILLIONTHS = 1_000_000  # sums of histograms are kept as whole numbers of these
_SUM = "sum"
_INFINITE = "+Inf"
_MOST_SERIES = 200
_OTHER = "other"


class Kind(StrEnum):
    """Kinds of metrics, as Prometheus names them."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True)
class Metric:
    """A declared metric.

    Args:
        name: without the endings that Prometheus adds (`_total` of a counter, `_bucket` of a histogram).
        labels: their names; what they may say is decided by our code, never by a client.
        buckets: upper bounds of a histogram's buckets, rising, without infinity.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    def field(self, *values: str) -> str:
        """The field that counts for these label values."""
        assert len(values) == len(self.labels), f"{self.name} has the labels {self.labels}"
        return "|".join((self.name, *(value.replace("|", "/") for value in values)))

    def bucket(self, value: float, *values: str) -> str:
        """The field of the bucket that an observed value falls into, and into no smaller one."""
        place = bisect_left(self.buckets, value)
        return f"{self.field(*values)}|{self.buckets[place] if place < len(self.buckets) else _INFINITE}"

    def sum(self, *values: str) -> str:
        """The field of the sum of all observed values."""
        return f"{self.field(*values)}|{_SUM}"

    @property
    def exported(self) -> tuple[str, ...]:
        """The names under which Prometheus knows its samples."""
        if self.kind is Kind.COUNTER:
            return (f"{self.name}_total",)
        if self.kind is Kind.HISTOGRAM:
            return tuple(f"{self.name}_{ending}" for ending in ("bucket", "count", "sum"))
        return (self.name,)


class Tally:
    """What one process has counted and not added to the common counts yet; for one thread."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def count(self, metric: Metric, *values: str, by: int = 1) -> None:
        """Count something for these label values."""
        self._add(metric.field(*values), by)

    def observe(self, metric: Metric, value: float, *values: str) -> None:
        """Put a value into the histogram of these label values."""
        self._add(metric.bucket(value, *values), 1)
        self._add(metric.sum(*values), round(value * _MILLIONTHS))

    def take(self) -> dict[str, int]:
        """The increments by field, for whoever adds them to the common counts; the tally is empty then."""
        counts, self._counts = self._counts, {}
        return counts

    def put_back(self, counts: Mapping[str, int]) -> None:
        """Keep increments that could not be added."""
        for name, increment in counts.items():
            self._add(name, increment)

    def _add(self, name: str, increment: int) -> None:
        if increment:
            self._counts[name] = self._counts.get(name, 0) + increment


@dataclass
class Distribution:
    """What a histogram holds for some label values.

    Args:
        buckets: how many values fell into each bucket and no smaller one, by its upper bound.
    """

    buckets: dict[float, int] = field(default_factory=dict)
    sum: float = 0.0

    def upto(self, bound: float) -> int:
        """How many values are at most this."""
        return sum(count for upper, count in self.buckets.items() if upper <= bound)


class Counts:
    """The common counts as they stand.

    Whatever other versions wrote is understood as far as it goes: fields of unknown metrics are left out, buckets count
    for the bounds that are declared now.

    Args:
        fields: the whole numbers by field.
    """

    def __init__(self, fields: Mapping[str, int]) -> None:
        self._by_metric: dict[str, dict[tuple[str, ...], int]] = {}
        for name, value in fields.items():
            metric, *rest = name.split("|")
            self._by_metric.setdefault(metric, {})[tuple(rest)] = value

    def of(self, metric: Metric, *values: str) -> int:
        """How often something was counted for these label values."""
        return self._by_metric.get(metric.name, {}).get(values, 0)

    def values(self, metric: Metric) -> dict[tuple[str, ...], int]:
        """The counts of a metric by label values."""
        found: dict[tuple[str, ...], int] = {}
        for rest, value in sorted(self._by_metric.get(metric.name, {}).items()):
            if len(rest) == len(metric.labels):
                labels = _bounded(rest, found)
                found[labels] = found.get(labels, 0) + value
        return found

    def distributions(self, metric: Metric) -> dict[tuple[str, ...], Distribution]:
        """What a histogram holds by label values."""
        found: dict[tuple[str, ...], Distribution] = {}
        for rest, value in sorted(self._by_metric.get(metric.name, {}).items()):
            if len(rest) != len(metric.labels) + 1:
                continue
            *labels, part = rest
            distribution = found.setdefault(_bounded(tuple(labels), found), Distribution())
            if part == _SUM:
                distribution.sum += value / _MILLIONTHS
            else:
                distribution.buckets[float(part)] = distribution.buckets.get(float(part), 0) + value
        return found


def _bounded(labels: tuple[str, ...], found: Mapping[tuple[str, ...], object]) -> tuple[str, ...]:
    """The labels to count under: whatever the counts hold, a metric has no more series than a server can bear."""
    return labels if labels in found or len(found) < _MOST_SERIES else (_OTHER,) * len(labels)
