"""Answers report requests from archives: for each site and period asked for, the rows of the report."""

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from functools import partial
from typing import Any, Protocol

from footfall.archiving.datatable import DataTable, Row
from footfall.archiving.freshness import ArchivesWanted, WantedArchive
from footfall.archiving.periods import Period, local_date, parse_period
from footfall.archiving.segment import Segment
from footfall.archiving.segments import SegmentName, Segments, names_for
from footfall.clock import Clock
from footfall.database import Database
from footfall.errors import InvalidInput
from footfall.reports.answer import Answer, Keyed, Numbers, Table
from footfall.reports.errors import ReportError
from footfall.reports.goal_columns import name_goals
from footfall.reports.method import Call, Method
from footfall.reports.numbers_row import columns_of, merged_columns, shaped_row
from footfall.reports.report import ChosenReport, MergedReport, NumbersReport, Report, TableReport, ValueReport
from footfall.reports.request import ReportRequest, parse, parse_sites
from footfall.reports.site import ReportSite
from footfall.reports.source import Archives, Source
from footfall.reports.table import shaped
from footfall.timezones import site_zone
from footfall.users import Caller

_MOST_WANTED = 100  # archives that one request has made at once


class ArchiveOnDemand(Protocol):
    """Knows which archives a report has to wait for; footfall.archiving.freshness.Freshness."""

    def wanted(self, idsite: int, zone: tzinfo, period: Period, segment: str, plugin: str = "") -> WantedArchive | None:
        """The archive, if it has to be made first.

        Args:
            plugin: the only one whose records are needed; empty for all.
        """


class SiteDirectory(Protocol):
    """The sites there are."""

    def sites(self, idsites: Sequence[int] | None = None) -> Mapping[int, ReportSite]:
        """Those of these sites that exist, or all sites, in the order of idsite."""


