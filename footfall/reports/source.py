"""What a report is made from: the archives of one site and period, and the request that asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from footfall.archiving.datatable import DataTable
from footfall.archiving.periods import Period
from footfall.reports.site import ReportSite


class Archives(Protocol):
    """What reports read; footfall.archiving.reader.ArchiveReader."""

    def numeric(
        self, idsite: int, period: Period, names: Sequence[str], segment: str = ""
    ) -> Mapping[str, float] | None:
        """The archived numbers of those names, absent ones left out; None when there is no usable archive."""

    def table(
        self,
        idsite: int,
        period: Period,
        name: str,
        segment: str = "",
        *,
        expanded: bool = False,
        subtable_id: int | None = None,
    ) -> DataTable | None:
        """The archived table, or the subtable of that id; None when there is none."""


@dataclass(frozen=True)
class Source:
    """The archives of one site, period and segment.

    Args:
        site: whose they are.
        segment: its definition, empty for all visits.
        parameters: the request's, for reports that take their own (`idGoal`).
        expanded: whether the request wants the rows below others too.
        subtable_id: of the subtable that the request wants instead of the whole table.
        several: whether the request names several sites or periods.
        archives: where they are read.
        ensure: has an archive made where a setting allows it and there is none yet.
    """

    site: ReportSite
    period: Period
    segment: str
    parameters: Mapping[str, str]
    expanded: bool
    subtable_id: int | None
    archives: Archives
    ensure: Callable[[int, Period, str], None]
    several: bool = False

    def numbers(self, names: Sequence[str]) -> Mapping[str, float]:
        """The archived numbers of those names; those that are zero are left out."""
        self.ensure(self.site.idsite, self.period, self.segment)
        return self.archives.numeric(self.site.idsite, self.period, names, self.segment) or {}

    def is_archived(self) -> bool:
        """Whether there is an archive at all."""
        self.ensure(self.site.idsite, self.period, self.segment)
        return self.archives.numeric(self.site.idsite, self.period, (), self.segment) is not None

    def read(self, record: str) -> DataTable:
        """The record as the request wants it: with its subtables, without them, or one subtable."""
        return self.table(record, expanded=self.expanded, subtable_id=self.subtable_id)

    def table(self, record: str, *, expanded: bool = False, subtable_id: int | None = None) -> DataTable:
        """The record's table, or one of its subtables; empty when there is none.

        Args:
            expanded: with the rows below in their places.
        """
        self.ensure(self.site.idsite, self.period, self.segment)
        found = self.archives.table(
            self.site.idsite, self.period, record, self.segment, expanded=expanded, subtable_id=subtable_id
        )
        return found or DataTable()

    def of_period(self, period: Period) -> Source:
        """The archives of another period (the days of a week, the week before)."""
        return replace(self, period=period)

    def of_visits(self, condition: str) -> Source:
        """The archives of those of the visits that a condition holds for (`visitorType==new`)."""
        return replace(self, segment=f"{self.segment};{condition}" if self.segment else condition)
