"""What a plugin declares to offer a report. One declaration is one method of the Reporting API."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from footfall.archiving.datatable import Row
from footfall.archiving.periods import PeriodKind
from footfall.reports.metrics import Measurement, ProcessedMetric

# Distinct people of a longer period are not counted: their number cannot be summed from the days.
_WITH_VISITORS = (PeriodKind.DAY, PeriodKind.WEEK, PeriodKind.MONTH)


@dataclass(frozen=True)
class NumbersReport:
    """A report of one row: archived numbers, and what is computed from them.

    Args:
        method: its name in the Reporting API, `VisitsSummary.get`.
        metrics: the name of the archived number by the name it is shown under.
        visitors: those of the metrics that count people; they are known for days, weeks and months only.
        processed: computed metrics, in the order shown.
    """

    method: str
    metrics: Mapping[str, str]
    visitors: frozenset[str] = frozenset()
    processed: tuple[ProcessedMetric, ...] = ()

    def metrics_of(self, kind: PeriodKind) -> dict[str, str]:
        """The metrics shown for a period of this kind."""
        known = kind in _WITH_VISITORS
        return {shown: stored for shown, stored in self.metrics.items() if known or shown not in self.visitors}


def _no_metadata(row: Row) -> dict[str, Any]:
    return {}


def dashed_label(path: Sequence[str]) -> str:
    """The flat label of a row below others: `Search engines - Bing`."""
    return " - ".join(label.strip() for label in path)


@dataclass(frozen=True)
class TableReport:
    """A report of rows, made from one archived record.

    Args:
        method: its name in the Reporting API, `Actions.getPageUrls`.
        record: the archived record it reads.
        dimension: what its labels are, the name under which a flat answer repeats them (`Actions_PageUrl`).
        processed: computed metrics, in the order shown.
        measurements: what was measured for some hits only; shown before `processed`.
        required: rows without this column are left out (a page where no visit began is no entry page).
        sort_column: what rows are sorted by unless the request says otherwise, largest first.
        metadata: from a row to what is shown beside its metrics (`url`, `segment`).
        flat_label: from the labels above a row and its own to its label in a flat answer.
    """

    method: str
    record: str
    dimension: str
    processed: tuple[ProcessedMetric, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    required: str | None = None
    sort_column: str = "nb_visits"
    metadata: Callable[[Row], dict[str, Any]] = _no_metadata
    flat_label: Callable[[Sequence[str]], str] = dashed_label

    def metric(self, name: str) -> ProcessedMetric | None:
        """The computed metric of that name."""
        for metric in (*(m.metric for m in self.measurements), *self.processed):
            if metric is not None and metric.name == name:
                return metric
        return None


Report = NumbersReport | TableReport
