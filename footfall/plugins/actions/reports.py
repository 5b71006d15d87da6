"""The reports of actions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from footfall.archiving.datatable import DataTable, Row
from footfall.archiving.records import BlobRecord
from footfall.plugins.actions.measuring import FOLLOWING_SEARCH, WITHOUT_RESULTS
from footfall.plugins.actions.records import (
    CATEGORIES,
    DOWNLOADS,
    OUTLINKS,
    PAGE_TITLES,
    PAGE_URLS,
    SEARCHES,
    link_path,
    title_path,
    url_path,
)
from footfall.reports.metrics import Columns, Measurement, Number, ProcessedMetric, quotient, ratio, rounded
from footfall.reports.report import Listing, NumbersReport, TableReport
from footfall.reports.segment_text import condition, encoded
from footfall.reports.site import ReportSite
from footfall.reports.source import Source

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
_SPENT_AND_LEFT = (
    ratio("avg_time_on_page", "sum_time_spent", "nb_hits", 0, "clock"),
    ratio("bounce_rate", "entry_bounce_count", "entry_nb_visits", 2, "percent"),
    ratio("exit_rate", "exit_nb_visits", "nb_visits", 2, "percent"),
)
_PROCESSED = (ProcessedMetric("avg_page_load_time", _page_load_time, "seconds", root_only=True), *_SPENT_AND_LEFT)


_MEASURED = tuple(name for m in _MEASUREMENTS for name in (m.count, *m.columns, *m.hidden))
_PREFIX = re.compile(r"^https?://(www\.)?", re.IGNORECASE)


def _segment_value(value: str) -> str:
    """Encoded twice: once as a value inside a segment, once as a parameter of a URL."""
    return encoded(encoded(value))


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


def _path_label(path: Sequence[str]) -> str:
    """The same without the slash before a folder, `docs/api/list`; titles as they are."""
    if path[-1].startswith(" "):
        return _title_label(path)
    label = _page_label(path)
    return label if len(path) == 1 else label.removeprefix("/")


def _title_label(path: Sequence[str]) -> str:
    return "/".join(label.strip() for label in path)


_GENERATION = "avg_time_generation"  # listed by the reference, which measures it no more
_SEEN = Listing(None, ("nb_hits", "nb_visits"), ("avg_time_on_page", "bounce_rate", "exit_rate", _GENERATION))
_ENTERED = Listing(None, ("entry_nb_visits", "entry_bounce_count"), ("bounce_rate", _GENERATION))
_LEFT = Listing(None, ("exit_nb_visits", "nb_visits"), ("exit_rate", _GENERATION))
_FOLLOWING = Listing(None, ("nb_hits_following_search", "nb_hits"))
_CLICKED = Listing(None, ("nb_visits", "nb_hits"))


def _listed(listing: Listing, dimension: str, method: str) -> Listing:
    return replace(listing, dimension=dimension, subtable=method)


def _of_searching_sites(listing: Listing) -> Callable[[ReportSite], Iterable[Listing]]:
    """The listing for sites that record searches."""
    return lambda site: [listing] if site.sitesearch else []


def _views(
    method: str, dimension: str, segment: str, listing: Listing, words: str, required: str | None = None
) -> TableReport:
    """A report of pages, or of titles where the segment is one of titles."""
    titles = segment.endswith("Title")
    return TableReport(
        f"Actions.{method}",
        record=(PAGE_TITLES if titles else PAGE_URLS).name,
        dimension=dimension,
        measurements=_MEASUREMENTS,
        processed=_PROCESSED,
        required=required,
        metadata=(_title_metadata if titles else _page_metadata)(segment),
        flat_label=_title_label if titles else _page_label,
        listing=_listed(listing, words, method),
    )


def _only_following(table: DataTable, source: Source) -> DataTable:
    """What was seen right after a search, in folders too; for a flat answer the pages alone.

    They are flattened before shares of conversions are computed, which only rows of the top level have (conformance
    `reports`: Actions.getPageUrlsFollowingSiteSearch).
    """
    rows = list(_following(table, ()))
    if source.parameters.get("flat", "0") not in ("", "0"):
        return DataTable([row for row in rows if row.subtable is None])
    return table


def _following(table: DataTable, above: Sequence[str]) -> Iterator[Row]:
    """Leave out the other rows, in place; yields those that stay, with their paths as labels where they are pages."""
    table.rows = [row for row in table.rows if row.columns.get(FOLLOWING_SEARCH)]
    for row in table.rows:
        path = (*above, row.label)
        yield replace(row, columns={**row.columns, "label": _path_label(path)})
        if row.subtable is not None:
            yield from _following(row.subtable, path)


def _following_search(report: TableReport) -> TableReport:
    """The report of what was seen right after a search."""
    listing = replace(_FOLLOWING, dimension="Destination Page")
    return replace(
        report,
        method=f"{report.method}FollowingSiteSearch",
        dimension="Actions_DestinationPage",
        prepare=_only_following,
        sort_column=FOLLOWING_SEARCH,
        flat_label="".join,
        listing=_of_searching_sites(listing),
    )


def _links(method: str, dimension: str, segment: str, record: BlobRecord, words: str) -> TableReport:
    return TableReport(
        f"Actions.{method}",
        record=record.name,
        dimension=dimension,
        measurements=_MEASUREMENTS,
        metadata=_page_metadata(segment),
        flat_label="".join,
        listing=_listed(_CLICKED, words, method),
    )


def _found(method: str, parameter: str, record: BlobRecord, path_of: Callable[[str], Sequence[str]]) -> TableReport:
    """The report of the one row that a parameter names (`pageUrl`), without what was measured of page views."""

    def load(source: Source) -> DataTable:
        table, row = source.table(record.name, expanded=True), None
        for label in path_of(source.parameters.get(parameter, "").strip()):
            row = next((row for row in table.rows if row.label == label), None)
            if row is None:
                return DataTable()
            table = row.subtable or DataTable()
        return DataTable([replace(row, subtable=None, subtable_id=None)] if row is not None else [])

    return TableReport(
        f"Actions.{method}",
        load=load,
        processed=_SPENT_AND_LEFT if record in (PAGE_URLS, PAGE_TITLES) else (),
        metadata=_address,
        hidden=_MEASURED,
    )


def _address(row: Row) -> dict[str, Any]:
    return {"url": row.metadata["url"]} if "url" in row.metadata else {}


def _path_of_page(url: str) -> Sequence[str]:
    return url_path(_PREFIX.sub("", url))


_PER_SEARCH = ratio("nb_pages_per_search", "nb_hits", "nb_visits", 1)


def _without_results(table: DataTable, source: Source) -> DataTable:
    """The keywords that nothing was found for, on one day at least."""
    table.rows = [row for row in table.rows if row.columns.get(WITHOUT_RESULTS)]
    return table


def _keyword_metadata(row: Row) -> dict[str, Any]:
    return condition(("siteSearchKeyword", row.label))


def _category_metadata(row: Row) -> dict[str, Any]:
    return condition(("siteSearchCategory", row.label))


_KEYWORDS = TableReport(
    "Actions.getSiteSearchKeywords",
    record=SEARCHES.name,
    dimension="Actions_Keyword",
    measurements=_MEASUREMENTS,
    processed=(_PER_SEARCH, *_SPENT_AND_LEFT),
    metadata=_keyword_metadata,
    hidden=(WITHOUT_RESULTS,),
    listing=_of_searching_sites(Listing("Keyword", ("nb_visits", "nb_pages_per_search"), ("exit_rate",))),
)
_PAGE_URLS = _views("getPageUrls", "Actions_PageUrl", "pageUrl", _SEEN, "Page URL")
_PAGE_TITLES = _views("getPageTitles", "Actions_PageTitle", "pageTitle", _SEEN, "Page Title")
_ENTRIES, _EXITS = "entry_nb_visits", "exit_nb_visits"

REPORTS = (
    NumbersReport(
        "Actions.get",
        metrics={name: f"Actions_{name}" for name in _NUMBERS},
        listing=Listing(None, _NUMBERS, (_GENERATION,)),
    ),
    _PAGE_URLS,
    _views("getEntryPageUrls", "Actions_EntryPageUrl", "entryPageUrl", _ENTERED, "Entry Page URL", _ENTRIES),
    _views("getEntryPageTitles", "Actions_EntryPageTitle", "entryPageTitle", _ENTERED, "Entry Page title", _ENTRIES),
    _views("getExitPageUrls", "Actions_ExitPageUrl", "exitPageUrl", _LEFT, "Exit Page URL", _EXITS),
    _views("getExitPageTitles", "Actions_ExitPageTitle", "exitPageTitle", _LEFT, "Exit Page Title", _EXITS),
    _PAGE_TITLES,
    _KEYWORDS,
    _following_search(_PAGE_URLS),
    replace(
        _KEYWORDS,
        method="Actions.getSiteSearchNoResultKeywords",
        dimension="Actions_KeywordwithNoSearchResult",
        prepare=_without_results,
        listing=_of_searching_sites(Listing("Keyword with No Search Result", ("nb_visits",), ("exit_rate",))),
    ),
    _following_search(_PAGE_TITLES),
    TableReport(
        "Actions.getSiteSearchCategories",
        record=CATEGORIES.name,
        dimension="Actions_SearchCategory",
        processed=(ratio("nb_pages_per_search", "nb_actions", "nb_visits", 1),),
        metadata=_category_metadata,
        hidden=("nb_uniq_visitors",),
        listing=_of_searching_sites(Listing("Search Category", ("nb_visits", "nb_pages_per_search", "exit_rate"))),
    ),
    _links("getOutlinks", "Actions_ClickedUrl", "outlinkUrl", OUTLINKS, "Clicked Outlink"),
    _links("getDownloads", "Actions_DownloadUrl", "downloadUrl", DOWNLOADS, "Download URL"),
    _found("getPageUrl", "pageUrl", PAGE_URLS, _path_of_page),
    _found("getPageTitle", "pageName", PAGE_TITLES, title_path),
    _found("getOutlink", "outlinkUrl", OUTLINKS, link_path),
    _found("getDownload", "downloadUrl", DOWNLOADS, link_path),
)
