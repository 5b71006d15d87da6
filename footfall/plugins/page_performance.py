"""How long pages took: the phases of a page view, on average over all that were measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from footfall.archiving.daylog import total
from footfall.archiving.records import Computed, NumericRecord, RecordBuilder
from footfall.plugins import Plugin
from footfall.reports.metrics import Number, ratio
from footfall.reports.report import Listing, NumbersReport
from footfall.reports.source import Source

if TYPE_CHECKING:
    from footfall.archiving.daylog import DayLog

# Records

_PAGE_LOAD = "pageload"
# The name of each phase in the columns of the log, and in records; one of them is misspelt in the reference.
_PHASES: Final = {
    "network": "network",
    "server": "server",
    "transfer": "transfer",
    "dom_processing": "domprocessing",
    "dom_completion": "domcompletion",
    "on_load": "onload",
}
_COLUMNS: Final = tuple(f"time_{phase}" for phase in _PHASES)


def _time(phase: str) -> str:
    return f"PagePerformance_{'servery' if phase == 'server' else phase}_time"


def _hits(phase: str) -> str:
    return f"PagePerformance_{phase}_hits"


_ALL: Final = (*_PHASES.values(), _PAGE_LOAD)


def _times(log: DayLog) -> Computed:
    """Milliseconds, and how many page views they were measured for."""
    measured = log.actions.select(
        *(total(f"time_{phase}").alias(_time(name)) for phase, name in _PHASES.items()),
        *(pl.count(f"time_{phase}").alias(_hits(name)) for phase, name in _PHASES.items()),
        pl.any_horizontal(pl.col(_COLUMNS).is_not_null()).sum().alias(_hits(_PAGE_LOAD)),
    ).row(0, named=True)
    return {**measured, _time(_PAGE_LOAD): sum(measured[_time(name)] for name in _PHASES.values())}


TIMES = RecordBuilder(
    records=tuple(NumericRecord(name(phase)) for phase in _ALL for name in (_time, _hits)),
    reads={"log_link_visit_action": _COLUMNS},
    compute=_times,
)

# Reports


def _seconds(source: Source) -> dict[str, Number]:
    """The archived numbers, times in seconds."""
    found = source.numbers([record.name for record in TIMES.records])
    return {
        name(phase): found.get(name(phase), 0) / (1000 if name is _time else 1)
        for phase in _ALL
        for name in (_time, _hits)
    }


_AVERAGES: Final = (
    *(ratio(f"avg_time_{phase}", _time(name), _hits(name), 2, "seconds") for phase, name in _PHASES.items()),
    ratio("avg_page_load_time", _time(_PAGE_LOAD), _hits(_PAGE_LOAD), 2, "seconds"),
)
_SHOWN: Final = tuple(metric.name for metric in _AVERAGES)

REPORTS = (
    NumbersReport(
        "PagePerformance.get",
        load=_seconds,
        hidden=frozenset(record.name for record in TIMES.records),
        processed=_AVERAGES,
        listing=Listing(None, _SHOWN, _SHOWN),
    ),
)

PLUGIN = Plugin("PagePerformance", builders=(TIMES,), reports=REPORTS)
