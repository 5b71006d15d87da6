"""Pages: their URLs as a tree of folders, their titles, and where visits begin and end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import polars as pl

from footfall.archiving.blob import StoredTable
from footfall.archiving.datatable import Row
from footfall.archiving.hierarchy import TreeShape, make_tree
from footfall.archiving.records import BlobRecord, Combine, Computed, NumericRecord, RecordBuilder
from footfall.plugins import Plugin
from footfall.reports.metrics import Columns, Measurement, Number, ProcessedMetric, quotient, ratio, rounded
from footfall.reports.report import NumbersReport, TableReport

if TYPE_CHECKING:
    from footfall.archiving.daylog import DayLog

# Records

_URL, _TITLE = 1, 4  # types of log_action
_PREFIXES = ("http://", "http://www.", "https://", "https://www.")  # url_prefix of log_action
_LEVELS = 10
_MOST_ACTIONS = 50_000  # the busiest ones that are told apart; the rest goes to the summary row
_INDEX = "index"
_NO_TITLE = "Page Name not defined"

_MEASURED = {
    "time_network": "time_network",
    "time_server": "time_server",
    "time_transfer": "time_transfer",
    "time_dom_processing": "time_dom_processing",
    "time_dom_completion": "time_dom_completion",
    "time_on_load": "time_on_load",
    "time_generation": "custom_float",
}
_ENTRY = (
    "entry_nb_uniq_visitors",
    "entry_nb_visits",
    "entry_nb_actions",
    "entry_sum_visit_length",
    "entry_bounce_count",
)
_EXIT = ("exit_nb_uniq_visitors", "exit_nb_visits")
_EXTREMES = {f"min_{name}": Combine.MIN for name in _MEASURED} | {f"max_{name}": Combine.MAX for name in _MEASURED}

_PAGE_URLS = BlobRecord("Actions_actions_url", 500, 100, combine=_EXTREMES)
_PAGE_TITLES = BlobRecord("Actions_actions", 500, 100, combine=_EXTREMES)


def _page_records(log: DayLog) -> Computed:
    page_views = log.actions.filter(pl.col("idaction_event_category").is_null())
    urls = _of_type(log, _measure(log, page_views, "url"), _URL)
    titles = _of_type(log, _measure(log, page_views, "name"), _TITLE)
    return {
        "Actions_actions_url": _url_tree(urls),
        "Actions_actions": _title_table(titles),
        "Actions_nb_pageviews": float(urls["nb_hits"].sum()),
        "Actions_nb_uniq_pageviews": float(urls["nb_visits"].sum()),
    }


def _measure(log: DayLog, page_views: pl.DataFrame, kind: str) -> pl.DataFrame:
    """What there is to count about each page, by `idaction` (of its `url` or `name`)."""
    action, preceding = f"idaction_{kind}", f"idaction_{kind}_ref"
    pages = page_views.group_by(pl.col(action).alias("idaction")).agg(
        pl.col("idvisit").n_unique().alias("nb_visits"),
        pl.col("idvisitor").n_unique().alias("nb_uniq_visitors"),
        pl.len().alias("nb_hits"),
        *(expression for name, column in _MEASURED.items() for expression in _timing_columns(name, pl.col(column))),
    )
    spent = page_views.group_by(pl.col(preceding).alias("idaction")).agg(
        sum_time_spent=pl.col("time_spent_ref_action").sum()
    )
    actions = pl.col("visit_total_actions")
    entries = log.visits.group_by(pl.col(f"visit_entry_idaction_{kind}").alias("idaction")).agg(
        entry_nb_uniq_visitors=pl.col("idvisitor").n_unique(),
        entry_nb_visits=pl.len(),
        entry_nb_actions=actions.sum(),
        entry_sum_visit_length=pl.col("visit_total_time").sum(),
        entry_bounce_count=(actions <= 1).sum(),
    )
    exits = log.visits.group_by(pl.col(f"visit_exit_idaction_{kind}").alias("idaction")).agg(
        exit_nb_uniq_visitors=pl.col("idvisitor").n_unique(),
        exit_nb_visits=pl.len(),
    )
    timings = [c for c in pages.columns if c not in ("idaction", "nb_visits", "nb_uniq_visitors", "nb_hits")]
    return (
        pages.join(spent, on="idaction", how="left")
        .join(entries, on="idaction", how="left")
        .join(exits, on="idaction", how="left")
        .with_columns(pl.col("sum_time_spent").fill_null(0))
        .select("idaction", "nb_visits", "nb_uniq_visitors", "nb_hits", "sum_time_spent", *timings, *_ENTRY, *_EXIT)
    )


def _timing_columns(name: str, milliseconds: pl.Expr) -> tuple[pl.Expr, ...]:
    return (
        (milliseconds.sum() / 1000).round(4).alias(f"sum_{name}"),
        milliseconds.count().alias(f"nb_hits_with_{name}"),
        (milliseconds.min() / 1000).alias(f"min_{name}"),
        (milliseconds.max() / 1000).alias(f"max_{name}"),
    )


def _of_type(log: DayLog, pages: pl.DataFrame, kind: int) -> pl.DataFrame:
    """The pages of one type of action with their `name` and `url_prefix`, busiest first."""
    names = log.names.filter(pl.col("type") == kind).select("idaction", "name", "url_prefix")
    return pages.join(names, on="idaction").drop("idaction").sort("nb_hits", "name", descending=[True, False])


def _url_tree(pages: pl.DataFrame) -> StoredTable:
    names = pages["name"].fill_null("").head(_MOST_ACTIONS).to_list()
    prefixes = [_PREFIXES[p] if p is not None and p < 4 else "" for p in pages["url_prefix"].head(_MOST_ACTIONS)]
    paths = [_url_path(name) for name in names]

    def folder(row: int, depth: int) -> dict[str, str]:
        host = names[row].partition("/")[0]
        return {"folder_url_start": prefixes[row] + "/".join((host, *paths[row][:depth]))}

    shape = TreeShape(
        optional=frozenset((*_ENTRY, *_EXIT)),
        leaves_only=frozenset(("nb_uniq_visitors", "entry_nb_uniq_visitors", "exit_nb_uniq_visitors")),
        leaf_metadata=lambda row: {"url": prefixes[row] + names[row]},
        folder_metadata=folder,
    )
    return make_tree(pages.drop("name", "url_prefix"), paths, _PAGE_URLS, shape)


def _url_path(name: str) -> list[str]:
    """The labels of a page: its folders, then the page with a slash before it, `index` where the path ends in one."""
    path, _, fragment = name.partition("/")[2].partition("#")
    if not path or path.endswith("/"):
        path += _INDEX
    if fragment:
        path += f"#{fragment}"
    labels = [label for part in path.split("/", _LEVELS - 1) if (label := part.strip())] or [_INDEX]
    labels[-1] = f"/{labels[-1]}"
    return labels


def _title_table(pages: pl.DataFrame) -> StoredTable:
    titles = [title.strip() or _NO_TITLE for title in pages["name"].fill_null("").head(_MOST_ACTIONS)]
    shape = TreeShape(
        optional=frozenset((*_ENTRY, *_EXIT)),
        leaf_metadata=lambda row: {"page_title_path": titles[row]},
    )
    return make_tree(pages.drop("name", "url_prefix"), [[f" {title}"] for title in titles], _PAGE_TITLES, shape)


PAGES = RecordBuilder(
    records=(
        _PAGE_URLS,
        _PAGE_TITLES,
        NumericRecord("Actions_nb_pageviews"),
        NumericRecord("Actions_nb_uniq_pageviews"),
    ),
    reads={
        "log_visit": (
            "idvisitor",
            "visit_total_actions",
            "visit_total_time",
            "visit_entry_idaction_url",
            "visit_entry_idaction_name",
            "visit_exit_idaction_url",
            "visit_exit_idaction_name",
        ),
        "log_link_visit_action": (
            "idvisitor",
            "idaction_url",
            "idaction_name",
            "idaction_url_ref",
            "idaction_name_ref",
            "time_spent_ref_action",
            "idaction_event_category",
            *_MEASURED.values(),
        ),
    },
    compute=_page_records,
)

# Reports

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

PLUGIN = Plugin("Actions", builders=(PAGES,), reports=REPORTS)
