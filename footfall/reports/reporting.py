"""Answers report requests from archives: for each site and period asked for, the rows of the report."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from footfall.archiving.datatable import DataTable, Row
from footfall.archiving.periods import Period, PeriodKind, local_date, parse_period, site_zone
from footfall.archiving.segment import Segment
from footfall.archiving.segments import SegmentName, Segments, names_for
from footfall.clock import Clock
from footfall.database import Database
from footfall.errors import ConfigurationError, InvalidInput
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
from footfall.users import Caller

_ON_DEMAND: dict[str, frozenset[PeriodKind]] = {
    "none": frozenset(),
    "range": frozenset({PeriodKind.RANGE}),
    "all": frozenset(PeriodKind),
}


def kinds_on_demand(setting: str) -> frozenset[PeriodKind]:
    """The periods that are archived when a report asks for them, from the setting `archive_on_demand`.

    Raises:
        ConfigurationError: the setting is none of its values.
    """
    try:
        return _ON_DEMAND[setting]
    except KeyError:
        known = ", ".join(_ON_DEMAND)
        raise ConfigurationError(f"ARCHIVE_ON_DEMAND must be one of {known}, not {setting!r}.") from None


class ArchiveOnDemand(Protocol):
    """Has an archive made that a report needs and nobody made yet."""

    def ensure(self, idsite: int, period: Period, segment: str) -> bool:
        """Have the archive made and wait for it; False when it is still being made after the time limit.

        Raises:
            FootfallError: it cannot be made.
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
        on_demand: makes archives that are missing.
        kinds_on_demand: the periods it is asked for.
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
        kinds_on_demand: frozenset[PeriodKind],
        clock: Clock,
        database: Database,
    ) -> None:
        self._reports = reports
        self._methods = methods
        self._segments = segments
        self._archives = archives
        self._sites = sites
        self._on_demand = on_demand
        self._kinds_on_demand = kinds_on_demand
        self._clock = clock
        self._database = database

    def knows(self, method: str) -> bool:
        """Whether there is a report or method of that name."""
        return method in self._reports or method in self._methods

    def answer(self, parameters: Mapping[str, str], caller: Caller) -> Answer:
        """What the parameters ask for; by site and by date where they name several.

        Raises:
            ReportError: the method, a site, the period, the date or the segment does not exist, the caller may not see
                a site, or an archive is not ready yet.
        """
        name = parameters.get("method", "")
        if name in self._methods:
            return self._methods[name].run(Call(parameters, caller, self, self._database, self._clock))
        if name not in self._reports:
            known = ", ".join(sorted({*self._reports, *self._methods}))
            raise ReportError(f"There is no method {name!r}. The methods are: {known}.", 400)
        request = parse(parameters)
        sites = self._visible(request.sites, caller)
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
    ) -> Source:
        """The archives of a site and period.

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
            self._ensure_archive,
            several,
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

    def _ensure_archive(self, idsite: int, period: Period, segment: str) -> None:
        if period.kind not in self._kinds_on_demand or self._is_archived(idsite, period, segment):
            return
        if not self._on_demand.ensure(idsite, period, segment) or not self._is_archived(idsite, period, segment):
            raise ReportError(
                f"The archive of site {idsite} for {period.date_text} is being prepared: ask again in a moment.", 503
            )

    def _is_archived(self, idsite: int, period: Period, segment: str) -> bool:
        return self._archives.numeric(idsite, period, (), segment) is not None


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
