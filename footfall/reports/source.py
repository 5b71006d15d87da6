"""What a report is made from: the archives of one site and period, and the request that asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

from footfall.archiving.datatable import DataTable
from footfall.archiving.periods import Period
from footfall.archiving.scope import both
from footfall.reports.site import ReportSite


class Archives(Protocol):
    """What reports read; footfall.archiving.reader.ArchiveReader."""

    def numeric(
        self, idsite: int, period: Period, names: Sequence[str], segment: str = ""
    ) -> Mapping[str, float] | None:
        """The archived numbers of those names, absent ones left out; None when there is no usable archive."""

    def numeric_of_days(
        self, idsite: int, period: Period, names: Sequence[str], segment: str = ""
    ) -> Mapping[date, Mapping[str, float]]:
        """The same for each day of a period that has a usable archive."""

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
        require: raises ArchivesWanted when the archive of a period and segment with the records of a plugin has to be
            made before it can be read.
        plugin: whose records are needed; empty for all.
        beside: the segment whose archive brings this one with it; None where it stands for itself.
    """

    site: ReportSite
    period: Period
    segment: str
    parameters: Mapping[str, str]
    expanded: bool
    subtable_id: int | None
    archives: Archives
    require: Callable[[Period, str, str], None]
    several: bool = False
    plugin: str = ""
    beside: str | None = None

    def numbers(self, names: Sequence[str]) -> Mapping[str, float]:
        """The archived numbers of those names; those that are zero are left out."""
        self._require()
        return self.archives.numeric(self.site.idsite, self.period, names, self.segment) or {}

    def numbers_of_days(self, names: Sequence[str]) -> Mapping[date, Mapping[str, float]]:
        """The same for each archived day of the period."""
        self._require()
        return self.archives.numeric_of_days(self.site.idsite, self.period, names, self.segment)

    def is_archived(self) -> bool:
        """Whether there is an archive at all."""
        self._require()
        return self.archives.numeric(self.site.idsite, self.period, (), self.segment) is not None

    def read(self, record: str) -> DataTable:
        """The record as the request wants it: with its subtables, without them, or one subtable."""
        return self.table(record, expanded=self.expanded, subtable_id=self.subtable_id)

    def table(self, record: str, *, expanded: bool = False, subtable_id: int | None = None) -> DataTable:
        """The record's table, or one of its subtables; empty when there is none.

        Args:
            expanded: with the rows below in their places.
        """
        self._require()
        found = self.archives.table(
            self.site.idsite, self.period, record, self.segment, expanded=expanded, subtable_id=subtable_id
        )
        return found or DataTable()

    def _require(self) -> None:
        if self.beside is not None:
            self.require(self.period, self.beside, self.plugin)
        self.require(self.period, self.segment, self.plugin)

    def of_period(self, period: Period) -> Source:
        """The archives of another period (the days of a week, the week before)."""
        return replace(self, period=period)

    def of_visits(self, condition: str, plugin: str) -> Source:
        """The archives of those of the visits that a condition holds for (`visitorType==new`).

        Args:
            plugin: whose records are needed of them.
        """
        return replace(self, segment=both(self.segment, condition), plugin=plugin, beside=self.segment)
