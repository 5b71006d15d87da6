"""What clients ask about the API itself: which reports and segments there are, and all numbers of a site in one row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from footfall.archiving.periods import Period
from footfall.plugins import Plugin, reports
from footfall.plugins.api.listing import described, titles
from footfall.reports.answer import Answer, Plain, Table
from footfall.reports.errors import ReportError
from footfall.reports.formats.values import inside, shown
from footfall.reports.method import Call, Method
from footfall.reports.report import Listing, MergedReport, NumbersReport, Report, ValueReport
from footfall.reports.request import required
from footfall.reports.site import ReportSite

# The reference's version whose answers ours are held against: clients ask for it to know what they can ask for.
_MATOMO_VERSION: Final = "5.2.0"
_EVERYTHING: Final = "API.get"
_NO_SITE: Final = ReportSite(0, "", "", "UTC", "USD", ecommerce=False, sitesearch=False)


def _everything(site: ReportSite) -> Iterator[Listing]:
    """What API.get lists: the metrics of all reports of one row."""
    metrics: dict[str, None] = {}
    processed: dict[str, None] = {}
    for report in reports().values():
        if isinstance(report, NumbersReport):
            for listing in _listings(report, site):
                if not listing.parameters:
                    metrics |= dict.fromkeys(listing.metrics)
                    processed |= dict.fromkeys(listing.processed)
    yield Listing(None, tuple(metrics), tuple(processed))


def _listings(report: Report, site: ReportSite) -> Iterable[Listing]:
    if isinstance(report, ValueReport) or report.listing is None:
        return ()
    return (report.listing,) if isinstance(report.listing, Listing) else report.listing(site)


def _listed(site: ReportSite) -> list[dict[str, Any]]:
    return [described(report.method, one) for report in reports().values() for one in _listings(report, site)]


def _report_metadata(call: Call) -> Answer:
    """API.getReportMetadata: the reports of a site, each with its metrics and what a client must send for it."""
    return Plain(_listed(_site(call)))


def _metadata(call: Call) -> Answer:
    """API.getMetadata: the same of one report, named by apiModule and apiAction, and apiParameters or idGoal."""
    return Plain([_one_listed(call, _site(call))])


def _one_listed(call: Call, site: ReportSite) -> dict[str, Any]:
    module, action = required(call.parameters, "apiModule"), required(call.parameters, "apiAction")
    for listed in _listed(site):
        wanted = listed.get("parameters", {})
        given = {name: call.parameters.get(f"apiParameters[{name}]", call.parameters.get(name)) for name in wanted}
        if (listed["module"], listed["action"]) == (module, action) and all(
            given[name] is None or given[name] == str(value) for name, value in wanted.items()
        ):
            return listed
    raise ReportError(f"There is no report {module}.{action}: API.getReportMetadata lists those there are.")


def _processed_report(call: Call) -> Answer:
    """API.getProcessedReport: a report with its metadata, the titles of its columns, and metadata apart from rows."""
    site = _site(call)
    listed = _one_listed(call, site)
    periods = call.desk.periods(site, required(call.parameters, "period"), required(call.parameters, "date"))
    if not isinstance(periods, Period):
        raise ReportError("API.getProcessedReport takes one period: give one date.")
    parameters = {**call.parameters, **{name: str(value) for name, value in listed.get("parameters", {}).items()}}
    parameters["method"] = f"{listed['module']}.{listed['action']}"
    answer = call.desk.answer(parameters, call.caller)
    rows, beside = inside(answer), []
    if isinstance(answer, Table):
        rows = [shown(row.columns) for row in answer.table]
        beside = [shown(row.metadata) for row in answer.table]
    label = {"label": listed["dimension"]} if listed.get("dimension") else {}
    return Plain(
        {
            "website": site.name,
            "prettyDate": periods.date_text,
            "metadata": listed,
            "columns": label | listed["metrics"] | listed["processedMetrics"],
            "reportData": rows,
            "reportMetadata": beside,
        }
    )


def _segments_metadata(call: Call) -> Answer:
    """API.getSegmentsMetadata: what conditions of segments can be about."""
    names = call.desk.segment_names(_site(call))
    return Plain(
        [
            {"type": name.type, "category": name.category, "name": titles(name.name), "segment": name.name}
            for name in names.values()
        ]
    )


def _site(call: Call) -> ReportSite:
    """The site that the call is about, the first of several; any site's when it names none."""
    named = call.parameters.get("idSite") or call.parameters.get("idSites") or ""
    return next(iter(call.desk.sites(named, call.caller)), _NO_SITE) if named else _NO_SITE


def _version(call: Call) -> Answer:
    """API.getMatomoVersion."""
    return Plain(_MATOMO_VERSION)


METHODS = (
    Method("API.getReportMetadata", _report_metadata),
    Method("API.getMetadata", _metadata),
    Method("API.getProcessedReport", _processed_report),
    Method("API.getSegmentsMetadata", _segments_metadata),
    Method("API.getMatomoVersion", _version),
    Method("API.getPiwikVersion", _version),
)

PLUGIN = Plugin("API", reports=(MergedReport(_EVERYTHING, listing=_everything),), methods=METHODS)
