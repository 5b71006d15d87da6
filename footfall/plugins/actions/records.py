"""The records of actions: pages and titles, downloads and outlinks, searches, and their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from footfall.archiving.blob import StoredTable
from footfall.archiving.datatable import DataTable, Row
from footfall.archiving.hierarchy import TreeShape, make_tree
from footfall.archiving.records import BlobRecord, Computed, NumericRecord, RecordBuilder
from footfall.archiving.timings import EXTREMES, MEASURED
from footfall.plugins.actions import page_goals
from footfall.plugins.actions.measuring import (
    DOWNLOAD,
    ENTRY,
    EXIT,
    FOLLOWING_SEARCH,
    OUTLINK,
    PAGE_TITLE,
    PAGE_URL,
    READS,
    SEARCH,
    WITHOUT_RESULTS,
    measured,
)

if TYPE_CHECKING:
    from footfall.archiving.daylog import DayLog

_PREFIXES: Final = ("http://", "http://www.", "https://", "https://www.")  # url_prefix of log_action
_LEVELS: Final = 10
_MOST_ACTIONS: Final = 50_000  # the busiest ones that are told apart; the rest goes to the summary row
_INDEX: Final = "index"
_NO_TITLE: Final = "Page Name not defined"
# What Matomo notes about the tables of links below a host.
_NOTES: Final[dict[str, Any]] = {"column_aggregation_ops": False}

PAGE_URLS = BlobRecord("Actions_actions_url", 500, 100, combine=EXTREMES)
PAGE_TITLES = BlobRecord("Actions_actions", 500, 100, combine=EXTREMES)
DOWNLOADS = BlobRecord("Actions_downloads", 500, 100, combine=EXTREMES)
OUTLINKS = BlobRecord("Actions_outlink", 500, 100, combine=EXTREMES)
SEARCHES = BlobRecord("Actions_sitesearch", 500, 500, combine=EXTREMES)
CATEGORIES = BlobRecord("Actions_SiteSearchCategories", 500, 500)

_COUNTS: Final = ("nb_visits", "nb_uniq_visitors", "nb_hits", "sum_time_spent")
_TIMES: Final = tuple(f"{part}_{name}" for name in MEASURED for part in ("sum", "nb_hits_with", "min", "max"))
_PHASES: Final = tuple(name for name in _TIMES if not name.endswith("time_generation"))
_OF_PAGES: Final = (*_COUNTS, FOLLOWING_SEARCH, *_TIMES, *ENTRY, *EXIT)
_OF_LINKS: Final = (*_COUNTS, *_PHASES)
_OF_SEARCHES: Final = (*("nb_visits", "nb_hits", "sum_time_spent", WITHOUT_RESULTS), *_PHASES, "exit_nb_visits")
_OPTIONAL: Final = frozenset((*ENTRY, *EXIT, FOLLOWING_SEARCH))


def _action_records(log: DayLog) -> Computed:
    urls, titles, downloads, outlinks, searches = map(measured(log), (PAGE_URL, PAGE_TITLE, DOWNLOAD, OUTLINK, SEARCH))
    return {
        PAGE_URLS.name: _url_tree(urls, page_goals.goals_of_pages(log, "url", urls)),
        PAGE_TITLES.name: _title_table(titles, page_goals.goals_of_pages(log, "name", titles)),
        DOWNLOADS.name: _link_tree(downloads, DOWNLOADS),
        OUTLINKS.name: _link_tree(outlinks, OUTLINKS),
        SEARCHES.name: _search_table(searches),
        CATEGORIES.name: _category_table(log),
        **_numbers("pageviews", urls),
        **_numbers("downloads", downloads),
        **_numbers("outlinks", outlinks),
        "Actions_nb_searches": float(searches["nb_hits"].sum()),
        "Actions_nb_keywords": float(searches.height),
    }


def _numbers(what: str, actions: pl.DataFrame) -> dict[str, float]:
    return {
        f"Actions_nb_{what}": float(actions["nb_hits"].sum()),
        f"Actions_nb_uniq_{what}": float(actions["nb_visits"].sum()),
    }


def _names(actions: pl.DataFrame) -> list[str]:
    return actions["name"].fill_null("").head(_MOST_ACTIONS).to_list()


# Pages


def _url_tree(pages: pl.DataFrame, goals: pl.DataFrame | None) -> StoredTable:
    names = _names(pages)
    prefixes = [_PREFIXES[p] if p is not None and p < 4 else "" for p in pages["url_prefix"].head(_MOST_ACTIONS)]
    paths = [url_path(name) for name in names]

    def folder(row: int, depth: int) -> dict[str, str]:
        host = names[row].partition("/")[0]
        return {"folder_url_start": prefixes[row] + "/".join((host, *paths[row][:depth]))}

    shape = TreeShape(
        optional=_OPTIONAL,
        leaves_only=frozenset(("nb_uniq_visitors", "entry_nb_uniq_visitors", "exit_nb_uniq_visitors")),
        leaf_metadata=lambda row: {"url": prefixes[row] + names[row]},
        folder_metadata=folder,
    )
    return make_tree(pages.select(_OF_PAGES), paths, PAGE_URLS, shape, goals)


def url_path(name: str) -> list[str]:
    """The labels of a page: its folders, then the page with a slash before it, `index` where the path ends in one."""
    path, _, fragment = name.partition("/")[2].partition("#")
    if not path or path.endswith("/"):
        path += _INDEX
    if fragment:
        path += f"#{fragment}"
    labels = [label for part in path.split("/", _LEVELS - 1) if (label := part.strip())] or [_INDEX]
    labels[-1] = f"/{labels[-1]}"
    return labels


def _title_table(pages: pl.DataFrame, goals: pl.DataFrame | None) -> StoredTable:
    titles = [title.strip() or _NO_TITLE for title in _names(pages)]
    shape = TreeShape(optional=_OPTIONAL, leaf_metadata=lambda row: {"page_title_path": titles[row]})
    return make_tree(pages.select(_OF_PAGES), [title_path(title) for title in titles], PAGE_TITLES, shape, goals)


def title_path(title: str) -> Sequence[str]:
    """The label of a title."""
    return (f" {title}",)


# Downloads and outlinks


def _link_tree(links: pl.DataFrame, record: BlobRecord) -> StoredTable:
    """The table by host, the rest of each URL below it."""
    if links.is_empty():
        return StoredTable()
    names = _names(links)
    shape = TreeShape(
        leaves_only=frozenset(("nb_uniq_visitors",)),
        leaf_metadata=lambda row: {"url": names[row]},
    )
    table = make_tree(links.select(_OF_LINKS), [link_path(name) for name in names], record, shape)
    for host in table.rows:
        if host.below is not None:
            host.below.notes = _NOTES
    return table


def link_path(url: str) -> Sequence[str]:
    """Host and rest of a URL with its scheme: `partner.example`, `/deal?id=1`."""
    host, _, rest = url.partition("://")[2].partition("/")
    return (host, f"/{rest}")


# Searches


def _search_table(searches: pl.DataFrame) -> StoredTable:
    if searches.is_empty():
        return StoredTable()
    keywords = _names(searches)
    shape = TreeShape(
        optional=frozenset(("exit_nb_visits",)), leaf_metadata=lambda row: {"page_title_path": keywords[row]}
    )
    return make_tree(searches.select(_OF_SEARCHES), [(keyword,) for keyword in keywords], SEARCHES, shape)


def _category_table(log: DayLog) -> DataTable:
    if not log.has_values("log_link_visit_action", ("search_cat",)):
        return DataTable()
    category = pl.col("search_cat")
    by_category = (
        log.actions.filter(category.is_not_null() & (category != ""))
        .group_by("search_cat")
        .agg(
            nb_visits=pl.col("idvisit").n_unique(),
            nb_uniq_visitors=pl.col("idvisitor").n_unique(),
            nb_actions=pl.len(),
        )
        .sort("nb_visits", "search_cat", descending=[True, False])
    )
    return DataTable([Row(row) for row in by_category.rename({"search_cat": "label"}).rows(named=True)])


def _reads() -> dict[str, tuple[str, ...]]:
    tables = {**READS, **page_goals.READS}
    reads = {table: (*READS.get(table, ()), *page_goals.READS.get(table, ())) for table in tables}
    return {**reads, "log_link_visit_action": (*reads["log_link_visit_action"], "search_cat")}


ACTIONS = RecordBuilder(
    records=(
        *(PAGE_URLS, PAGE_TITLES, DOWNLOADS, OUTLINKS, SEARCHES, CATEGORIES),
        *(
            NumericRecord(f"Actions_nb_{uniq}{what}")
            for what in ("pageviews", "downloads", "outlinks")
            for uniq in ("", "uniq_")
        ),
        NumericRecord("Actions_nb_searches"),
        NumericRecord("Actions_nb_keywords", rows_of=SEARCHES.name),
    ),
    reads=_reads(),
    compute=_action_records,
)
