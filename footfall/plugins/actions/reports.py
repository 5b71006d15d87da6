"""The reports of actions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote_plus

from footfall.archiving.datatable import Row
from footfall.reports.metrics import Columns, Measurement, Number, ProcessedMetric, quotient, ratio, rounded
from footfall.reports.report import NumbersReport, TableReport

_NUMBERS = (
    "nb_pageviews",
    "nb_uniq_pageviews",
    "nb_downloads",
    "nb_uniq_downloads",
    "nb_outlinks",
    "nb_uniq_outlinks",
    "nb_searches",
    "nb_keywords",
)
_TIMINGS = ("network", "server", "transfer", "dom_processing", "dom_completion", "on_load")


def _average_timing(name: str) -> ProcessedMetric:
    def compute(columns: Columns) -> Number:
        return quotient(columns, f"sum_time_{name}", f"nb_hits_with_time_{name}", 3)

    return ProcessedMetric(f"avg_time_{name}", compute, "seconds", root_only=True)


def _timing(name: str) -> Measurement:
    return Measurement(
        count=f"nb_hits_with_time_{name}",
        columns=(f"min_time_{name}", f"max_time_{name}"),
        hidden=(f"sum_time_{name}",),
        metric=_average_timing(name),
    )


def _page_load_time(columns: Columns) -> Number:
    return rounded(sum(_average_timing(name).compute(columns) for name in _TIMINGS), 3)


_MEASUREMENTS = (
    # The reference stopped measuring it; old archives have the columns.
    Measurement(
        count="nb_hits_with_time_generation",
        columns=("min_time_generation", "max_time_generation"),
        hidden=("sum_time_generation",),
    ),
    *(_timing(name) for name in _TIMINGS),
)
_PROCESSED = (
    ProcessedMetric("avg_page_load_time", _page_load_time, "seconds", root_only=True),
    ratio("avg_time_on_page", "sum_time_spent", "nb_hits", 0, "seconds"),
    ratio("bounce_rate", "entry_bounce_count", "entry_nb_visits", 2, "percent"),
    ratio("exit_rate", "exit_nb_visits", "nb_visits", 2, "percent"),
)


def _segment_value(value: str) -> str:
    """Encoded twice: once as a value inside a segment, once as a parameter of a URL."""
    return _encoded(_encoded(value))


def _encoded(value: str) -> str:
    return quote_plus(value, safe="-_.").replace("~", "%7E")


def _page_metadata(segment: str) -> Callable[[Row], dict[str, Any]]:
    """What is shown beside a page or a folder of pages; `segment` is what a page is called in a segment."""

    def metadata(row: Row) -> dict[str, Any]:
        if url := row.metadata.get("url"):
            return {"url": url, "segment": f"{segment}=={_segment_value(url)}"}
        if start := row.metadata.get("folder_url_start"):
            return {"segment": f"pageUrl=^{_segment_value(start)}"}
        return {}

    return metadata


def _title_metadata(segment: str) -> Callable[[Row], dict[str, Any]]:
    """What is shown beside a page title; `segment` is what a title is called in a segment."""

    def metadata(row: Row) -> dict[str, Any]:
        title = row.metadata.get("page_title_path")
        return {"segment": f"{segment}=={_segment_value(title)}"} if title else {}

    return metadata


def _page_label(path: Sequence[str]) -> str:
    """`docs`, `api`, `/list` is `/docs/api/list`; the index of a folder is the folder itself, `/docs/`."""
    *folders, page = path
    page = "" if page == "/index" else page.removeprefix("/")
    return "/" + "/".join((*folders, page))


def _title_label(path: Sequence[str]) -> str:
    return "/".join(label.strip() for label in path)


def _pages(method: str, dimension: str, segment: str, required: str | None = None) -> TableReport:
    return TableReport(
        f"Actions.{method}",
        record="Actions_actions_url",
        dimension=dimension,
        measurements=_MEASUREMENTS,
        processed=_PROCESSED,
        required=required,
        metadata=_page_metadata(segment),
        flat_label=_page_label,
    )


def _titles(method: str, dimension: str, segment: str, required: str | None = None) -> TableReport:
    return TableReport(
        f"Actions.{method}",
        record="Actions_actions",
        dimension=dimension,
        measurements=_MEASUREMENTS,
        processed=_PROCESSED,
        required=required,
        metadata=_title_metadata(segment),
        flat_label=_title_label,
    )


REPORTS = (
    NumbersReport("Actions.get", metrics={name: f"Actions_{name}" for name in _NUMBERS}),
    _pages("getPageUrls", "Actions_PageUrl", "pageUrl"),
    _pages("getEntryPageUrls", "Actions_EntryPageUrl", "entryPageUrl", required="entry_nb_visits"),
    _pages("getExitPageUrls", "Actions_ExitPageUrl", "exitPageUrl", required="exit_nb_visits"),
    _titles("getPageTitles", "Actions_PageTitle", "pageTitle"),
    _titles("getEntryPageTitles", "Actions_EntryPageTitle", "entryPageTitle", required="entry_nb_visits"),
    _titles("getExitPageTitles", "Actions_ExitPageTitle", "exitPageTitle", required="exit_nb_visits"),
)
