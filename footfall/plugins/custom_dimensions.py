"""Custom dimensions: what visits, or actions and the pages they were on, have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import polars as pl

from footfall.archiving.blob import StoredTable
from footfall.archiving.datatable import DataTable
from footfall.archiving.daylog import total
from footfall.archiving.hierarchy import make_tree
from footfall.archiving.paths import Paths
from footfall.archiving.records import BlobRecord, Computed, RecordBuilder
from footfall.archiving.segments import ACTION as ACTIONS
from footfall.archiving.segments import BEHAVIOUR, SegmentName
from footfall.archiving.segments import VISIT as VISITS
from footfall.archiving.setup import Dimension, SiteSetup
from footfall.archiving.timings import MEASURED, timing_columns
from footfall.archiving.tree_rows import TreeRows
from footfall.archiving.visit_metrics import (
    CONVERSION_READS,
    VISIT_COMBINE,
    VISIT_READS,
    VisitDimension,
    tables,
)
from footfall.custom_dimensions import VISIT
from footfall.plugins import Plugin
from footfall.reports.errors import ReportError
from footfall.reports.metrics import number, quotient, ratio
from footfall.reports.report import ChosenReport, Listing, TableReport
from footfall.reports.rows import noted
from footfall.reports.segment_text import condition, encoded
from footfall.reports.site import ReportDimension, ReportSite
from footfall.reports.source import Source

if TYPE_CHECKING:
    from footfall.archiving.daylog import DayLog

# Records

_MOST_ROWS: Final = 1_000
_MOST_PAGES: Final = 50_000  # values and pages that are told apart; the rest goes to the summary row
_URL: Final = "idaction_url"
_PAGE: Final = "page"
_PREFIX: Final = r"^https?://(www\.)?"  # that of pages is not in their names, that of contents is


def _record(number: int) -> str:
    return f"CustomDimensions_Dimension{number}"


def dimensions_of(setup: SiteSetup) -> RecordBuilder:
    """The records of the custom dimensions that a site has."""
    of_visits = tuple(
        VisitDimension(
            BlobRecord(_record(dimension.number), _MOST_ROWS, _MOST_ROWS, combine=VISIT_COMBINE),
            pl.col(dimension.column),
            pl.col(dimension.column),
        )
        for dimension in setup.visit_dimensions
    )
    of_actions = {
        dimension: BlobRecord(_record(dimension.number), _MOST_ROWS, _MOST_ROWS)
        for dimension in setup.action_dimensions
    }

    def compute(log: DayLog) -> Computed:
        return {
            **(_of_visits(log, of_visits) if of_visits else {}),
            **{record.name: _of_actions(log, dimension, record) for dimension, record in of_actions.items()},
        }

    return RecordBuilder(
        records=(*(dimension.record for dimension in of_visits), *of_actions.values()),
        reads=_reads(setup),
        compute=compute,
    )


def _reads(setup: SiteSetup) -> dict[str, tuple[str, ...]]:
    visit_columns = tuple(dimension.column for dimension in setup.visit_dimensions)
    action_columns = tuple(dimension.column for dimension in setup.action_dimensions)
    reads: dict[str, tuple[str, ...]] = {}
    if visit_columns:
        reads["log_visit"] = (*VISIT_READS, *visit_columns)
        reads["log_conversion"] = (*CONVERSION_READS, *visit_columns)
    if action_columns:
        reads["log_visit"] = (*reads.get("log_visit", ()), "visit_total_actions", "last_idlink_va")
        reads["log_link_visit_action"] = (
            *("idvisitor", "idlink_va", _URL, "time_spent"),
            *MEASURED.values(),
            *action_columns,
        )
    return reads


def _of_visits(log: DayLog, dimensions: tuple[VisitDimension, ...]) -> dict[str, DataTable]:
    """Their tables without the row of the visits that have no value."""
    found = tables(log, dimensions)
    for table in found.values():
        table.rows = [row for row in table.rows if row.label]
    return found


def _of_actions(log: DayLog, dimension: Dimension, record: BlobRecord) -> StoredTable:
    """The table by value, the pages of each below it.

    Unlike those of pages, least and longest times are added up too (conformance `archives`).
    """
    value = pl.col(dimension.column)
    # An event has another action than the page it is on, of the same name.
    pages = log.names.select(pl.col("idaction").alias(_URL), pl.col("idaction").min().over("name").alias(_PAGE))
    by_page = (
        log.actions.filter(value.is_not_null() & (value != ""))
        .join(log.visits.select("idvisit", "visit_total_actions", "last_idlink_va"), on="idvisit", how="left")
        .join(pages, on=_URL, how="left")
        .group_by(dimension.column, _PAGE)
        .agg(
            pl.col("idvisit").n_unique().alias("nb_visits"),
            pl.col("idvisitor").n_unique().alias("nb_uniq_visitors"),
            pl.len().alias("nb_hits"),
            *timing_columns(),
            total("time_spent").alias("sum_time_spent"),
            (pl.col("visit_total_actions") <= 1).sum().alias("bounce_count"),
            (pl.col("idlink_va") == pl.col("last_idlink_va")).sum().alias("exit_nb_visits"),
        )
        .fill_null(0)
        .sort("nb_hits", dimension.column, _PAGE, descending=[True, False, False])
    )
    busiest = by_page.head(_MOST_PAGES)
    names = log.names_of(busiest[_PAGE]).fill_null("").str.replace(_PREFIX, "")
    paths = list(zip(busiest[dimension.column].to_list(), names.to_list(), strict=True))
    return make_tree(TreeRows(by_page.drop(dimension.column, _PAGE), Paths(paths)), record)


# Segments


def segments_of(setup: SiteSetup) -> Iterable[SegmentName]:
    """The names of the custom dimensions that a site has: `dimension2`."""
    for dimension in setup.visit_dimensions:
        yield SegmentName(f"dimension{dimension.number}", VISITS, dimension.column)
    for dimension in setup.action_dimensions:
        yield SegmentName(f"dimension{dimension.number}", ACTIONS, dimension.column, category=BEHAVIOUR)


# Reports

_GENERATION: Final = "time_generation"
_PROCESSED_OF_VISITS: Final = (
    ratio("avg_time_on_site", "sum_visit_length", "nb_visits", 0, "seconds"),
    ratio("bounce_rate", "bounce_count", "nb_visits", 2, "percent"),
    ratio("nb_actions_per_visit", "nb_actions", "nb_visits", 1),
)
_PROCESSED_OF_ACTIONS: Final = (
    ratio("avg_time_on_dimension", "sum_time_spent", "nb_hits", 0, "seconds"),
    ratio("bounce_rate", "bounce_count", "nb_visits", 2, "percent"),
    ratio("exit_rate", "exit_nb_visits", "nb_visits", 2, "percent"),
)


def _asked_dimension(source: Source) -> ReportDimension:
    """The custom dimension that the request's `idDimension` names.

    Raises:
        ReportError: the site has none of that number.
    """
    text = source.parameters.get("idDimension", "")
    dimension = source.site.dimension(int(text)) if text.isdecimal() else None
    if dimension is None or not dimension.active:
        raise ReportError(f"idDimension must be the number of an active custom dimension of the site, not {text!r}.")
    return dimension


def _report_of(source: Source) -> TableReport:
    dimension = _asked_dimension(source)
    is_of_visits = dimension.scope == VISIT
    return TableReport(
        _METHOD,
        record=_record(dimension.number),
        dimension=f"CustomDimension_CustomDimension{dimension.number}",
        processed=_PROCESSED_OF_VISITS if is_of_visits else _PROCESSED_OF_ACTIONS,
        prepare=_described,
        metadata=noted,
    )


def _described(table: DataTable, source: Source) -> DataTable:
    """The table with the segment of each row, and the address of each page below a value."""
    name = f"dimension{_asked_dimension(source).number}"
    _show_generation(table, as_one=source.parameters.get("flat", "0") not in ("", "0"))
    if source.subtable_id is not None:
        for row in table.rows:
            row.metadata = {"url": encoded(row.label)}
        return table
    for row in table.rows:
        row.metadata = condition((name, row.label))
        for page in row.subtable.rows if row.subtable is not None else ():
            url = encoded(page.label)
            page.metadata = {"segment": f"{row.metadata['segment']};actionUrl=${url}", "url": url}
    return table


def _show_generation(table: DataTable, *, as_one: bool, is_measured: bool = False) -> None:
    """Show what generating pages took, or the values of events that stand there, in tables that have any.

    Args:
        as_one: whether a table shows the columns because the one above does: a flat answer is one table.
        is_measured: whether the one above does.
    """
    count = f"nb_hits_with_{_GENERATION}"
    is_measured = (as_one and is_measured) or any(number(row.columns.get(count)) for row in table)
    for row in table:
        total = row.columns.pop(f"sum_{_GENERATION}", None)
        if is_measured:
            row.columns[f"avg_{_GENERATION}"] = quotient({**row.columns, "sum": total}, "sum", count, 3)
        else:
            for name in (count, f"min_{_GENERATION}", f"max_{_GENERATION}"):
                row.columns.pop(name, None)
        if row.subtable is not None:
            _show_generation(row.subtable, as_one=as_one, is_measured=is_measured)


def _listings(site: ReportSite) -> Iterable[Listing]:
    for dimension in site.dimensions:
        if not dimension.active:
            continue
        is_of_visits = dimension.scope == VISIT
        processed = _PROCESSED_OF_VISITS if is_of_visits else _PROCESSED_OF_ACTIONS
        yield Listing(
            dimension.name,
            ("nb_visits", "nb_actions") if is_of_visits else ("nb_hits", "nb_visits"),
            (*(metric.name for metric in processed), *(() if is_of_visits else (f"avg_{_GENERATION}",))),
            _METHOD.partition(".")[2],
            parameters={"idDimension": str(dimension.number)},
        )


_METHOD: Final = "CustomDimensions.getCustomDimension"

REPORTS = (ChosenReport(_METHOD, choose=_report_of, listing=_listings),)

PLUGIN = Plugin("CustomDimensions", builders=(dimensions_of,), reports=REPORTS, segments=(segments_of,))
