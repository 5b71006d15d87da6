"""Answers report requests from archives: for each site and period asked for, the rows of the report."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from footfall.archiving.datatable import DataTable, Row
from footfall.archiving.periods import Period, PeriodKind, local_date, parse_period, site_zone
from footfall.clock import Clock
from footfall.errors import ConfigurationError, InvalidInput
from footfall.reports.answer import Answer, Keyed, Numbers, Table
from footfall.reports.errors import ReportError
from footfall.reports.report import NumbersReport, Report, TableReport
from footfall.reports.request import ReportRequest
from footfall.reports.table import Shape, shaped
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


class ArchiveOnDemand(Protocol):
    """Has an archive made that a report needs and nobody made yet."""

    def ensure(self, idsite: int, period: Period, segment: str) -> bool:
        """Have the archive made and wait for it; False when it is still being made after the time limit.

        Raises:
            FootfallError: it cannot be made.
        """


class SiteDirectory(Protocol):
    """The sites there are."""

    def timezones(self, idsites: Sequence[int] | None = None) -> Mapping[int, str]:
        """The timezone setting of each of these sites that exists, or of all sites, in the order of idsite."""


class Reporting:
    """The reports of one installation; for one thread, as its archive reader is.

    Args:
        reports: what the plugins declare, by method.
        archives: where the numbers are read.
        sites: the sites there are.
        on_demand: makes archives that are missing.
        kinds_on_demand: the periods it is asked for.
        clock: says what today is.
    """

    def __init__(
        self,
        reports: Mapping[str, Report],
        archives: Archives,
        sites: SiteDirectory,
        on_demand: ArchiveOnDemand,
        kinds_on_demand: frozenset[PeriodKind],
        clock: Clock,
    ) -> None:
        self._reports = reports
        self._archives = archives
        self._sites = sites
        self._on_demand = on_demand
        self._kinds_on_demand = kinds_on_demand
        self._clock = clock

    def report(self, method: str) -> Report:
        """The report of that method.

        Raises:
            ReportError: there is none.
        """
        try:
            return self._reports[method]
        except KeyError:
            known = ", ".join(sorted(self._reports))
            raise ReportError(f"There is no method {method!r}. The methods are: {known}.", 400) from None

    def answer(self, request: ReportRequest, caller: Caller) -> Answer:
        """What the request asks for; by site and by date where it names several.

        Raises:
            ReportError: the method, a site, the period or the date does not exist, the caller may not see a site, or
                an archive is not ready yet.
        """
        report = self.report(request.method)
        zones = self._sites.timezones(request.sites)
        sites = self._visible_sites(request, caller, zones)
        answers = {idsite: self._site_answer(report, request, idsite, zones[idsite]) for idsite in sites}
        if request.several_sites:
            return Keyed("idSite", {str(idsite): answer for idsite, answer in answers.items()})
        return answers[sites[0]]

    def _visible_sites(self, request: ReportRequest, caller: Caller, existing: Mapping[int, str]) -> list[int]:
        if request.sites is None:
            return [idsite for idsite in existing if caller.can_view(idsite)]
        for idsite in request.sites:
            if not caller.can_view(idsite):
                raise ReportError(
                    f"This token gives no view access to site {idsite}: ask an administrator for it.", 401
                )
            if idsite not in existing:
                raise ReportError(f"There is no site {idsite}.")
        return list(request.sites)

    def _site_answer(self, report: Report, request: ReportRequest, idsite: int, timezone: str) -> Answer:
        try:
            today = local_date(self._clock.now(), site_zone(timezone))
            periods = parse_period(request.period, request.date, today)
        except InvalidInput as error:
            raise ReportError(str(error)) from None
        several = isinstance(periods, list) or request.several_sites
        if isinstance(periods, Period):
            return self._period_answer(report, request, idsite, periods, several)
        return Keyed(
            "date",
            {period.date_text: self._period_answer(report, request, idsite, period, several) for period in periods},
        )

    def _period_answer(
        self, report: Report, request: ReportRequest, idsite: int, period: Period, several: bool
    ) -> Answer:
        self._ensure_archive(idsite, period)
        if isinstance(report, TableReport):
            return Table(self._table(report, request, idsite, period))
        columns = self._numbers(report, request.shape, idsite, period, several)
        if not columns or request.shape.offset > 0:
            return Table(DataTable())
        return Table(DataTable([Row(dict(columns))])) if request.shape.flat else Numbers(columns)

    def _ensure_archive(self, idsite: int, period: Period) -> None:
        if period.kind not in self._kinds_on_demand or self._is_archived(idsite, period):
            return
        if not self._on_demand.ensure(idsite, period, "") or not self._is_archived(idsite, period):
            raise ReportError(
                f"The archive of site {idsite} for {period.date_text} is being prepared: ask again in a moment.", 503
            )

    def _is_archived(self, idsite: int, period: Period) -> bool:
        return self._archives.numeric(idsite, period, ()) is not None

    def _numbers(
        self, report: NumbersReport, shape: Shape, idsite: int, period: Period, several: bool
    ) -> dict[str, int | float | str]:
        """The report's row. Of one site and period, what was not archived is 0; of several, nothing at all is no row
        (as the reference answers)."""
        metrics = report.metrics_of(period.kind)
        found = self._archives.numeric(idsite, period, list(metrics.values())) or {}
        if several and not found:
            return {}
        columns = {shown: found.get(stored, 0) for shown, stored in metrics.items()}
        return columns | {metric.name: metric.shown(columns, shape.formatted) for metric in report.processed}

    def _table(self, report: TableReport, request: ReportRequest, idsite: int, period: Period) -> DataTable:
        table = self._archives.table(
            idsite,
            period,
            report.record,
            expanded=request.shape.expanded or request.shape.flat,
            subtable_id=request.subtable_id,
        )
        return shaped(table or DataTable(), report, request.shape)
