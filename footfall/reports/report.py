"""What a plugin declares to offer a report. One declaration is one method of the Reporting API."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from footfall.archiving.datatable import DataTable, Row
from footfall.archiving.periods import PeriodKind
from footfall.reports.metrics import Measurement, ProcessedMetric
from footfall.reports.site import ReportSite
from footfall.reports.source import Source

# Distinct people of a longer period are not counted: their number cannot be summed from the days.
_WITH_VISITORS = (PeriodKind.DAY, PeriodKind.WEEK, PeriodKind.MONTH)


@dataclass(frozen=True)
class Listing:
    """What API.getReportMetadata says about a report; a report without one is answered and not listed.

    Args:
        dimension: what a row is, in words: `Page URL`; None for a report of one row.
        metrics: the archived metrics that a client should show.
        processed: the computed ones.
        subtable: the method, without its plugin, that answers for the rows below one; None when there are none.
        constant_rows: whether the report has the same rows whatever happened (hours of the day).
        parameters: what a client must send besides site and period: the goal, say.
    """

    dimension: str | None = None
    metrics: tuple[str, ...] = ()
    processed: tuple[str, ...] = ()
    subtable: str | None = None
    constant_rows: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict)


# What depends on the site (a listing for each of its goals) is computed from it.
Listed = Listing | Callable[[ReportSite], Iterable[Listing]] | None


@dataclass(frozen=True)
class NumbersReport:
    """A report of one row: archived numbers, and what is computed from them.

    Args:
        method: its name in the Reporting API, `VisitsSummary.get`.
        metrics: the name of the archived number by the name it is shown under.
        visitors: those of the metrics that count people; they are known for days, weeks and months only.
        processed: computed metrics, in the order shown.
        load: makes the row instead of `metrics`, where its columns depend on the request (a goal) or come from other
            archives (new and returning visits); None for a row that has nothing to show.
        hidden: columns that serve the computation alone; API.get shows them.
        not_merged: columns that API.get, which puts all reports of one row together, leaves out.
        listing: what API.getReportMetadata says about it; API.get takes the reports that have one.
    """

    method: str
    metrics: Mapping[str, str] = field(default_factory=dict)
    visitors: frozenset[str] = frozenset()
    processed: tuple[ProcessedMetric, ...] = ()
    load: Callable[[Source], Mapping[str, Any] | None] | None = None
    hidden: frozenset[str] = frozenset()
    not_merged: frozenset[str] = frozenset()
    listing: Listed = None

    def metrics_of(self, kind: PeriodKind) -> dict[str, str]:
        """The metrics shown for a period of this kind."""
        known = kind in _WITH_VISITORS
        return {shown: stored for shown, stored in self.metrics.items() if known or shown not in self.visitors}


@dataclass(frozen=True)
class ValueReport:
    """One number of another report as a method of its own: `VisitsSummary.getVisits`.

    Args:
        method: its name in the Reporting API.
        of: the report.
        metric: its column.
    """

    method: str
    of: NumbersReport
    metric: str


@dataclass(frozen=True)
class MergedReport:
    """One row of all reports of one row together; the parameter `columns` chooses.

    Args:
        method: its name in the Reporting API.
        listing: what API.getReportMetadata says about it.
    """

    method: str
    listing: Listed = None


def _no_metadata(row: Row) -> dict[str, Any]:
    return {}


def dashed_label(path: Sequence[str]) -> str:
    """The flat label of a row below others: `Search engines - Bing`."""
    return " - ".join(label.strip() for label in path)


@dataclass(frozen=True)
class TableReport:
    """A report of rows, made from one archived record unless it has its own way to load them.

    An answer is made in these steps: load, prepare, metadata of each row, flatten, patterns and low population, sort,
    truncate, limit, computed metrics, shown label, columns, label.

    Args:
        method: its name in the Reporting API, `Actions.getPageUrls`.
        record: the archived record it reads, or finds by the request's parameters (a goal, a custom dimension).
        dimension: what its labels are, the name under which a flat answer repeats them (`Actions_PageUrl`); empty for
            a report that does not repeat them.
        processed: computed metrics, in the order shown.
        measurements: what was measured for some hits only; shown before `processed`.
        required: rows without this column are left out (a page where no visit began is no entry page).
        sort_column: what rows are sorted by unless the request says otherwise, largest first; empty for the order
            they were archived in.
        metadata: from a row to what is shown beside its metrics (`url`, `segment`); what the archive noted is gone.
        flat_label: from the labels above a row and its own to its label in a flat answer.
        load: makes the table instead of `record`: several records put together, one row found by a parameter. It reads
            with `source.read(record)`, which gives the subtables or the subtable that the request wants.
        prepare: changes the table as it was loaded, before anything else: groups rows, translates labels, adds rows.
            It sees the archived labels; the rows below are in place when the answer is expanded or flat.
        shown_label: what a reader sees instead of the label, put in place last: rows are sorted and found by the
            label, and a flat answer keeps it under `dimension` (`0-10` is shown as `0–10s`).
        below: the dimensions of the rows one and two levels down, for reports whose flat answer names each level
            (`Referrers_Keyword`); without them it repeats the whole flat label under `dimension`.
        nests: whether an expanded answer has the rows below inside; otherwise only their number.
        ascending: whether the smallest value comes first unless the request says otherwise.
        hidden: columns that serve the computation alone.
        listing: what API.getReportMetadata says about it.
    """

    method: str
    record: str | Callable[[Source], str] = ""
    dimension: str = ""
    processed: tuple[ProcessedMetric, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    required: str | None = None
    sort_column: str = "nb_visits"
    metadata: Callable[[Row], dict[str, Any]] = _no_metadata
    flat_label: Callable[[Sequence[str]], str] = dashed_label
    load: Callable[[Source], DataTable] | None = None
    prepare: Callable[[DataTable, Source], DataTable] | None = None
    shown_label: Callable[[str], str] | None = None
    below: tuple[str, ...] = ()
    nests: bool = True
    ascending: bool = False
    hidden: tuple[str, ...] = ()
    listing: Listed = None

    def metric(self, name: str) -> ProcessedMetric | None:
        """The computed metric of that name."""
        for metric in (*(m.metric for m in self.measurements), *self.processed):
            if metric is not None and metric.name == name:
                return metric
        return None


@dataclass(frozen=True)
class ChosenReport:
    """A method whose report depends on the request: on the custom dimension that it names, say.

    Args:
        method: its name in the Reporting API.
        choose: from the request to the report that answers it.
        listing: what API.getReportMetadata says about it.
    """

    method: str
    choose: Callable[[Source], TableReport]
    listing: Listed = None


Report = NumbersReport | ValueReport | MergedReport | TableReport | ChosenReport
