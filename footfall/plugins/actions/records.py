"""The records of actions: pages and titles, downloads and outlinks, searches, and their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from footfall.archiving.blob import NO_TABLE, StoredTable
from footfall.archiving.datatable import DataTable, Row
from footfall.archiving.hierarchy import make_tree
from footfall.archiving.paths import Paths
from footfall.archiving.records import BlobRecord, Computed, NumericRecord, RecordBuilder
from footfall.archiving.timings import EXTREMES, MEASURED
from footfall.archiving.tree_rows import TreeRows
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
_PATH: Final = "path"
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
    goals = page_goals.goals_of_pages(log, {"url": urls, "name": titles})
    return {
        PAGE_URLS.name: _url_tree(log, urls, goals.get("url")),
        PAGE_TITLES.name: _title_table(log, titles, goals.get("name")),
        DOWNLOADS.name: _link_tree(log, downloads, DOWNLOADS),
        OUTLINKS.name: _link_tree(log, outlinks, OUTLINKS),
        SEARCHES.name: _search_table(log, searches),
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


@dataclass(frozen=True)
class _Places:
    """Where the actions of a type belong in their table, whichever visits saw them.

    Args:
        actions: `idaction`, and what describes an action.
        paths: of each.
    """

    actions: pl.DataFrame
    paths: Paths

    def of(self, actions: pl.DataFrame) -> pl.DataFrame:
        """The number of the path of each of these actions (_PATH) and what describes it; the busiest have one."""
        known = self.actions.with_row_index(_PATH)
        found = actions[["idaction"]].join(known, on="idaction", how="left", maintain_order="left")
        if found.height <= _MOST_ACTIONS:
            return found
        return found.with_columns(pl.when(pl.int_range(pl.len()) < _MOST_ACTIONS).then(_PATH))


def _named(names: pl.DataFrame, *kinds: int) -> pl.DataFrame:
    found = names.filter(pl.col("type").is_in(kinds))
    return found.with_columns(pl.col("name").fill_null("")) if found["name"].null_count() else found


# Pages


def _url_tree(log: DayLog, pages: pl.DataFrame, goals: pl.DataFrame | None) -> StoredTable:
    places = log.of_names(_page_places)
    found = places.of(pages)
    rows = TreeRows(
        pages[_OF_PAGES],
        places.paths,
        found[_PATH],
        optional=_OPTIONAL,
        leaves_only=frozenset(("nb_uniq_visitors", "entry_nb_uniq_visitors", "exit_nb_uniq_visitors")),
        leaf_notes={"url": found["url"]},
        folder_notes={"folder_url_start": found["site"]},
        goals=goals,
    )
    return make_tree(rows, PAGE_URLS)


def _page_places(names: pl.DataFrame) -> _Places:
    pages = _named(names, PAGE_URL)
    prefix = pl.col("url_prefix").replace_strict(dict(enumerate(_PREFIXES)), default="", return_dtype=pl.String)
    described = pages.select(
        "idaction",
        (prefix + pl.col("name")).alias("url"),
        (prefix + pl.col("name").str.split("/").list.first()).alias("site"),
    )
    return _Places(described, Paths([url_path(name) for name in pages["name"]]))


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


def _title_table(log: DayLog, pages: pl.DataFrame, goals: pl.DataFrame | None) -> StoredTable:
    places = log.of_names(_title_places)
    found = places.of(pages)
    rows = TreeRows(
        pages[_OF_PAGES],
        places.paths,
        found[_PATH],
        optional=_OPTIONAL,
        leaf_notes={"page_title_path": found["title"]},
        goals=goals,
    )
    return make_tree(rows, PAGE_TITLES)


def _title_places(names: pl.DataFrame) -> _Places:
    pages = _named(names, PAGE_TITLE)
    titles = [name.strip() or _NO_TITLE for name in pages["name"]]
    described = pages.select("idaction", pl.Series("title", titles, pl.String))
    return _Places(described, Paths([title_path(title) for title in titles]))


def title_path(title: str) -> Sequence[str]:
    """The label of a title."""
    return (f" {title}",)


# Downloads and outlinks


def _link_tree(log: DayLog, links: pl.DataFrame, record: BlobRecord) -> StoredTable:
    """The table by host, the rest of each URL below it."""
    if links.is_empty():
        return NO_TABLE
    places = log.of_names(_link_places)
    found = places.of(links)
    rows = TreeRows(
        links[_OF_LINKS],
        places.paths,
        found[_PATH],
        leaves_only=frozenset(("nb_uniq_visitors",)),
        leaf_notes={"url": found["name"]},
        subtable_notes=_NOTES,
    )
    return make_tree(rows, record)


def _link_places(names: pl.DataFrame) -> _Places:
    links = _named(names, DOWNLOAD, OUTLINK)
    return _Places(links.select("idaction", "name"), Paths([link_path(name) for name in links["name"]]))


def link_path(url: str) -> Sequence[str]:
    """Host and rest of a URL with its scheme: `partner.example`, `/deal?id=1`."""
    host, _, rest = url.partition("://")[2].partition("/")
    return (host, f"/{rest}")


# Searches


def _search_table(log: DayLog, searches: pl.DataFrame) -> StoredTable:
    if searches.is_empty():
        return NO_TABLE
    places = log.of_names(_search_places)
    found = places.of(searches)
    rows = TreeRows(
        searches[_OF_SEARCHES],
        places.paths,
        found[_PATH],
        optional=frozenset(("exit_nb_visits",)),
        leaf_notes={"page_title_path": found["name"]},
    )
    return make_tree(rows, SEARCHES)


def _search_places(names: pl.DataFrame) -> _Places:
    keywords = _named(names, SEARCH)
    return _Places(keywords.select("idaction", "name"), Paths([(keyword,) for keyword in keywords["name"]]))


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
