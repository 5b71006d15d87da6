"""What there is to count about each action of a day: pages and titles, downloads, outlinks, what was searched for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import polars as pl

from footfall.archiving.timings import MEASURED, timing_columns

if TYPE_CHECKING:
    from footfall.archiving.daylog import DayLog

# Types of log_action.
PAGE_URL, OUTLINK, DOWNLOAD, PAGE_TITLE, SEARCH = 1, 2, 3, 4, 8

Kind = Literal["url", "name"]

ENTRY: Final = (
    "entry_nb_uniq_visitors",
    "entry_nb_visits",
    "entry_nb_actions",
    "entry_sum_visit_length",
    "entry_bounce_count",
)
EXIT: Final = ("exit_nb_uniq_visitors", "exit_nb_visits")
FOLLOWING_SEARCH: Final = "nb_hits_following_search"
WITHOUT_RESULTS: Final = "without_results"  # 1 for a keyword that nothing was found for all day

READS: Final = {
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
        "search_count",
        *MEASURED.values(),
    ),
}


def measured(log: DayLog, kind: Kind) -> pl.DataFrame:
    """A row for each action that some row of the log has as its URL or name, with `name`, `type` and `url_prefix`.

    The busiest come first. Columns about entries, exits and searches are null where there were none.
    """
    action, preceding = f"idaction_{kind}", f"idaction_{kind}_ref"
    searches = log.names.filter(pl.col("type") == SEARCH)["idaction"]
    is_no_event = pl.col("idaction_event_category").is_null()
    hits = log.actions.filter(is_no_event).select(
        *("idvisit", "idvisitor", action, preceding, "time_spent_ref_action", *MEASURED.values()),
        pl.col("idaction_name_ref").is_in(searches.implode()).alias(FOLLOWING_SEARCH),
        (pl.col("search_count") == 0).fill_null(value=False).alias(WITHOUT_RESULTS),
    )
    following = pl.col(FOLLOWING_SEARCH).sum()
    counted = hits.group_by(pl.col(action).alias("idaction")).agg(
        pl.col("idvisit").n_unique().alias("nb_visits"),
        pl.col("idvisitor").n_unique().alias("nb_uniq_visitors"),
        pl.len().alias("nb_hits"),
        pl.when(following > 0).then(following).alias(FOLLOWING_SEARCH),
        pl.col(WITHOUT_RESULTS).all().cast(pl.Int64),
        *timing_columns(),
    )
    spent = hits.group_by(pl.col(preceding).alias("idaction")).agg(sum_time_spent=pl.col("time_spent_ref_action").sum())
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
    return (
        counted.join(spent, on="idaction", how="left")
        .join(entries, on="idaction", how="left")
        .join(exits, on="idaction", how="left")
        .join(log.names.select("idaction", "name", "type", "url_prefix"), on="idaction")
        .with_columns(pl.col("sum_time_spent").fill_null(0))
        .sort("nb_hits", "name", descending=[True, False])
    )