class Reporting:
    """The reports of one installation; for one thread, as its archive reader is.

    Args:
        reports: what the plugins declare, by method.
        methods: what else the plugins answer, by method.
        segments: the names that conditions of segments can use.
        archives: where the numbers are read.
        sites: the sites there are.
        on_demand: knows which archives have to be made first.
        clock: says what today is.
        database: for methods about the log itself.
    """

    def __init__(
        self,
        reports: Mapping[str, Report],
        methods: Mapping[str, Method],
        segments: Sequence[Segments],
        archives: Archives,
        sites: SiteDirectory,
        on_demand: ArchiveOnDemand,
        clock: Clock,
        database: Database,
    ) -> None:
        self._reports = reports
        self._methods = methods
        self._segments = segments
        self._archives = archives
        self._sites = sites
        self._on_demand = on_demand
        self._clock = clock
        self._database = database

    def knows(self, method: str) -> bool:
        """Whether there is a report or method of that name."""
        return method in self._reports or method in self._methods

    def answer(self, parameters: Mapping[str, str], caller: Caller) -> Answer:
        """What the parameters ask for; by site and by date where they name several.

        Raises:
            ReportError: the method, a site, the period, the date or the segment does not exist, or the caller may not
                see a site.
            ArchivesWanted: archives have to be made first.
        """
        name = parameters.get("method", "")
        if name in self._methods:
            return self._methods[name].run(Call(parameters, caller, self, self._database, self._clock))
        if name not in self._reports:
            known = ", ".join(sorted({*self._reports, *self._methods}))
            raise ReportError(f"There is no method {name!r}. The methods are: {known}.", 400)
        request = parse(parameters)
        sites = self._visible(request.sites, caller)
        self._require_all(request, sites)
        answers = {site.idsite: self._site_answer(self._reports[name], request, site) for site in sites}
        if request.several_sites:
            return Keyed("idSite", {str(idsite): answer for idsite, answer in answers.items()})
        return answers[sites[0].idsite]

    # What methods ask for

    def sites(self, idsite: str, caller: Caller) -> list[ReportSite]:
        """The sites that a text names (`1`, `1,2`, `all`).

        Raises:
            ReportError: one does not exist or the caller may not see it.
        """
        return self._visible(parse_sites(idsite)[0], caller)

    def periods(self, site: ReportSite, period: str, date: str) -> Period | list[Period]:
        """The periods that a request names, in the site's calendar.

        Raises:
            ReportError: they cannot be read.
        """
        try:
            return parse_period(period, date, local_date(self._clock.now(), site_zone(site.timezone)))
        except InvalidInput as error:
            raise ReportError(str(error)) from None

    def segment_names(self, site: ReportSite) -> Mapping[str, SegmentName]:
        """What conditions of segments about the site can use, by name."""
        return names_for(site.setup, self._segments)

    def segment(self, site: ReportSite, definition: str) -> Segment | None:
        """The segment of a definition; None for all visits.

        Raises:
            ReportError: it cannot be read.
        """
        if not definition:
            return None
        try:
            return Segment.of(definition, self.segment_names(site))
        except InvalidInput as error:
            raise ReportError(str(error)) from None

    def source(
        self,
        site: ReportSite,
        period: Period,
        segment: str,
        parameters: Mapping[str, str],
        *,
        expanded: bool = False,
        subtable_id: int | None = None,
        several: bool = False,
        plugin: str = "",
    ) -> Source:
        """The archives of a site and period.

        Args:
            plugin: whose records are needed; empty for all.

        Raises:
            ReportError: the segment cannot be read.
        """
        self.segment(site, segment)
        return Source(
            site,
            period,
            segment,
            parameters,
            expanded,
            subtable_id,
            self._archives,
            partial(self._require, site),
            several,
            plugin,
        )

    # A report

    def _visible(self, idsites: Sequence[int] | None, caller: Caller) -> list[ReportSite]:
        existing = self._sites.sites(idsites)
        if idsites is None:
            return [site for idsite, site in existing.items() if caller.can_view(idsite)]
        for idsite in idsites:
            if not caller.can_view(idsite):
                raise ReportError(
                    f"This token gives no view access to site {idsite}: ask an administrator for it.", 401
                )
            if idsite not in existing:
                raise ReportError(f"There is no site {idsite}.")
        return [existing[idsite] for idsite in idsites]

    def _site_answer(self, report: Report, request: ReportRequest, site: ReportSite) -> Answer:
        periods = self.periods(site, request.period, request.date)
        several = isinstance(periods, list) or request.several_sites
        if isinstance(periods, Period):
            return self._period_answer(report, request, site, periods, several)
        return Keyed(
            "date",
            {period.date_text: self._period_answer(report, request, site, period, several) for period in periods},
        )

    def _period_answer(
        self, report: Report, request: ReportRequest, site: ReportSite, period: Period, several: bool
    ) -> Answer:
        source = self.source(
            site,
            period,
            request.segment,
            request.parameters,
            expanded=request.shape.needs_everything,
            subtable_id=request.subtable_id,
            several=several,
            plugin=request.method.partition(".")[0],
        )
        if isinstance(report, ChosenReport):
            report = report.choose(source)
        if isinstance(report, TableReport):
            return Table(_table(report, request, source))
        columns = self._columns(report, request, source)
        row = shaped_row(columns, request.shape)
        if not row:
            return Table(DataTable())
        return Table(DataTable([Row(row)])) if request.shape.flat else Numbers(row)

    def _columns(
        self, report: NumbersReport | ValueReport | MergedReport, request: ReportRequest, source: Source
    ) -> dict[str, Any]:
        """The row of a report of one row; empty when it has none."""
        formatting = request.shape.formatting
        if isinstance(report, MergedReport):
            return merged_columns(self._reports.values(), source, formatting)
        if isinstance(report, ValueReport):
            return {report.metric: columns_of(report.of, source, formatting).get(report.metric, 0)}
        return columns_of(report, source, formatting)

    def _require_all(self, request: ReportRequest, sites: Sequence[ReportSite]) -> None:
        """Have everything made at once where a request names several sites or periods."""
        wanted: set[WantedArchive] = set()
        for site in sites:
            periods = self.periods(site, request.period, request.date)
            for period in periods if isinstance(periods, list) else [periods]:
                archive = self._wanted(site, period, request.segment, request.method.partition(".")[0])
                if archive is not None and len(wanted) < _MOST_WANTED:
                    wanted.add(archive)
        if len(wanted) > 1:
            raise ArchivesWanted(wanted)

    def _require(self, site: ReportSite, period: Period, segment: str, plugin: str) -> None:
        wanted = self._wanted(site, period, segment, plugin)
        if wanted is not None:
            raise ArchivesWanted([wanted])

    def _wanted(self, site: ReportSite, period: Period, segment: str, plugin: str) -> WantedArchive | None:
        return self._on_demand.wanted(site.idsite, site_zone(site.timezone), period, segment, plugin)


def _table(report: TableReport, request: ReportRequest, source: Source) -> DataTable:
    if report.load is not None:
        table = report.load(source)
    else:
        table = source.read(report.record if isinstance(report.record, str) else report.record(source))
    if report.prepare is not None:
        table = report.prepare(table, source)
    name_goals(table, source)
    table = shaped(table, report, request.shape)
    if not (request.shape.nested and report.nests):
        for row in table:
            row.subtable = None
    return table
