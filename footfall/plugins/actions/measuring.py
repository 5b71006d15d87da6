"""What there is to count about each action of a day: pages and titles, downloads, outlinks, what was searched for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, Literal

import polars as pl

from footfall.archiving.daylog import total
from footfall.archiving.timings import MEASURED, timing_columns

if TYPE_CHECKING:
    from footfall.archiving.daylog import DayLog

# Types of log_action.
PAGE_URL, OUTLINK, DOWNLOAD, PAGE_TITLE, SEARCH = 1, 2, 3, 4, 8

Kind = Literal["url", "name"]
Key = Callable[[str], pl.Expr]  # from a column with ids of actions to what they are counted by

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


_FEW_ROWS: Final = 20_000
_ROWS_AT_ONCE: Final = 400_000  # that are counted by action, for the sake of memory
_TYPES: Final[dict[Kind, tuple[int, ...]]] = {"url": (PAGE_URL, OUTLINK, DOWNLOAD), "name": (PAGE_TITLE, SEARCH)}
_ACTION, _PRECEDING, _ENTERED, _LEFT, _TYPE = "idaction", "preceding", "entered", "left", "type"
_ORDER: Final = "order"  # of their names
_FOLLOWING: Final = pl.col(FOLLOWING_SEARCH).sum()
_OF_HITS: Final = (
    pl.col("idvisit").n_unique().alias("nb_visits"),
    pl.col("idvisitor").n_unique().alias("nb_uniq_visitors"),
    pl.len().alias("nb_hits"),
    pl.when(_FOLLOWING > 0).then(_FOLLOWING).alias(FOLLOWING_SEARCH),
    pl.col(WITHOUT_RESULTS).all().cast(pl.Int64),
    *timing_columns(),
)
_OF_ENTRIES: Final = (
    pl.col("idvisitor").n_unique().alias("entry_nb_uniq_visitors"),
    pl.len().alias("entry_nb_visits"),
    total("visit_total_actions").alias("entry_nb_actions"),
    total("visit_total_time").alias("entry_sum_visit_length"),
    (pl.col("visit_total_actions") <= 1).sum().alias("entry_bounce_count"),
)
_OF_EXITS: Final = (
    pl.col("idvisitor").n_unique().alias("exit_nb_uniq_visitors"),
    pl.len().alias("exit_nb_visits"),
)


def measured(log: DayLog) -> Callable[[int], pl.DataFrame]:
    """For each type of action a row for each action that the log has, the busiest first, else in the order of names.

    Columns about entries, exits and searches are null where there were none.
    """
    is_search = pl.col("idaction_name_ref").is_in(log.names.filter(pl.col(_TYPE) == SEARCH)[_ACTION].implode())
    hits = log.actions[[*READS["log_link_visit_action"], "idvisit"]]
    if log.has_values("log_link_visit_action", ("idaction_event_category",)):
        hits = hits.filter(pl.col("idaction_event_category").is_null())
    hits = hits.with_columns(
        is_search.alias(FOLLOWING_SEARCH),
        (pl.col("search_count") == 0).fill_null(value=False).alias(WITHOUT_RESULTS),
    )
    counted = _together(log, hits) if hits.height <= _FEW_ROWS else _apart(log, hits)
    found = {kind: rows for part in counted for (kind,), rows in part.partition_by(_TYPE, as_dict=True).items()}
    nothing = counted[0].clear()
    return lambda kind: found.get(kind, nothing)


def _apart(log: DayLog, hits: pl.DataFrame) -> list[pl.DataFrame]:
    named = log.of_names(_named)
    return [
        _counted(_hits(hits, kind, pl.col), _visits(log, kind, pl.col), named.filter(pl.col(_TYPE).is_in(_TYPES[kind])))
        for kind in _TYPES
    ]


def _named(names: pl.DataFrame) -> pl.DataFrame:
    """The type of each action, and its place in the order of names."""
    return names.sort("name", _ACTION)[[_ACTION, _TYPE]].with_row_index(_ORDER)


def _together(log: DayLog, hits: pl.DataFrame) -> list[pl.DataFrame]:
    """URLs and names counted at once, told apart by whether their key is odd: on a small day, half the time."""
    keys: dict[Kind, Key] = {
        "url": lambda column: pl.col(column).cast(pl.Int64) * 2,
        "name": lambda column: pl.col(column).cast(pl.Int64) * 2 + 1,
    }
    is_kind = {kind: pl.col(_TYPE).is_in(types) for kind, types in _TYPES.items()}
    # Other names have no key, and nothing that they are joined with.
    key = pl.when(is_kind["url"]).then(keys["url"](_ACTION)).when(is_kind["name"]).then(keys["name"](_ACTION))
    both = _counted(
        pl.concat(_hits(hits, kind, key) for kind, key in keys.items()),
        pl.concat(_visits(log, kind, key) for kind, key in keys.items()),
        log.of_names(_named).with_columns(key.alias(_ACTION)),
    )
    return [both.with_columns((pl.col(_ACTION) // 2).cast(log.names.schema[_ACTION]))]


def _hits(hits: pl.DataFrame, kind: Kind, key: Key) -> pl.DataFrame:
    return hits.select(
        *("idvisit", "idvisitor", "time_spent_ref_action", *MEASURED.values(), FOLLOWING_SEARCH, WITHOUT_RESULTS),
        key(f"idaction_{kind}").alias(_ACTION),
        key(f"idaction_{kind}_ref").alias(_PRECEDING),
    )


def _visits(log: DayLog, kind: Kind, key: Key) -> pl.DataFrame:
    return log.visits.select(
        *("idvisitor", "visit_total_actions", "visit_total_time"),
        key(f"visit_entry_idaction_{kind}").alias(_ENTERED),
        key(f"visit_exit_idaction_{kind}").alias(_LEFT),
    )


def _parts(hits: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """All hits, those of an action together."""
    count = -(-hits.height // _ROWS_AT_ONCE)
    if count <= 1:
        yield hits
    else:
        yield from (hits.filter(pl.col(_ACTION) % count == number) for number in range(count))


def _counted(hits: pl.DataFrame, visits: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    spent = hits.group_by(_PRECEDING).agg(sum_time_spent=total("time_spent_ref_action"))
    return (
        pl.concat(part.group_by(_ACTION).agg(_OF_HITS) for part in _parts(hits))
        .join(spent, left_on=_ACTION, right_on=_PRECEDING, how="left")
        .join(visits.group_by(_ENTERED).agg(_OF_ENTRIES), left_on=_ACTION, right_on=_ENTERED, how="left")
        .join(visits.group_by(_LEFT).agg(_OF_EXITS), left_on=_ACTION, right_on=_LEFT, how="left")
        .join(names, on=_ACTION)
        .with_columns(pl.col("sum_time_spent").fill_null(0))
        .sort("nb_hits", _ORDER, descending=[True, False])
    )
