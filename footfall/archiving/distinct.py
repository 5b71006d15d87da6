"""Counts distinct visitors and users of weeks and months, which the days' counts cannot be summed to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import pairwise

import polars as pl

from footfall.archiving.logreader import LogReader
from footfall.archiving.periods import Period
from footfall.archiving.plan import Plan
from footfall.archiving.scope import Scope
from footfall.archiving.segments import VISIT
from footfall.sites import Site

_VISITS_AT_ONCE = 500_000


class DistinctCounts:
    """Counts from the log."""

    def __init__(self, log: LogReader) -> None:
        self._log = log

    def of(
        self, plan: Plan, site: Site, period: Period, wanted: Mapping[Scope, Mapping[str, str]]
    ) -> dict[Scope, dict[str, float]]:
        """The numbers of each scope, by name of the record.

        All visits are counted by the server; segments together in one reading of the period's visits.

        Args:
            wanted: for each scope the records and the columns of log_visit whose values are counted.
        """
        begin, end = period.utc_bounds(site.days.zone)
        found: dict[Scope, dict[str, float]] = {}
        segments = {scope: records for scope, records in wanted.items() if scope.segment}
        for scope, records in wanted.items():
            if scope not in segments:
                counts = self._log.distinct(tuple(records.values()), site.idsite, begin, end)
                found[scope] = dict(zip(records, map(float, counts), strict=True))
        if segments:
            found |= self._of_segments(plan, site.idsite, begin, end, segments)
        return found

    def _of_segments(
        self, plan: Plan, idsite: int, begin: datetime, end: datetime, wanted: Mapping[Scope, Mapping[str, str]]
    ) -> dict[Scope, dict[str, float]]:
        columns = {column for records in wanted.values() for column in records.values()}
        reading = plan.reading_of({VISIT: ("idvisit", *sorted(columns))}, [scope.segment for scope in wanted])
        values: dict[tuple[str, str], pl.Series] = {}
        for first, last in self._slices(idsite, begin, end):
            log = self._log.read(reading, idsite, first, last)
            for segment in {scope.segment for scope in wanted}:
                visits = log.visits.join(plan.segment(segment).visits(log), on="idvisit", how="semi")
                for column in columns:
                    seen = visits[column].drop_nulls()
                    before = values.get((segment, column))
                    values[segment, column] = (seen if before is None else pl.concat([before, seen])).unique()
        return {
            scope: {record: float(len(values[scope.segment, column])) for record, column in records.items()}
            for scope, records in wanted.items()
        }

    def _slices(self, idsite: int, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The period in slices of time, as many as bounded memory needs."""
        count = max(1, -(-self._log.visit_count(idsite, begin, end) // _VISITS_AT_ONCE))
        step = (end - begin) / count
        moments = [(begin + step * i).replace(microsecond=0) for i in range(count)] + [end]
        yield from pairwise(moments)
